/* sha256_avx2.c: SHA-256 (FIPS 180-4) of eight messages at once: lane i of every vector
 * is message i's. The only file that is compiled for vector registers; bundle_digest.c
 * calls it where the CPU has them. Plain C with the compiler's vector types: it is right
 * for any CPU, and fast where eight 32-bit lanes are one register. */
#include "imgfmt/sha256_avx2.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

typedef uint32_t vector __attribute__((vector_size(4 * SHA256_LANES)));

#define ROTATE(x, n)    ((x) >> (n) | (x) << (32 - (n)))
#define SUM0(x)         (ROTATE(x, 2) ^ ROTATE(x, 13) ^ ROTATE(x, 22))
#define SUM1(x)         (ROTATE(x, 6) ^ ROTATE(x, 11) ^ ROTATE(x, 25))
#define GAMMA0(x)       (ROTATE(x, 7) ^ ROTATE(x, 18) ^ (x) >> 3)
#define GAMMA1(x)       (ROTATE(x, 17) ^ ROTATE(x, 19) ^ (x) >> 10)
#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))

/* Eight rounds. Round i finds a in s[-i & 7], b in the next one and so on: none is moved.
 * Majority is b where b and c agree, else a; b ^ c is what a ^ b was a round ago. */
static inline void eight_rounds(vector s[8], const vector w[8], const uint32_t k[8])
{
	vector b_differs_c = s[1] ^ s[2];
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		vector a = s[(0 - i) & 7], b = s[(1 - i) & 7];
		vector e = s[(4 - i) & 7], f = s[(5 - i) & 7], g = s[(6 - i) & 7];
		vector t = s[(7 - i) & 7] + k[i] + w[i] + CHOOSE(e, f, g) + SUM1(e);
		vector a_differs_b = a ^ b;
		s[(3 - i) & 7] += t;
		s[(7 - i) & 7] = t + SUM0(a) + ((a_differs_b & b_differs_c) ^ b);
		b_differs_c = a_differs_b;
	}
}

/* Two big-endian words of a message, the first one on top. */
static inline uint64_t words(const uint8_t *p)
{
	uint64_t pair;
	memcpy(&pair, p, 8);
	return __builtin_bswap64(pair);
}

void sha256_avx2_add(struct sha256_lanes *lanes,
		     const uint8_t *const message[SHA256_LANES], size_t blocks)
{
	vector state[8];
	memcpy(state, lanes->word, sizeof(state));
	for (size_t at = 0; at < 64 * blocks; at += 64) {
		union {
			uint64_t pair[16][SHA256_LANES / 2];
			vector vector[64];
		} w;
		vector s[8];
		memcpy(s, state, sizeof(s));
		for (unsigned lane = 0; lane < SHA256_LANES; lane += 2)
			for (unsigned i = 0; i < 16; i += 2) {
				uint64_t x = words(message[lane] + at + 4 * i);
				uint64_t y = words(message[lane + 1] + at + 4 * i);
				w.pair[i][lane / 2] = x >> 32 | (y & 0xffffffff00000000);
				w.pair[i + 1][lane / 2] = (uint32_t)x | y << 32;
			}
			/* Unrolled no further, as in sha256.c; here more is no faster. */
#pragma GCC unroll 1
		for (unsigned i = 16; i < 64; i++)
			w.vector[i] = w.vector[i - 16] + GAMMA0(w.vector[i - 15]) +
				      w.vector[i - 7] + GAMMA1(w.vector[i - 2]);
#pragma GCC unroll 1
		for (unsigned round = 0; round < 64; round += 8)
			eight_rounds(s, w.vector + round, sha256_k + round);
		for (int i = 0; i < 8; i++)
			state[i] += s[i];
	}
	memcpy(lanes->word, state, sizeof(state));
}

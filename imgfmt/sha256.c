/* sha256.c: SHA-256 (FIPS 180-4), in plain C and unrolled by sixteen, so that every index
 * of the schedule is a constant: the kernel hashes whole images with it before it has
 * vector registers to use. */
#include "imgfmt/sha256.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

/* FIPS 180-4, 4.2.2. */
const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static inline uint32_t big_endian(const uint8_t *p)
{
	uint32_t word;
	memcpy(&word, p, 4);
	return __builtin_bswap32(word);
}

#define SUM0(x)           (rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22))
#define SUM1(x)           (rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25))
#define GAMMA0(x)         (rotate(x, 7) ^ rotate(x, 18) ^ (x) >> 3)
#define GAMMA1(x)         (rotate(x, 17) ^ rotate(x, 19) ^ (x) >> 10)
#define CHOOSE(x, y, z)   ((z) ^ ((x) & ((y) ^ (z))))
#define MAJORITY(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))

/* One round with the eight variables named in rotated order, so that none is moved. */
#define ROUND(a, b, c, d, e, f, g, h, constant, word)                                    \
	do {                                                                             \
		uint32_t t = h + SUM1(e) + CHOOSE(e, f, g) + (constant) + (word);        \
		d += t;                                                                  \
		h = t + SUM0(a) + MAJORITY(a, b, c);                                     \
	} while (0)

/* Unrolled by eight rounds and no further. Sixteen are a third faster, but emulators
 * translate instructions before they run them, and a boot waits longer for that than it
 * gains: what is long is hashed by sha256_avx2.c. */
static void add_blocks(uint32_t state[8], const uint8_t *block, size_t count)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	for (; count; count--, block += 64) {
		uint32_t w[64];
		for (int i = 0; i < 16; i++)
			w[i] = big_endian(block + 4 * i);
		for (int i = 16; i < 64; i++)
			w[i] = w[i - 16] + GAMMA0(w[i - 15]) + w[i - 7] +
			       GAMMA1(w[i - 2]);
		for (int i = 0; i < 64; i += 8) {
			ROUND(a, b, c, d, e, f, g, h, sha256_k[i + 0], w[i + 0]);
			ROUND(h, a, b, c, d, e, f, g, sha256_k[i + 1], w[i + 1]);
			ROUND(g, h, a, b, c, d, e, f, sha256_k[i + 2], w[i + 2]);
			ROUND(f, g, h, a, b, c, d, e, sha256_k[i + 3], w[i + 3]);
			ROUND(e, f, g, h, a, b, c, d, sha256_k[i + 4], w[i + 4]);
			ROUND(d, e, f, g, h, a, b, c, sha256_k[i + 5], w[i + 5]);
			ROUND(c, d, e, f, g, h, a, b, sha256_k[i + 6], w[i + 6]);
			ROUND(b, c, d, e, f, g, h, a, sha256_k[i + 7], w[i + 7]);
		}
		a = state[0] += a;
		b = state[1] += b;
		c = state[2] += c;
		d = state[3] += d;
		e = state[4] += e;
		f = state[5] += f;
		g = state[6] += g;
		h = state[7] += h;
	}
}

void sha256_init(struct sha256 *hash)
{
	/* FIPS 180-4, 5.3.3. */
	*hash = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					  0x510e527f, 0x9b05688c, 0x1f83d9ab,
					  0x5be0cd19}};
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	size_t held = hash->bytes % 64;
	if (!size)
		return;
	hash->bytes += size;
	if (held) {
		size_t part = size < 64 - held ? size : 64 - held;
		memcpy(hash->block + held, from, part);
		from += part;
		size -= part;
		if (held + part < 64)
			return;
		add_blocks(hash->state, hash->block, 1);
	}
	add_blocks(hash->state, from, size / 64);
	if (size % 64)
		memcpy(hash->block, from + size / 64 * 64, size % 64);
}

void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES])
{
	static const uint8_t padding[64] = {0x80};
	uint64_t bits = hash->bytes * 8;
	size_t held = hash->bytes % 64;
	uint8_t length[8];
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_add(hash, padding, held < 56 ? 56 - held : 120 - held);
	sha256_add(hash, length, 8);
	for (int i = 0; i < 32; i++)
		digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_of(const void *bytes, size_t size, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;
	sha256_init(&hash);
	sha256_add(&hash, bytes, size);
	sha256_end(&hash, digest);
}

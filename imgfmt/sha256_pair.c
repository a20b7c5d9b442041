/* sha256_pair.c: SHA-256 (FIPS 180-4) of two messages at once by SHA-NI. One alone leaves
 * half of the unit idle: each of its instructions waits for the one before. */
#include <immintrin.h>

#include "imgfmt/sha256_pair.h"

/* As the instructions have it, the first word on top (SDM 2, SHA256RNDS2). */
struct state {
	__m128i abef, cdgh;
};

static inline struct state state_load(const uint32_t word[8])
{
	__m128i dcba = _mm_loadu_si128((const void *)word);
	__m128i hgfe = _mm_loadu_si128((const void *)(word + 4));
	__m128i cdab = _mm_shuffle_epi32(dcba, 0xb1),
		efgh = _mm_shuffle_epi32(hgfe, 0x1b);
	return (struct state){_mm_alignr_epi8(cdab, efgh, 8),
			      _mm_blend_epi16(efgh, cdab, 0xf0)};
}

static inline void state_store(const struct state *state, uint32_t word[8])
{
	__m128i feba = _mm_shuffle_epi32(state->abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(state->cdgh, 0xb1);
	_mm_storeu_si128((void *)word, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((void *)(word + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static inline __m128i four_words(const uint8_t *p)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	return _mm_shuffle_epi8(_mm_loadu_si128((const void *)p), big_endian);
}

/* The next four words of the schedule, of its last sixteen; w[0] is the oldest four. */
static inline __m128i next_words(const __m128i w[4])
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[0], w[1]),
				    _mm_alignr_epi8(w[3], w[2], 4));
	return _mm_sha256msg2_epu32(sum, w[3]);
}

static inline void four_rounds(struct state *state, __m128i words, __m128i constants)
{
	__m128i sum = _mm_add_epi32(words, constants);
	state->cdgh = _mm_sha256rnds2_epu32(state->cdgh, state->abef, sum);
	sum = _mm_shuffle_epi32(sum, 0x0e);
	state->abef = _mm_sha256rnds2_epu32(state->abef, state->cdgh, sum);
}

void sha256_pair_add(struct sha256 *const hash[2], const uint8_t *const message[2],
		     size_t blocks)
{
	struct state state[2] = {state_load(hash[0]->state), state_load(hash[1]->state)};
	for (size_t at = 0; at < 64 * blocks; at += 64) {
		struct state was[2] = {state[0], state[1]};
		__m128i w[2][4];
#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++) {
			__m128i k = _mm_loadu_si128((const void *)(sha256_k + 4 * i));
#pragma GCC unroll 2
			for (unsigned one = 0; one < 2; one++) {
				__m128i *slot = &w[one][i % 4];
				if (i < 4) {
					*slot = four_words(message[one] + at + 16 * i);
				} else {
					const __m128i last[4] = {
						w[one][i % 4], w[one][(i + 1) % 4],
						w[one][(i + 2) % 4], w[one][(i + 3) % 4]};
					*slot = next_words(last);
				}
				four_rounds(&state[one], *slot, k);
			}
		}
		for (unsigned one = 0; one < 2; one++) {
			state[one].abef = _mm_add_epi32(state[one].abef, was[one].abef);
			state[one].cdgh = _mm_add_epi32(state[one].cdgh, was[one].cdgh);
		}
	}
	for (unsigned one = 0; one < 2; one++) {
		state_store(&state[one], hash[one]->state);
		hash[one]->bytes += 64 * blocks;
	}
}

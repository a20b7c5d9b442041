/* sha256_avx2.h: eight SHA-256 at once, on CPUs with AVX2. For bundle_digest.c. */
#ifndef ELFPACK_SHA256_AVX2_H
#define ELFPACK_SHA256_AVX2_H

#include "imgfmt/sha256.h"

#define SHA256_LANES 8u

struct sha256_lanes {
	uint32_t word[8][SHA256_LANES]; /* the states' first words, second words, ... */
};

/* Adds as many whole blocks (64 bytes) to each lane, from message[lane]. */
void sha256_avx2_add(struct sha256_lanes *lanes,
		     const uint8_t *const message[SHA256_LANES], size_t blocks);

#endif

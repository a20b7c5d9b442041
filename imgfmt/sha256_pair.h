/* sha256_pair.h: two SHA-256 at once by a CPU's SHA-NI. For extents_digest.c: kernel and
 * loaders have sha256_avx2.h, which emulators have too. */
#ifndef ELFPACK_SHA256_PAIR_H
#define ELFPACK_SHA256_PAIR_H

#include "imgfmt/sha256.h"

/* Adds as many whole blocks (64 bytes) to each hash, which holds whole blocks so far,
 * from message[i]. */
void sha256_pair_add(struct sha256 *const hash[2], const uint8_t *const message[2],
		     size_t blocks);

#endif

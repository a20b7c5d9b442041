/* bundle_digest.h: the digest of a bundle's section (abi/bundle.h, BUNDLE_CHUNK). Pure:
 * host, loader and kernel. Where the CPU has AVX2 and its registers are enabled they are
 * used: ring 0 must own them while these functions run. */
#ifndef ELFPACK_BUNDLE_DIGEST_H
#define ELFPACK_BUNDLE_DIGEST_H

#include "imgfmt/abi/bundle.h"
#include "imgfmt/sha256.h"

/* How many chunks size bytes are. */
static inline size_t bundle_digest_leaves(size_t size)
{
	return (size + BUNDLE_CHUNK - 1) / BUNDLE_CHUNK;
}
/* The digests of the chunks of bytes, which starts with a chunk. A section's digest is
 * the SHA-256 of all of its chunks' digests; these may be made in any order, on any CPU.
 */
void bundle_digest_chunks(const void *bytes, size_t size, uint8_t (*leaf)[SHA256_BYTES]);

/* Adds the digests of the chunks of bytes to digest, which sha256_init began and
 * sha256_end ends. Every call but the last has whole chunks. */
void bundle_digest_add(struct sha256 *digest, const void *bytes, size_t size);
void bundle_digest_of(const void *bytes, size_t size, uint8_t digest[SHA256_BYTES]);

#endif

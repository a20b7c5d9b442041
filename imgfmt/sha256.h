/* sha256.h: SHA-256 (FIPS 180-4). Pure: host, loader and kernel. */
#ifndef ELFPACK_SHA256_H
#define ELFPACK_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u

extern const uint32_t sha256_k[64]; /* the rounds' constants */

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);
void sha256_of(const void *bytes, size_t size, uint8_t digest[SHA256_BYTES]);

#endif

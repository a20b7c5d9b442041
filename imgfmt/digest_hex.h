/* digest_hex.h: SHA-256 digests as text. */
#ifndef ELFPACK_DIGEST_HEX_H
#define ELFPACK_DIGEST_HEX_H

#include "imgfmt/sha256.h"

#define HEX_ROOM (2 * SHA256_BYTES + 1)

/* Returns hex. */
const char *digest_hex(const uint8_t digest[SHA256_BYTES], char hex[HEX_ROOM]);

#endif

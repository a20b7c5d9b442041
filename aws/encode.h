/* encode.h: text as URLs, forms and headers want it. */
#ifndef ELFPACK_AWS_ENCODE_H
#define ELFPACK_AWS_ENCODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "imgfmt/sha256.h"

#define BASE64_DIGEST_ROOM 45u

/* All but the unreserved signs of RFC 3986 and those of keep as %XX. */
void encode_percent(FILE *to, const char *text, const char *keep);
/* The same with + for a space: application/x-www-form-urlencoded. */
void encode_form(FILE *to, const char *text);
/* A JSON string with its quotes. */
void encode_json(FILE *to, const char *text);
const char *encode_digest(const uint8_t digest[SHA256_BYTES],
			  char text[BASE64_DIGEST_ROOM]);
/* By libcrypto, which uses what the CPU has for it. */
void fast_sha256(const void *bytes, size_t size, uint8_t digest[SHA256_BYTES]);
/* The same as hexadecimal text of 64 digits and a NUL. */
const char *fast_sha256_hex(const void *bytes, size_t size,
			    char hex[2 * SHA256_BYTES + 1]);

#endif

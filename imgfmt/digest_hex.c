/* digest_hex.c: digests as lower-case hexadecimal digits. */
#include "imgfmt/digest_hex.h"

const char *digest_hex(const uint8_t digest[SHA256_BYTES], char hex[HEX_ROOM])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[HEX_ROOM - 1] = '\0';
	return hex;
}

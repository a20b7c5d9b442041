/* encode.c: text as URLs, forms and headers want it. */
#include <ctype.h>
#include <string.h>

#include <openssl/evp.h>

#include "aws/encode.h"
#include "imgfmt/digest_hex.h"

static void put_percent(FILE *to, unsigned char byte, const char *keep)
{
	if ((byte < 0x80 && isalnum(byte)) || (byte && strchr("-_.~", byte)) ||
	    (byte && strchr(keep, byte)))
		fputc(byte, to);
	else
		fprintf(to, "%%%02X", byte);
}

void encode_percent(FILE *to, const char *text, const char *keep)
{
	for (; *text; text++)
		put_percent(to, (unsigned char)*text, keep);
}

void encode_form(FILE *to, const char *text)
{
	for (; *text; text++)
		if (*text == ' ')
			fputc('+', to);
		else
			put_percent(to, (unsigned char)*text, "");
}

void encode_json(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(to, "\\u%04x", *text);
		else
			fputc(*text, to);
	fputc('"', to);
}

const char *encode_digest(const uint8_t digest[SHA256_BYTES],
			  char text[BASE64_DIGEST_ROOM])
{
	EVP_EncodeBlock((unsigned char *)text, digest, (int)SHA256_BYTES);
	return text;
}

void fast_sha256(const void *bytes, size_t size, uint8_t digest[SHA256_BYTES])
{
	if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1)
		sha256_of(bytes, size, digest); /* libcrypto had no memory */
}

const char *fast_sha256_hex(const void *bytes, size_t size,
			    char hex[2 * SHA256_BYTES + 1])
{
	uint8_t digest[SHA256_BYTES];
	fast_sha256(bytes, size, digest);
	return digest_hex(digest, hex);
}

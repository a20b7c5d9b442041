/* sigv4.c: signing a request: canonical request, string to sign, key, header. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "aws/encode.h"
#include "aws/sigv4.h"
#include "imgfmt/digest_hex.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

/* Text between two marks of a longer one. */
struct span {
	const char *text;
	size_t size;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sigv4_header *)a)->name,
		      ((const struct sigv4_header *)b)->name);
}

static int compare_spans(struct span one, struct span other)
{
	size_t least = one.size < other.size ? one.size : other.size;
	int order = memcmp(one.text, other.text, least);
	return order ? order : (one.size > other.size) - (one.size < other.size);
}

static size_t name_size(struct span pair)
{
	const char *equals = memchr(pair.text, '=', pair.size);
	return equals ? (size_t)(equals - pair.text) : pair.size;
}

/* By name, then by value: '-' and '.', which names have, stand before '='. */
static int by_name_and_value(const void *a, const void *b)
{
	const struct span *one = a, *other = b;
	int order = compare_spans((struct span){one->text, name_size(*one)},
				  (struct span){other->text, name_size(*other)});
	return order ? order : compare_spans(*one, *other);
}

/* name=value pairs in their order; a name without = gets one. */
static void put_query(FILE *to, const char *query)
{
	struct span pairs[64];
	size_t count = 0;
	while (*query && count < sizeof(pairs) / sizeof(pairs[0])) {
		size_t size = strcspn(query, "&");
		if (size)
			pairs[count++] = (struct span){query, size};
		query += size + (query[size] == '&');
	}
	qsort(pairs, count, sizeof(pairs[0]), by_name_and_value);
	for (size_t i = 0; i < count; i++)
		fprintf(to, "%s%.*s%s", i ? "&" : "", (int)pairs[i].size, pairs[i].text,
			memchr(pairs[i].text, '=', pairs[i].size) ? "" : "=");
}

/* Without spaces at the ends, and one for several inside. */
static void put_value(FILE *to, const char *value)
{
	for (size_t words = 0; *(value += strspn(value, " \t")); words++) {
		size_t size = strcspn(value, " \t");
		fprintf(to, "%s%.*s", words ? " " : "", (int)size, value);
		value += size;
	}
}

/* sorted: room for header_count. */
static void sort_headers(const struct sigv4_request *request, struct sigv4_header *sorted)
{
	memcpy(sorted, request->headers, request->header_count * sizeof(*sorted));
	qsort(sorted, request->header_count, sizeof(*sorted), by_name);
}

static void put_names(FILE *to, const struct sigv4_header *sorted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(to, "%s%s", i ? ";" : "", sorted[i].name);
}

char *sigv4_canonical(const struct sigv4_request *request)
{
	struct sigv4_header sorted[SIGV4_HEADERS_MAX];
	char *text = NULL;
	size_t size = 0;
	FILE *to = request->header_count > SIGV4_HEADERS_MAX
			   ? NULL
			   : open_memstream(&text, &size);
	if (!to)
		return NULL;
	sort_headers(request, sorted);
	fprintf(to, "%s\n", request->method);
	encode_percent(to, request->path, "/"); /* once more than it was sent */
	fputc('\n', to);
	put_query(to, request->query);
	fputc('\n', to);
	for (size_t i = 0; i < request->header_count; i++) {
		fprintf(to, "%s:", sorted[i].name);
		put_value(to, sorted[i].value);
		fputc('\n', to);
	}
	fputc('\n', to);
	put_names(to, sorted, request->header_count);
	fprintf(to, "\n%s", request->payload);
	if (!fclose(to))
		return text;
	free(text);
	return NULL;
}

char *sigv4_string_to_sign(const char *canonical, const struct sigv4_scope *scope)
{
	char hex[HEX_ROOM], *text = NULL;
	fast_sha256_hex(canonical, strlen(canonical), hex);
	return asprintf(&text, ALGORITHM "\n%s\n%.8s/%s/%s/aws4_request\n%s",
			scope->stamp, scope->stamp, scope->region, scope->service,
			hex) < 0
		       ? NULL
		       : text;
}

static int hmac(uint8_t out[SHA256_BYTES], const void *key, size_t key_size,
		const char *text, size_t size)
{
	return HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, size,
		    out, NULL)
		       ? 0
		       : -1;
}

/* The key of a day, a region and a service. */
static int derive_key(uint8_t key[SHA256_BYTES], const struct sigv4_scope *scope,
		      const char *secret)
{
	char *first = NULL;
	if (asprintf(&first, "AWS4%s", secret) < 0)
		return -1;
	int rc = hmac(key, first, strlen(first), scope->stamp, 8);
	OPENSSL_cleanse(first, strlen(first));
	free(first);
	const char *rest[] = {scope->region, scope->service, "aws4_request"};
	for (size_t i = 0; !rc && i < sizeof(rest) / sizeof(rest[0]); i++)
		rc = hmac(key, key, SHA256_BYTES, rest[i], strlen(rest[i]));
	return rc;
}

static int sign(uint8_t signature[SHA256_BYTES], const struct sigv4_request *request,
		const struct sigv4_scope *scope, const char *secret)
{
	uint8_t key[SHA256_BYTES];
	char *canonical = sigv4_canonical(request);
	char *to_sign = canonical ? sigv4_string_to_sign(canonical, scope) : NULL;
	int rc = to_sign ? derive_key(key, scope, secret) : -1;
	if (!rc)
		rc = hmac(signature, key, sizeof(key), to_sign, strlen(to_sign));
	OPENSSL_cleanse(key, sizeof(key));
	free(to_sign);
	free(canonical);
	return rc;
}

char *sigv4_authorization(const struct sigv4_request *request,
			  const struct sigv4_scope *scope, const char *key_id,
			  const char *secret)
{
	struct sigv4_header sorted[SIGV4_HEADERS_MAX];
	uint8_t signature[SHA256_BYTES];
	char hex[HEX_ROOM], *text = NULL;
	size_t size = 0;
	FILE *to = sign(signature, request, scope, secret) ? NULL
							   : open_memstream(&text, &size);
	if (!to)
		return NULL;
	sort_headers(request, sorted);
	fprintf(to, ALGORITHM " Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=",
		key_id, scope->stamp, scope->region, scope->service);
	put_names(to, sorted, request->header_count);
	fprintf(to, ", Signature=%s", digest_hex(signature, hex));
	if (!fclose(to))
		return text;
	free(text);
	return NULL;
}

/* extents.c: lists of pieces of memory with zeros between them. */
#include <assert.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/extents.h"

int extents_add(struct extents *to, uint64_t at, const void *bytes, size_t size)
{
	if (!size)
		return 0;
	assert(!to->count ||
	       at >= to->list[to->count - 1].at + to->list[to->count - 1].size);
	if (to->count == to->room) {
		size_t room = to->room ? 2 * to->room : 16;
		struct extent *list = realloc(to->list, room * sizeof(*list));
		if (!list)
			return -1;
		to->list = list;
		to->room = room;
	}
	to->list[to->count++] = (struct extent){at, bytes, size};
	if (to->size < at + size)
		to->size = at + size;
	return 0;
}

int extents_append(struct extents *to, uint64_t at, const struct extents *from)
{
	for (size_t i = 0; i < from->count; i++)
		if (extents_add(to, at + from->list[i].at, from->list[i].bytes,
				from->list[i].size))
			return -1;
	if (to->size < at + from->size)
		to->size = at + from->size;
	return 0;
}

/* The first extent that ends behind at. */
static size_t first_behind(const struct extents *from, uint64_t at)
{
	size_t low = 0, high = from->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (from->list[middle].at + from->list[middle].size <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What extent i has of the part [at, at + size): *bytes with its place in the part; 0:
 * none, and no later one has. */
static size_t overlap(const struct extents *from, size_t i, uint64_t at, uint64_t size,
		      const uint8_t **bytes, uint64_t *place)
{
	if (i == from->count || from->list[i].at >= at + size)
		return 0;
	const struct extent *extent = &from->list[i];
	uint64_t skip = extent->at < at ? at - extent->at : 0;
	uint64_t start = extent->at + skip, left = extent->size - skip;
	*bytes = (const uint8_t *)extent->bytes + skip;
	*place = start - at;
	return (size_t)(left < size - *place ? left : size - *place);
}

int extents_append_part(struct extents *to, uint64_t to_at, const struct extents *from,
			uint64_t at, uint64_t size)
{
	const uint8_t *bytes = NULL;
	uint64_t place = 0;
	size_t got = 0;
	for (size_t i = first_behind(from, at);
	     (got = overlap(from, i, at, size, &bytes, &place)) != 0; i++)
		if (extents_add(to, to_at + place, bytes, got))
			return -1;
	if (to->size < to_at + size)
		to->size = to_at + size;
	return 0;
}

void extents_read(const struct extents *from, uint64_t at, void *out, size_t size)
{
	const uint8_t *bytes = NULL;
	uint64_t place = 0;
	size_t got = 0;
	memset(out, 0, size);
	for (size_t i = first_behind(from, at);
	     (got = overlap(from, i, at, size, &bytes, &place)) != 0; i++)
		memcpy((uint8_t *)out + place, bytes, got);
}

const void *extents_in_one(const struct extents *from, uint64_t at, size_t size)
{
	const uint8_t *bytes = NULL;
	uint64_t place = 0;
	size_t got = overlap(from, first_behind(from, at), at, size, &bytes, &place);
	return got == size ? bytes : NULL;
}

bool extents_hole(const struct extents *from, uint64_t at, uint64_t size)
{
	const uint8_t *bytes = NULL;
	uint64_t place = 0;
	return !overlap(from, first_behind(from, at), at, size, &bytes, &place);
}

bool bytes_are_zero(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	return !size || (!at[0] && memcmp(at, at + 1, size - 1) == 0);
}

static void add_zeros(struct sha256 *hash, uint64_t size)
{
	static const uint8_t zeros[4096];
	for (; size > sizeof(zeros); size -= sizeof(zeros))
		sha256_add(hash, zeros, sizeof(zeros));
	sha256_add(hash, zeros, (size_t)size);
}

static void hash_by_hand(const struct extents *from, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;
	uint64_t at = 0;
	sha256_init(&hash);
	for (size_t i = 0; i < from->count; i++) {
		const struct extent *extent = &from->list[i];
		add_zeros(&hash, extent->at - at);
		sha256_add(&hash, extent->bytes, extent->size);
		at = extent->at + extent->size;
	}
	add_zeros(&hash, from->size - at);
	sha256_end(&hash, digest);
}

static bool libcrypto_zeros(EVP_MD_CTX *hash, uint64_t size)
{
	static const uint8_t zeros[4096];
	bool added = true;
	for (; added && size > sizeof(zeros); size -= sizeof(zeros))
		added = EVP_DigestUpdate(hash, zeros, sizeof(zeros));
	return added && EVP_DigestUpdate(hash, zeros, (size_t)size);
}

/* libcrypto uses what the CPU has for it. It may find no memory. */
static bool hash_by_libcrypto(const struct extents *from, uint8_t digest[SHA256_BYTES])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	uint64_t at = 0;
	bool fine = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
	for (size_t i = 0; fine && i < from->count; i++) {
		const struct extent *extent = &from->list[i];
		fine = libcrypto_zeros(hash, extent->at - at) &&
		       EVP_DigestUpdate(hash, extent->bytes, extent->size);
		at = extent->at + extent->size;
	}
	fine = fine && libcrypto_zeros(hash, from->size - at) &&
	       EVP_DigestFinal_ex(hash, digest, NULL);
	EVP_MD_CTX_free(hash);
	return fine;
}

void extents_hash(const struct extents *from, uint8_t digest[SHA256_BYTES])
{
	if (!hash_by_libcrypto(from, digest))
		hash_by_hand(from, digest);
}

void extents_copy(const struct extents *from, void *out)
{
	memset(out, 0, (size_t)from->size);
	for (size_t i = 0; i < from->count; i++)
		memcpy((uint8_t *)out + from->list[i].at, from->list[i].bytes,
		       from->list[i].size);
}

void extents_free(struct extents *extents)
{
	free(extents->list);
	*extents = (struct extents){0};
}

/* bundle_unpack.c: the sections that are as they were are copied, the header is made
 * again: it is the one that the bundle had before it was packed; the deflated section's
 * chunks are inflated in any order. What comes out has its digests, which are checked as
 * always. */
#include "imgfmt/bundle_unpack.h"
#include "imgfmt/sha256.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

/* A bundle is loaded whole: more than this is no size. */
#define PLAIN_MAX (1ull << 40)

static uint64_t round_up(uint64_t size, uint64_t to)
{
	return (size + to - 1) / to * to;
}

/* The section's own size, plain; 0: it is none. */
static uint64_t plain_size(const struct bundle_part *part)
{
	const struct bundle_packed *packed = (const void *)part->bytes;
	if (!part->is_packed)
		return part->size;
	if (part->size < sizeof(*packed))
		return 0;
	uint64_t size = le64_get(packed->size);
	if (size > PLAIN_MAX ||
	    round_up(size, BUNDLE_PACK_CHUNK) / BUNDLE_PACK_CHUNK * sizeof(le32) >
		    part->size - sizeof(*packed))
		return 0;
	return size;
}

uint64_t bundle_unpacked_size(const struct bundle_view *view)
{
	uint64_t end = BUNDLE_BLOCK;
	for (int kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++) {
		uint64_t size = plain_size(&view->part[kind]);
		if (!size && view->part[kind].size)
			return 0;
		end += round_up(size, BUNDLE_BLOCK);
	}
	return end;
}

void bundle_chunks_begin(struct bundle_chunks *c, const struct bundle_part *part)
{
	const struct bundle_packed *packed = (const void *)part->bytes;
	*c = (struct bundle_chunks){.size = le64_get(packed->size),
				    .stored = (const le32 *)(packed + 1),
				    .end = part->bytes + part->size};
	c->count = (size_t)(round_up(c->size, BUNDLE_PACK_CHUNK) / BUNDLE_PACK_CHUNK);
	c->at = (const uint8_t *)(c->stored + c->count);
}

/* The stored bytes of a chunk; NULL: they are not all there. */
static const uint8_t *chunk_find(struct bundle_chunks *c, size_t chunk, size_t *size)
{
	for (*size = 0; c->next <= chunk; c->next++) {
		*size = le32_get(c->stored[c->next]);
		if (*size > (size_t)(c->end - c->at))
			return NULL;
		c->at += *size;
	}
	return c->at - *size;
}

size_t bundle_chunk_size(const struct bundle_chunks *c, size_t chunk)
{
	uint64_t left = c->size - chunk * BUNDLE_PACK_CHUNK;
	return left < BUNDLE_PACK_CHUNK ? (size_t)left : BUNDLE_PACK_CHUNK;
}

int bundle_chunk_unpack(struct bundle_chunks *c, size_t chunk, void *to,
			struct deflate_room *room)
{
	size_t size = bundle_chunk_size(c, chunk), has;
	const uint8_t *from = chunk_find(c, chunk, &has);
	if (!from || has > size)
		return -1;
	if (has == size)
		memcpy(to, from, size);
	else if (!has)
		memset(to, 0, size);
	else
		return deflate_read(room, from, has, to, size);
	return 0;
}

void bundle_unpack_rest(void *to, const struct bundle_view *view, const void *bytes)
{
	struct bundle_header *header = to;
	uint64_t end = BUNDLE_BLOCK;
	memset(to, 0, BUNDLE_BLOCK);
	memcpy(header, bytes, sizeof(*header));
	for (int kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++) {
		const struct bundle_part *part = &view->part[kind];
		struct bundle_section *row = &header->section[kind - 1];
		uint64_t size = plain_size(part);
		uint8_t *at = (uint8_t *)to + end;
		row->flags = le32_make(0);
		row->offset = le64_make(end);
		row->size = le64_make(size);
		if (!part->is_packed && size)
			memcpy(at, part->bytes, (size_t)size);
		end += round_up(size, BUNDLE_BLOCK);
		memset(at + size, 0, (size_t)(round_up(size, BUNDLE_BLOCK) - size));
	}
	header->bundle_size = le64_make(end);
	sha256_of(header, offsetof(struct bundle_header, sha256), header->sha256);
}

int bundle_unpack(void *to, const struct bundle_view *view, const void *bytes,
		  struct deflate_room *room)
{
	const struct bundle_part *part = &view->part[BUNDLE_ROOTFS];
	bundle_unpack_rest(to, view, bytes);
	if (!part->is_packed)
		return 0;
	const struct bundle_header *header = to;
	uint8_t *at = (uint8_t *)to + le64_get(header->section[BUNDLE_ROOTFS - 1].offset);
	struct bundle_chunks chunks;
	bundle_chunks_begin(&chunks, part);
	for (size_t i = 0; i < chunks.count; i++)
		if (bundle_chunk_unpack(&chunks, i, at + i * BUNDLE_PACK_CHUNK, room))
			return -1;
	return 0;
}

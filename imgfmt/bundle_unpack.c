/* bundle_unpack.c: the sections that are as they were are copied, the deflated one is
 * inflated chunk by chunk, and the header is made again: it is the one that the bundle
 * had before it was packed. What comes out has its digests, which are checked as always.
 */
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

static int inflate_part(uint8_t *to, const struct bundle_part *part,
			struct deflate_room *room)
{
	const struct bundle_packed *packed = (const void *)part->bytes;
	const le32 *stored = (const void *)(packed + 1);
	uint64_t left = le64_get(packed->size);
	size_t count = (size_t)(round_up(left, BUNDLE_PACK_CHUNK) / BUNDLE_PACK_CHUNK);
	const uint8_t *at = (const void *)(stored + count),
		      *end = part->bytes + part->size;
	for (size_t i = 0; i < count; i++) {
		size_t size = left < BUNDLE_PACK_CHUNK ? (size_t)left : BUNDLE_PACK_CHUNK;
		size_t has = le32_get(stored[i]);
		if (has > (size_t)(end - at) || has > size)
			return -1;
		if (has == size)
			memcpy(to, at, size);
		else if (!has)
			memset(to, 0, size);
		else if (deflate_read(room, at, has, to, size))
			return -1;
		at += has;
		to += size;
		left -= size;
	}
	return 0;
}

int bundle_unpack(void *to, const struct bundle_view *view, const void *bytes,
		  struct deflate_room *room)
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
		if (part->is_packed) {
			if (inflate_part(at, part, room))
				return -1;
		} else if (size) {
			memcpy(at, part->bytes, (size_t)size);
		}
		end += round_up(size, BUNDLE_BLOCK);
		memset(at + size, 0, (size_t)(round_up(size, BUNDLE_BLOCK) - size));
	}
	header->bundle_size = le64_make(end);
	sha256_of(header, offsetof(struct bundle_header, sha256), header->sha256);
	return 0;
}

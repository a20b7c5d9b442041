/* bundle_unpack.h: a bundle with a deflated section (abi/bundle.h) made plain. Pure: host
 * and kernel, no allocation. The bytes may be anything. */
#ifndef ELFPACK_BUNDLE_UNPACK_H
#define ELFPACK_BUNDLE_UNPACK_H

#include "imgfmt/bundle_read.h"
#include "imgfmt/deflate_read.h"

/* The plain bundle's size; 0: the deflated section is damaged. */
uint64_t bundle_unpacked_size(const struct bundle_view *view);
/* Writes the plain bundle, which bundle_open takes, to so many bytes; view is of bytes,
 * which do not overlap with them. Returns 0, or -1 when the section is damaged. */
int bundle_unpack(void *to, const struct bundle_view *view, const void *bytes,
		  struct deflate_room *room);

/* The same in parts: all but what the deflated section holds, */
void bundle_unpack_rest(void *to, const struct bundle_view *view, const void *bytes);

/* and that section by chunks of BUNDLE_PACK_CHUNK plain bytes, by as many as have a
 * struct bundle_chunks of their own: each takes chunks of ascending numbers. */
struct bundle_chunks {
	size_t count;
	uint64_t size; /* of the plain section */
	const le32 *stored;
	size_t next; /* chunk whose bytes begin at */
	const uint8_t *at, *end;
};

/* Of a part for which bundle_unpacked_size was not 0. */
void bundle_chunks_begin(struct bundle_chunks *c, const struct bundle_part *part);
size_t bundle_chunk_size(const struct bundle_chunks *c, size_t chunk); /* plain bytes */
/* Returns 0, or -1 when it is damaged. */
int bundle_chunk_unpack(struct bundle_chunks *c, size_t chunk, void *to,
			struct deflate_room *room);

#endif

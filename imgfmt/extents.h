/* extents.h: the bytes of something big as a list of pieces that lie elsewhere in memory,
 * in order, with zeros between them. Planners make them, writers consume them; nothing is
 * copied on the way and holes stay holes. */
#ifndef ELFPACK_EXTENTS_H
#define ELFPACK_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imgfmt/sha256.h"

struct extent {
	uint64_t at;       /* bytes from the start of the whole */
	const void *bytes; /* not owned */
	size_t size;
};

struct extents {
	struct extent *list; /* ascending, not overlapping */
	size_t count, room;
	uint64_t size; /* of the whole, at least the last extent's end */
};

/* Both return 0, or -1 when memory ran out. at must not lie before what was added last.
 */
int extents_add(struct extents *to, uint64_t at, const void *bytes, size_t size);
int extents_append(struct extents *to, uint64_t at, const struct extents *from);
/* The SHA-256 of the whole, and (extents_digest.c: 0, or -1 when memory ran out) the
 * digest of a bundle's section that it is. */
void extents_hash(const struct extents *from, uint8_t digest[SHA256_BYTES]);
int extents_digest(const struct extents *from, uint8_t digest[SHA256_BYTES]);
/* bundle_digest_chunks, as fast as this CPU can. */
void extents_digest_chunks(const void *bytes, size_t size, uint8_t (*leaf)[SHA256_BYTES]);
/* The bytes from at on, as many as size: those that from has. */
int extents_append_part(struct extents *to, uint64_t to_at, const struct extents *from,
			uint64_t at, uint64_t size);
/* Copies a part to out; what lies behind the end is zeros too. */
void extents_read(const struct extents *from, uint64_t at, void *out, size_t size);
/* Where a part lies that is within one extent; else NULL. */
const void *extents_in_one(const struct extents *from, uint64_t at, size_t size);
/* Has a part no extent in it? What lies behind the end has none. */
bool extents_hole(const struct extents *from, uint64_t at, uint64_t size);
bool bytes_are_zero(const void *bytes, size_t size);
/* Copies the whole to out, which has room for size bytes of it. */
void extents_copy(const struct extents *from, void *out);
void extents_free(struct extents *extents);

#endif

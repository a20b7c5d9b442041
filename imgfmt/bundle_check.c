/* bundle_check.c: a section's digest from the bytes of a file. The chunks of one that is
 * deflated are inflated and hashed by whoever is free. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/all_cpus.h"
#include "imgfmt/bundle_check.h"
#include "imgfmt/bundle_digest.h"
#include "imgfmt/bundle_unpack.h"
#include "imgfmt/extents.h"

#define LEAVES (BUNDLE_PACK_CHUNK / BUNDLE_CHUNK) /* of what is inflated at once */
_Static_assert(BUNDLE_PACK_CHUNK % BUNDLE_CHUNK == 0, "whole chunks");

struct packed {
	const struct bundle_part *part;
	struct bundle_chunks chunks; /* as they begin */
	uint8_t (*leaf)[SHA256_BYTES];
	atomic_size_t next, done;
	atomic_bool damaged;
};

/* What a thread needs to inflate. */
struct inflater {
	struct bundle_chunks chunks;
	struct deflate_room room;
	uint8_t plain[BUNDLE_PACK_CHUNK];
};

/* Without memory for it the other threads do the work. */
static void *work(void *context)
{
	struct packed *packed = context;
	struct inflater *inflater = malloc(sizeof(*inflater));
	size_t i;
	if (!inflater)
		return NULL;
	inflater->chunks = packed->chunks;
	while (!atomic_load(&packed->damaged) &&
	       (i = atomic_fetch_add(&packed->next, 1)) < packed->chunks.count) {
		if (bundle_chunk_unpack(&inflater->chunks, i, inflater->plain,
					&inflater->room)) {
			atomic_store(&packed->damaged, true);
			break;
		}
		extents_digest_chunks(inflater->plain,
				      bundle_chunk_size(&packed->chunks, i),
				      packed->leaf + i * LEAVES);
		atomic_fetch_add(&packed->done, 1);
	}
	free(inflater);
	return NULL;
}

/* 0; 1: it cannot be inflated; -1: no memory. */
static int packed_digest(const struct bundle_part *part, uint8_t digest[SHA256_BYTES])
{
	struct packed packed = {.part = part};
	bundle_chunks_begin(&packed.chunks, part);
	size_t leaves = bundle_digest_leaves((size_t)packed.chunks.size);
	packed.leaf = malloc(leaves * SHA256_BYTES + 1);
	if (!packed.leaf)
		return -1;
	on_all_cpus(work, &packed, packed.chunks.count);
	bool whole = atomic_load(&packed.done) == packed.chunks.count;
	if (whole)
		sha256_of(packed.leaf, leaves * SHA256_BYTES, digest);
	free(packed.leaf);
	return whole ? 0 : atomic_load(&packed.damaged) ? 1 : -1;
}

static int plain_digest(const struct bundle_part *part, uint8_t digest[SHA256_BYTES])
{
	struct extents whole = {0};
	int rc = part->size ? extents_add(&whole, 0, part->bytes, part->size) : 0;
	if (!rc)
		rc = extents_digest(&whole, digest);
	extents_free(&whole);
	return rc;
}

int bundle_check_section(const struct bundle_view *view, enum bundle_kind kind,
			 struct diag *why)
{
	const struct bundle_part *part = &view->part[kind];
	uint8_t digest[SHA256_BYTES];
	int rc = !bundle_unpacked_size(view) ? 1
		 : part->is_packed           ? packed_digest(part, digest)
					     : plain_digest(part, digest);
	if (rc < 0)
		return diag_set(why, "out of memory");
	return rc || memcmp(digest, part->digest, sizeof(digest)) != 0
		       ? diag_set(why, "%s is damaged: the SHA-256 is wrong",
				  bundle_kind_name(kind))
		       : 0;
}

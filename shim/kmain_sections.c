/* kmain_sections.c: sections are inflated and hashed by all CPUs, a run of chunks each at
 * a time. */
#include "shim/kmain_sections.h"

#include "imgfmt/bundle_digest.h"
#include "imgfmt/bundle_unpack.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/kmain.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"

#define RUN_BYTES (16u * BUNDLE_CHUNK)
_Static_assert(BUNDLE_PACK_CHUNK % BUNDLE_CHUNK == 0, "a run is whole chunks");

void section_check_add(struct section_check *check, const struct bundle_part *part,
		       const struct bundle_part *packed)
{
	size_t leaves = bundle_digest_leaves(part->size);
	size_t run_bytes = packed ? BUNDLE_PACK_CHUNK : RUN_BYTES;
	unsigned i = check->count++;
	check->section[i].part = part;
	check->section[i].packed = packed;
	check->section[i].leaf =
		leaves ? kmalloc(&kernel_account, leaves * SHA256_BYTES) : NULL;
	check->section[i].run_bytes = run_bytes;
	if (check->section[i].leaf || packed)
		check->section[i].runs = (part->size + run_bytes - 1) / run_bytes;
}

/* What a CPU needs to inflate chunks. */
struct inflater {
	const struct bundle_part *of; /* NULL: not begun */
	struct bundle_chunks chunks;
	struct deflate_room room;
};

/* The image is read-only for the kernel too; these are its first bytes. */
static bool inflate_run(struct inflater *inflater, const struct bundle_part *packed,
			size_t run, const uint8_t *at)
{
	if (inflater->of != packed)
		bundle_chunks_begin(&inflater->chunks, packed);
	inflater->of = packed;
	cpu_write_protect(false);
	int rc = bundle_chunk_unpack(&inflater->chunks, run, (uint8_t *)at,
				     &inflater->room);
	cpu_write_protect(true);
	return rc == 0;
}

void section_check_run(void *context)
{
	struct section_check *check = context;
	struct inflater inflater = {.of = NULL};
	for (;;) {
		size_t run = __atomic_fetch_add(&check->next, 1, __ATOMIC_RELAXED);
		unsigned i = 0;
		while (i < check->count && run >= check->section[i].runs)
			run -= check->section[i++].runs;
		if (i == check->count)
			return;
		const struct bundle_part *part = check->section[i].part;
		size_t size = check->section[i].run_bytes, at = run * size;
		if (size > part->size - at)
			size = part->size - at;
		if (check->section[i].packed &&
		    !inflate_run(&inflater, check->section[i].packed, run,
				 part->bytes + at))
			__atomic_fetch_or(&check->damaged, 1u << i, __ATOMIC_RELAXED);
		else if (check->section[i].leaf)
			bundle_digest_chunks(part->bytes + at, size,
					     check->section[i].leaf + at / BUNDLE_CHUNK);
	}
}

const char *section_check_end(struct section_check *check, unsigned i)
{
	const struct bundle_part *part = check->section[i].part;
	uint8_t(*leaf)[SHA256_BYTES] = check->section[i].leaf;
	uint8_t digest[SHA256_BYTES];
	if (check->damaged >> i & 1)
		return SECTION_CANNOT_UNPACK;
	if (leaf) {
		sha256_of(leaf, bundle_digest_leaves(part->size) * SHA256_BYTES, digest);
		kfree(leaf);
	}
	bool intact = leaf ? memcmp(digest, part->digest, sizeof(digest)) == 0
			   : !part->size || bundle_part_intact(part);
	return intact ? NULL : SECTION_DAMAGED;
}

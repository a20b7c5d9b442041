/* kmain_sections.c: sections are hashed by all CPUs, a run of chunks each at a time. */
#include "shim/kmain_sections.h"

#include "imgfmt/bundle_digest.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"

#define RUN_CHUNKS 16u
#define RUN_BYTES  (RUN_CHUNKS * BUNDLE_CHUNK)

void section_check_prepare(struct section_check *check, const struct bundle_part *parts,
			   unsigned count)
{
	*check = (struct section_check){.count = count};
	for (unsigned i = 0; i < count; i++) {
		size_t leaves = bundle_digest_leaves(parts[i].size);
		check->section[i].part = &parts[i];
		check->section[i].leaf =
			leaves ? kmalloc(&kernel_account, leaves * SHA256_BYTES) : NULL;
		if (check->section[i].leaf)
			check->section[i].runs =
				(parts[i].size + RUN_BYTES - 1) / RUN_BYTES;
	}
}

void section_check_run(void *context)
{
	struct section_check *check = context;
	for (;;) {
		size_t run = __atomic_fetch_add(&check->next, 1, __ATOMIC_RELAXED);
		unsigned i = 0;
		while (i < check->count && run >= check->section[i].runs)
			run -= check->section[i++].runs;
		if (i == check->count)
			return;
		const struct bundle_part *part = check->section[i].part;
		size_t at = run * RUN_BYTES, left = part->size - at;
		bundle_digest_chunks(part->bytes + at,
				     left < RUN_BYTES ? left : RUN_BYTES,
				     check->section[i].leaf + run * RUN_CHUNKS);
	}
}

bool section_check_end(struct section_check *check, unsigned i)
{
	const struct bundle_part *part = check->section[i].part;
	uint8_t(*leaf)[SHA256_BYTES] = check->section[i].leaf;
	uint8_t digest[SHA256_BYTES];
	if (!part->size)
		return true;
	if (!leaf)
		return bundle_part_intact(part);
	sha256_of(leaf, bundle_digest_leaves(part->size) * SHA256_BYTES, digest);
	kfree(leaf);
	return memcmp(digest, part->digest, sizeof(digest)) == 0;
}

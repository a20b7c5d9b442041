/* bundle_pack.c: deflating a bundle's packed file system, for disks that are read slowly.
 */
#include <string.h>

#include "imgfmt/bundle.h"
#include "imgfmt/deflate_blocks.h"
#include "imgfmt/sha256.h"

/* The section in its deflated form, in the bundle's memory. */
static int pack_section(struct bundle *to, struct extents *packed,
			const struct extents *plain, unsigned threads, struct diag *why)
{
	struct deflate_plan how = {.from = plain,
				   .style = DEFLATE_BUNDLE,
				   .block_bytes = BUNDLE_PACK_CHUNK,
				   .threads = threads};
	size_t count = deflate_block_count(&how);
	struct deflate_block *block = deflate_blocks(&to->memory, &how, why);
	size_t head_size = sizeof(struct bundle_packed) + count * sizeof(le32);
	struct bundle_packed *head = file_plan_alloc(&to->memory, head_size, why);
	le32 *stored = (le32 *)(head + 1);
	if (!block || !head)
		return -1;
	head->size = le64_make(plain->size);
	int rc = extents_add(packed, 0, head, head_size);
	for (size_t i = 0; !rc && i < count; i++) {
		uint64_t at = (uint64_t)i * BUNDLE_PACK_CHUNK, end = packed->size;
		uint64_t size = plain->size - at < BUNDLE_PACK_CHUNK ? plain->size - at
								     : BUNDLE_PACK_CHUNK;
		if (block[i].zero) {
			size = 0;
		} else if (block[i].bytes) {
			size = block[i].size;
			rc = extents_add(packed, end, block[i].bytes, block[i].size);
		} else {
			rc = extents_append_part(packed, end, plain, at, size);
			packed->size = end + size;
		}
		stored[i] = le32_make((uint32_t)size);
	}
	return rc ? diag_set(why, "out of memory") : 0;
}

int bundle_pack(struct bundle *to, const struct bundle *plain, unsigned threads,
		struct diag *why)
{
	const struct bundle_header *from = (const void *)plain->header;
	struct bundle_header *header = (void *)to->header;
	uint64_t end = BUNDLE_BLOCK;
	memset(to, 0, sizeof(*to));
	memcpy(to->header, plain->header, sizeof(to->header));
	int rc = extents_add(&to->extents, 0, to->header, sizeof(to->header))
			 ? diag_set(why, "out of memory")
			 : 0;
	for (unsigned i = 0; !rc && i < BUNDLE_MANIFEST; i++) {
		const struct bundle_section *was = &from->section[i];
		struct bundle_section *row = &header->section[i];
		struct extents section = {0}, packed = {0};
		if (extents_append_part(&section, 0, &plain->extents,
					le64_get(was->offset), le64_get(was->size)))
			rc = diag_set(why, "out of memory");
		section.size = le64_get(was->size);
		if (!rc && i + 1 == BUNDLE_ROOTFS) {
			rc = pack_section(to, &packed, &section, threads, why);
			row->flags = le32_make(BUNDLE_DEFLATED);
		}
		const struct extents *stored =
			i + 1 == BUNDLE_ROOTFS ? &packed : &section;
		row->offset = le64_make(end);
		row->size = le64_make(stored->size);
		if (!rc && extents_append(&to->extents, end, stored))
			rc = diag_set(why, "out of memory");
		end += (stored->size + BUNDLE_BLOCK - 1) / BUNDLE_BLOCK * BUNDLE_BLOCK;
		extents_free(&section);
		extents_free(&packed);
	}
	to->extents.size = end;
	header->bundle_size = le64_make(end);
	sha256_of(header, offsetof(struct bundle_header, sha256), header->sha256);
	return rc;
}

/* bundle.c: putting a bundle together. */
#include <string.h>

#include "imgfmt/bundle.h"
#include "imgfmt/sha256.h"

static uint64_t round_up(uint64_t size)
{
	return (size + BUNDLE_BLOCK - 1) / BUNDLE_BLOCK * BUNDLE_BLOCK;
}

int bundle_write(struct bundle *bundle, const struct extents section[BUNDLE_MANIFEST],
		 struct diag *why)
{
	struct bundle_header *header = (void *)bundle->header;
	uint64_t end = BUNDLE_BLOCK;
	memset(bundle, 0, sizeof(*bundle));
	memcpy(header->magic, BUNDLE_MAGIC, sizeof(header->magic));
	header->version = le32_make(BUNDLE_VERSION);
	header->section_count = le32_make(BUNDLE_MANIFEST);
	int rc = extents_add(&bundle->extents, 0, bundle->header, sizeof(bundle->header));
	for (unsigned i = 0; !rc && i < BUNDLE_MANIFEST; i++) {
		struct bundle_section *row = &header->section[i];
		row->kind = le32_make(i + 1);
		row->offset = le64_make(end);
		row->size = le64_make(section[i].size);
		rc = extents_digest(&section[i], row->digest) ||
				     extents_append(&bundle->extents, end, &section[i])
			     ? -1
			     : 0;
		end += round_up(section[i].size);
	}
	bundle->extents.size = end;
	header->bundle_size = le64_make(end);
	sha256_of(header, offsetof(struct bundle_header, sha256), header->sha256);
	if (rc) {
		bundle_free(bundle);
		return diag_set(why, "out of memory");
	}
	return 0;
}

void bundle_free(struct bundle *bundle)
{
	extents_free(&bundle->extents);
	file_plan_free(&bundle->memory);
}

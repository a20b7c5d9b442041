/* layout_read.c: finding the parts of a disk by its partition table, believing nothing.
 */
#include <string.h>

#include "imgfmt/layout_read.h"

static const uint8_t bundle_type[16] = BUNDLE_GPT_TYPE;
static const uint8_t system_type[16] = GPT_TYPE_SYSTEM;
static const uint8_t boot_type[16] = GPT_TYPE_BIOS_BOOT;

int layout_find_bundle(const struct disk_view *disk, uint64_t *at, uint64_t *size,
		       struct diag *why)
{
	const char *reason = "";
	uint64_t first = 0, last = 0;
	int found = gpt_find(disk->bytes, (size_t)disk->size, bundle_type, &first, &last,
			     &reason);
	if (found < 0)
		return diag_set(why, "%s", reason);
	if (!found)
		return diag_set(why, "a disk without an elfpack bundle");
	*at = first * GPT_SECTOR;
	*size = (last - first + 1) * GPT_SECTOR;
	return 0;
}

bool layout_has_system_partition(const struct disk_view *disk)
{
	const char *reason = "";
	uint64_t first = 0, last = 0;
	return gpt_find(disk->bytes, (size_t)disk->size, system_type, &first, &last,
			&reason) == 1;
}

int layout_read_bundle(struct layout_parts *out, const uint8_t *bytes, uint64_t size,
		       struct diag *why)
{
	struct bundle *bundle = &out->bundle;
	if (size < sizeof(bundle->header))
		return diag_set(why, "shorter than a bundle's header");
	memcpy(bundle->header, bytes, sizeof(bundle->header));
	if (extents_add(&bundle->extents, 0, bundle->header, sizeof(bundle->header)) ||
	    extents_add(&bundle->extents, sizeof(bundle->header),
			bytes + sizeof(bundle->header),
			(size_t)size - sizeof(bundle->header)))
		return diag_set(why, "out of memory");
	out->parts.bundle = bundle;
	return 0;
}

int layout_read(struct layout_parts *out, const struct disk_view *disk,
		uint64_t bundle_size, struct diag *why)
{
	const char *reason = "";
	uint64_t at = 0, size = 0, first = 0, last = 0;
	uint64_t stage2_size = (uint64_t)BIOS_STAGE2_SECTORS * GPT_SECTOR;
	if (layout_find_bundle(disk, &at, &size, why))
		return -1;
	if (bundle_size > size)
		return diag_set(why, "the bundle is bigger than its partition");
	if (gpt_find(disk->bytes, (size_t)disk->size, boot_type, &first, &last,
		     &reason) != 1 ||
	    last - first + 1 < BIOS_STAGE2_SECTORS)
		return diag_set(why, "no partition with the BIOS second stage");
	if (layout_read_bundle(out, disk->bytes + at, bundle_size, why))
		return -1;
	out->parts.stage1 = disk->bytes;
	out->parts.stage1_size = BIOS_STAGE1_BYTES;
	out->parts.stage2 = disk->bytes + first * GPT_SECTOR;
	out->parts.stage2_size = (size_t)stage2_size;
	if (gpt_find(disk->bytes, (size_t)disk->size, system_type, &first, &last,
		     &reason) != 1)
		return 0;
	if (extents_add(&out->system, 0, disk->bytes + first * GPT_SECTOR,
			(size_t)((last - first + 1) * GPT_SECTOR)))
		return diag_set(why, "out of memory");
	out->parts.system_partition = &out->system;
	return 0;
}

void layout_parts_free(struct layout_parts *parts)
{
	extents_free(&parts->bundle.extents);
	extents_free(&parts->system);
}

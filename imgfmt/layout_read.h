/* layout_read.h: a disk that layout.c planned, taken apart into what it was planned from.
 */
#ifndef ELFPACK_LAYOUT_READ_H
#define ELFPACK_LAYOUT_READ_H

#include "imgfmt/disk_view.h"
#include "imgfmt/layout.h"

struct layout_parts {
	struct bundle bundle;
	struct extents system; /* empty: the disk has no EFI system partition */
	struct image_parts parts;
};

/* Where the bundle lies in a disk: *at, and bytes up to its partition's end. */
int layout_find_bundle(const struct disk_view *disk, uint64_t *at, uint64_t *size,
		       struct diag *why);
bool layout_has_system_partition(const struct disk_view *disk);

/* Points into the disk's bytes; parts points into out, which must not move. The bundle's
 * header must have been checked (bundle_open); bundle_size is what it says. */
int layout_read(struct layout_parts *out, const struct disk_view *disk,
		uint64_t bundle_size, struct diag *why);
/* The bundle alone, from its bytes; the other parts stay empty. */
int layout_read_bundle(struct layout_parts *out, const uint8_t *bytes, uint64_t size,
		       struct diag *why);
void layout_parts_free(struct layout_parts *parts);

#endif

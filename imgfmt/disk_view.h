/* disk_view.h: what a reader finds in an image file: a disk, or a bare bundle, as flat
 * memory. */
#ifndef ELFPACK_DISK_VIEW_H
#define ELFPACK_DISK_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imgfmt/diag.h"

/* More than this no file is believed to hold: an image is loaded whole when it boots. */
#define DISK_VIEW_MAX ((uint64_t)64 << 30)

struct disk_view {
	const uint8_t *bytes; /* in the file's own bytes, or in memory */
	uint64_t size;
	bool is_bundle;  /* not a disk */
	uint8_t *memory; /* where it is not in the file's bytes: size bytes, writable */
};

/* Makes room for a disk of zeros, which takes memory only where it is written. */
int disk_view_make(struct disk_view *view, uint64_t size, struct diag *why);
/* Copies to the memory of a view; what lies behind its end is cut off. Zeros are left
 * out. */
void disk_view_put(struct disk_view *view, uint64_t at, const void *bytes, size_t size);
void disk_view_free(struct disk_view *view);

#endif

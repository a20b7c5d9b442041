/* image.h: opening what `elfpack build` wrote, in any format. */
#ifndef ELFPACK_CLI_IMAGE_H
#define ELFPACK_CLI_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/bundle_read.h"
#include "imgfmt/diag.h"
#include "imgfmt/format.h"
#include "imgfmt/layout_read.h"
#include "imgfmt/manifest.h"

struct image {
	const char *path;
	const struct format *format;
	int fd;
	const uint8_t *file; /* mapped: the whole file */
	size_t file_size;
	struct disk_view view; /* what is in it: a disk, or the bundle alone */
	uint64_t bundle_at;    /* in the view */
	bool has_system_partition;
	struct bundle_view stored; /* as it lies in the view */
	struct bundle_view bundle; /* plain, unless opened as it is stored; section
				    * digests are not checked */
	struct disk_view plain;    /* memory of it, when it was stored deflated */
	struct manifest manifest;
};

/* An image is what is there and is no ELF file; anything else is a program. */
bool image_is_program(const char *word);
/* Both return an exit status; image_close in any case. As it is stored a bundle that is
 * deflated stays so: for who needs no byte of its files. */
int image_open(struct image *image, const char *path, struct diag *why);
int image_open_stored(struct image *image, const char *path, struct diag *why);
/* Every section as its builder wrote it: what is damaged is not passed on. 0 or -1. */
int image_check_sections(const struct image *image, struct diag *why);
/* What the image was made of, pointing into it; layout_parts_free in any case. Of an
 * image without a disk it is the bundle alone. */
int image_parts_of(struct layout_parts *parts, const struct image *image,
		   struct diag *why);
void image_close(struct image *image);

#endif

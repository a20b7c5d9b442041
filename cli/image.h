/* image.h: opening what `elfpack build` wrote: a raw disk, a pvh folder, or a bare
 * bundle. */
#ifndef ELFPACK_CLI_IMAGE_H
#define ELFPACK_CLI_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/bundle_read.h"
#include "imgfmt/diag.h"
#include "imgfmt/manifest.h"

enum image_format { IMAGE_RAW, IMAGE_PVH, IMAGE_BUNDLE };

struct image {
	const char *path;
	enum image_format format;
	int fd;               /* of the disk or the bundle */
	const uint8_t *bytes; /* mapped: the whole of that file */
	size_t size;
	uint64_t bundle_at; /* bytes from the start of the file */
	bool has_system_partition;
	struct bundle_view bundle; /* section digests are not checked */
	struct manifest manifest;
};

/* An image is what is there and is no ELF file; anything else is a program. */
bool image_is_program(const char *word);
/* Returns an exit status; image_close in any case. */
int image_open(struct image *image, const char *path, struct diag *why);
void image_close(struct image *image);
const char *image_format_name(enum image_format format);

#endif

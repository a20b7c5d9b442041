/* image_diff.h: what differs between two images, whatever their formats are. */
#ifndef ELFPACK_CLI_IMAGE_DIFF_H
#define ELFPACK_CLI_IMAGE_DIFF_H

#include "cli/image.h"

/* Prints the differences, as lines or as one JSON array. Returns 0: there are none, 1:
 * there are, -1: *why says what is wrong. */
int image_diff(const struct image *before, const struct image *after, bool json,
	       struct diag *why);

#endif

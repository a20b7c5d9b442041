/* bundle_unpack.h: a bundle with a deflated section (abi/bundle.h) made plain. Pure: host
 * and kernel, no allocation. The bytes may be anything. */
#ifndef ELFPACK_BUNDLE_UNPACK_H
#define ELFPACK_BUNDLE_UNPACK_H

#include "imgfmt/bundle_read.h"
#include "imgfmt/deflate_read.h"

/* The plain bundle's size; 0: the deflated section is damaged. */
uint64_t bundle_unpacked_size(const struct bundle_view *view);
/* Writes the plain bundle, which bundle_open takes, to so many bytes; view is of bytes,
 * which do not overlap with them. Returns 0, or -1 when the section is damaged. */
int bundle_unpack(void *to, const struct bundle_view *view, const void *bytes,
		  struct deflate_room *room);

#endif

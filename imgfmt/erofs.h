/* erofs.h: packing a tree into an EROFS file system: uncompressed, 4 KiB blocks; the
 * bytes are a function of the tree and the time alone. Reading is erofs_read.h's. */
#ifndef ELFPACK_EROFS_H
#define ELFPACK_EROFS_H

#include <stdint.h>

#include "imgfmt/diag.h"
#include "imgfmt/extents.h"
#include "imgfmt/tree.h"

struct erofs_image {
	struct extents extents; /* file contents are the tree's: keep it */
	uint8_t *metadata;      /* owned: superblock, inodes, folders, links */
	uint32_t inode_count;
	uint64_t bytes_shared; /* saved by storing equal contents once */
};

/* build_time: seconds, the mtime of everything. Returns 0 or -1. */
int erofs_write(struct erofs_image *image, struct tree *tree, uint64_t build_time,
		struct diag *why);
void erofs_image_free(struct erofs_image *image);

#endif

/* extract.h: an image's packed files into a folder of this machine. */
#ifndef ELFPACK_CLI_EXTRACT_H
#define ELFPACK_CLI_EXTRACT_H

#include "imgfmt/diag.h"
#include "imgfmt/erofs_read.h"

/* folder must not exist yet. Nothing outside of it is touched, whatever the names and
 * links in the image are. Returns 0 or -1. */
int extract_tree(const struct erofs *fs, const char *path, const char *folder,
		 struct diag *why);

/* Writes a file's bytes. */
int extract_bytes(const struct erofs *fs, const struct erofs_inode *inode, int to,
		  const char *name, struct diag *why);

#endif

/* image_tree.h: walking an image's packed file system, which may be damaged or hostile.
 */
#ifndef ELFPACK_CLI_IMAGE_TREE_H
#define ELFPACK_CLI_IMAGE_TREE_H

#include "imgfmt/diag.h"
#include "imgfmt/erofs_read.h"

struct image_file {
	const char *
		path; /* absolute, without the final slash of a folder; "" for the root */
	const char *name; /* its last component */
	struct erofs_inode inode;
};

/* Called before a folder's children. Returns 0 to go on, else the walk ends with that. */
typedef int image_visit(void *context, const struct image_file *file, struct diag *why);

struct image_walk {
	const struct erofs *fs;
	image_visit *enter;
	image_visit *leave; /* a folder, behind its children; NULL: not wanted */
	void *context;
	uint64_t left; /* filled by the walk: entries that can still be, in a file system
			  so big */
};

/* From a path on, with everything below. *why says what is damaged or missing. */
int image_walk(struct image_walk *walk, const char *path, struct diag *why);
/* A path to its inode; links are followed. */
int image_find(const struct erofs *fs, const char *path, struct erofs_inode *inode,
	       struct diag *why);
/* A link's target into out, NUL-terminated. */
int image_link_target(const struct erofs *fs, const struct erofs_inode *inode, char *out,
		      size_t room);

#endif

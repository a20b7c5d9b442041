/* path.h: walking to the parent of a last name, for calls that make or remove names. */
#ifndef SHIM_VFS_PATH_H
#define SHIM_VFS_PATH_H

#include "shim/vfs/inode.h"

enum path_last { LAST_NAME, LAST_DOT, LAST_DOT_DOT, LAST_ROOT };

struct path_parent {
	struct vnode *directory; /* counted */
	const char *name;        /* in the path handed in, or in a link of the walk */
	size_t size;
	enum path_last last;
	bool slash; /* slashes followed the name */
};

/* Finds where the last name would be, without following it. */
int path_parent(const struct path_context *context, const char *path, unsigned flags,
		struct path_parent *out);

/* Room for a path that a program named, most of the time without allocation. */
struct path_text {
	const char *text;
	char *large;
	char small[240];
};
int path_text_get(struct path_text *path, uaddr from); /* 0 or -errno */
void path_text_put(struct path_text *path);

#endif

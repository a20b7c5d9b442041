/* path_walk.h: a walk along a path, for path.c and path_open.c alone: open(2) goes on
 * where a link that is the last name leads. */
#ifndef SHIM_VFS_PATH_WALK_H
#define SHIM_VFS_PATH_WALK_H

#include "shim/vfs/path.h"

struct walk {
	const struct path_context *context;
	unsigned flags;
	struct vnode *top; /* what "/" means, and where ".." stays */
	struct vnode *at;  /* counted */
	const char *path;  /* what is left of the present text */
	const char *end;   /* of that text */
	unsigned links;    /* followed so far */
	unsigned depth;    /* links whose rest is still to be walked */
	bool slash;        /* slashes after the last component, of any text */
	struct {
		struct vnode *link;     /* counted: its text is being walked */
		const char *rest, *end; /* what comes after it */
	} outer[SYMLINKS_MAX];
};

/* 0 or -errno; then there is nothing to end. */
int walk_start(struct walk *walk, const struct path_context *context, const char *path,
	       unsigned flags);
/* Lets go of the links' texts; walk->at stays the caller's. */
void walk_end(struct walk *walk);
/* Walks to the parent of the last component of what is left. On success walk->at is it.
 */
int walk_to_parent(struct walk *walk, struct path_parent *out);
/* Goes on in the text of a link, or to where one of /proc leads. */
int walk_enter_link(struct walk *walk, struct vnode *link);

#endif

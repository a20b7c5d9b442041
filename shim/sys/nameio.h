/* sys/nameio.h: from a *at call's arguments to the file they name. */
#ifndef SHIM_SYS_NAMEIO_H
#define SHIM_SYS_NAMEIO_H

#include "shim/mm/usercopy.h"
#include "shim/vfs/file.h"
#include "shim/vfs/vnode.h"

/* From where a *at call starts. *base is to be put back when not NULL. */
int path_context_at(int directory, const char *path, struct path_context *out,
		    struct file **base);
/* *out with a reference. at_flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. -ENOENT for an
 * empty path on a file that has no vnode. */
int name_vnode(int directory, uaddr path, unsigned at_flags, struct vnode **out);

#endif

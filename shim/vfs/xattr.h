/* xattr.h: extended attributes of a job's files. */
#ifndef SHIM_VFS_XATTR_H
#define SHIM_VFS_XATTR_H

#include <stddef.h>

struct vnode;
struct xattr;

#define XATTR_CREATE   1u
#define XATTR_REPLACE  2u
#define XATTR_NAME_MAX 255u
#define XATTR_SIZE_MAX 65536u

/* As the system calls of these names on a vnode; buffers are the kernel's. */
long xattr_get(struct vnode *vnode, const char *name, void *out, size_t room);
long xattr_list(struct vnode *vnode, char *out, size_t room);
int xattr_set(struct vnode *vnode, const char *name, const void *value, size_t size,
	      unsigned flags);
int xattr_remove(struct vnode *vnode, const char *name);
void xattr_free(struct xattr *first);

#endif

/* xattr.c: extended attributes: short lists kept with a node in the upper layer. */
#include "shim/vfs/xattr.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/vfs/jobfs.h"

struct xattr {
	struct xattr *next;
	size_t size;
	size_t name_size;
	char name[]; /* with its NUL, then the value */
};

/* user. only on files and directories, as xattr(7) has it; system. is nobody's here. */
static int check(const struct vnode *vnode, const char *name, bool write)
{
	bool user = strncmp(name, "user.", 5) == 0;
	bool known = user || strncmp(name, "trusted.", 8) == 0 ||
		     strncmp(name, "security.", 9) == 0;
	if (vnode->ops != &jobfs_ops || !known)
		return -EOPNOTSUPP;
	if (user && !mode_is(vnode->mode, S_IFREG) && !vnode_is_directory(vnode))
		return write ? -EPERM : -ENODATA;
	return 0;
}

static struct xattr **find(struct vnode *vnode, const char *name)
{
	struct xattr **at = &node_of(vnode)->xattrs;
	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

long xattr_get(struct vnode *vnode, const char *name, void *out, size_t room)
{
	int rc = check(vnode, name, false);
	if (rc < 0)
		return rc;
	const struct xattr *attribute = *find(vnode, name);
	if (!attribute)
		return -ENODATA;
	if (room == 0)
		return (long)attribute->size;
	if (attribute->size > room)
		return -ERANGE;
	memcpy(out, attribute->name + attribute->name_size, attribute->size);
	return (long)attribute->size;
}

long xattr_list(struct vnode *vnode, char *out, size_t room)
{
	size_t used = 0;
	if (vnode->ops != &jobfs_ops)
		return -EOPNOTSUPP;
	for (const struct xattr *a = node_of(vnode)->xattrs; a; a = a->next) {
		if (room && used + a->name_size > room)
			return -ERANGE;
		if (room)
			memcpy(out + used, a->name, a->name_size);
		used += a->name_size;
	}
	return (long)used;
}

int xattr_set(struct vnode *vnode, const char *name, const void *value, size_t size,
	      unsigned flags)
{
	int rc = check(vnode, name, true);
	if (rc < 0)
		return rc;
	struct xattr **at = find(vnode, name), *old = *at;
	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	size_t name_size = strlen(name) + 1;
	struct xattr *made =
		kzalloc(vnode->root->account, sizeof(*made) + name_size + size);
	if (!made)
		return -ENOMEM;
	made->size = size;
	made->name_size = name_size;
	memcpy(made->name, name, name_size);
	memcpy(made->name + name_size, value, size);
	made->next = old ? old->next : NULL;
	*at = made;
	kfree(old);
	node_of(vnode)->ctime_ns = time_now_ns();
	node_changed(node_of(vnode));
	return 0;
}

int xattr_remove(struct vnode *vnode, const char *name)
{
	int rc = check(vnode, name, true);
	if (rc < 0)
		return rc;
	struct xattr **at = find(vnode, name), *old = *at;
	if (!old)
		return -ENODATA;
	*at = old->next;
	kfree(old);
	node_of(vnode)->ctime_ns = time_now_ns();
	node_changed(node_of(vnode));
	return 0;
}

void xattr_free(struct xattr *first)
{
	while (first) {
		struct xattr *next = first->next;
		kfree(first);
		first = next;
	}
}

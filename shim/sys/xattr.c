/* sys/xattr.c: system calls of extended attributes. */
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/xattr.h"

/* The three forms of each call differ in how they name the file. */
enum form { BY_PATH, BY_LINK, BY_FILE };

static int find(const struct sysargs *a, enum form form, struct vnode **out)
{
	if (form != BY_FILE)
		return name_vnode(AT_FDCWD, arg_user(a, 0),
				  form == BY_LINK ? AT_SYMLINK_NOFOLLOW : 0, out);
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	if (!file->vnode) {
		file_put(file);
		return -EOPNOTSUPP;
	}
	*out = file->vnode;
	vnode_get(*out);
	file_put(file);
	return 0;
}

static long name_get(char *name, uaddr from)
{
	long size = copy_string_from_user(name, from, XATTR_NAME_MAX + 1);
	return size == -ENAMETOOLONG || size == 0 ? -ERANGE : size < 0 ? size : 0;
}

static long set(const struct sysargs *a, enum form form)
{
	char name[XATTR_NAME_MAX + 1];
	struct vnode *vnode;
	uint64_t size = a->arg[3];
	if (a->arg[4] & ~(uint64_t)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	long rc = name_get(name, arg_user(a, 1));
	if (rc < 0)
		return rc;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	void *value = kmalloc(&job_current()->account, size ? size : 1);
	if (!value)
		return -ENOMEM;
	rc = copy_from_user(value, arg_user(a, 2), size);
	if (rc == 0)
		rc = find(a, form, &vnode);
	if (rc == 0) {
		rc = xattr_set(vnode, name, value, size, (unsigned)a->arg[4]);
		vnode_put(vnode);
	}
	kfree(value);
	return rc;
}

/* get and list: name NULL lists. */
static long read_out(const struct sysargs *a, enum form form, const char *name, int at)
{
	struct vnode *vnode;
	uint64_t room = a->arg[at + 1] < XATTR_SIZE_MAX ? a->arg[at + 1] : XATTR_SIZE_MAX;
	void *out = room ? kmalloc(&job_current()->account, room) : NULL;
	if (room && !out)
		return -ENOMEM;
	long rc = find(a, form, &vnode);
	if (rc == 0) {
		rc = name ? xattr_get(vnode, name, out, room)
			  : xattr_list(vnode, out, room);
		vnode_put(vnode);
	}
	if (rc > 0 && room && copy_to_user(arg_user(a, at), out, (size_t)rc) < 0)
		rc = -EFAULT;
	kfree(out);
	return rc;
}

static long get(const struct sysargs *a, enum form form)
{
	char name[XATTR_NAME_MAX + 1];
	long rc = name_get(name, arg_user(a, 1));
	return rc < 0 ? rc : read_out(a, form, name, 2);
}

static long list(const struct sysargs *a, enum form form)
{
	return read_out(a, form, NULL, 1);
}

static long remove_one(const struct sysargs *a, enum form form)
{
	char name[XATTR_NAME_MAX + 1];
	struct vnode *vnode;
	long rc = name_get(name, arg_user(a, 1));
	if (rc == 0)
		rc = find(a, form, &vnode);
	if (rc < 0)
		return rc;
	rc = xattr_remove(vnode, name);
	vnode_put(vnode);
	return rc;
}

#define THREE_FORMS(name, does)                                                          \
	long sys_##name(const struct sysargs *a)                                         \
	{                                                                                \
		return does(a, BY_PATH);                                                 \
	}                                                                                \
	long sys_l##name(const struct sysargs *a)                                        \
	{                                                                                \
		return does(a, BY_LINK);                                                 \
	}                                                                                \
	long sys_f##name(const struct sysargs *a)                                        \
	{                                                                                \
		return does(a, BY_FILE);                                                 \
	}
THREE_FORMS(setxattr, set)
THREE_FORMS(getxattr, get)
THREE_FORMS(listxattr, list)
THREE_FORMS(removexattr, remove_one)

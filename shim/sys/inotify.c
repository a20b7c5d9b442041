/* sys/inotify.c: system calls of inotify. */
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/inotify.h"

static long inotify_new(unsigned flags)
{
	struct file *file;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int rc = inotify_make(flags & O_NONBLOCK, &file);
	return rc < 0 ? rc : descriptor_install(file, flags & O_CLOEXEC);
}

long sys_inotify_init(const struct sysargs *a)
{
	(void)a;
	return inotify_new(0);
}

long sys_inotify_init1(const struct sysargs *a)
{
	return inotify_new((unsigned)a->arg[0]);
}

#define IN_ONLYDIR     (1u << 24)
#define IN_DONT_FOLLOW (1u << 25)

long sys_inotify_add_watch(const struct sysargs *a)
{
	uint32_t mask = (uint32_t)a->arg[2];
	struct vnode *vnode;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = name_vnode(AT_FDCWD, arg_user(a, 1),
			     mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &vnode);
	if (rc == 0) {
		bool directory = (vnode_mode(vnode) & S_IFMT) == S_IFDIR;
		rc = (mask & IN_ONLYDIR) && !directory ? -ENOTDIR
						       : inotify_watch(file, vnode, mask);
		vnode_put(vnode);
	}
	file_put(file);
	return rc;
}

long sys_inotify_rm_watch(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = inotify_unwatch(file, (int)a->arg[1]);
	file_put(file);
	return rc;
}

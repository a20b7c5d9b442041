/* sys/cwd.c: what a process' names are seen from, and made with: the working directory
 * and umask. */
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"
#include "shim/vfs/inode.h"

static long change_directory(struct vnode *vnode)
{
	struct process *process = process_current();
	if (!vnode_is_directory(vnode) || vnode->root != process->job->rootfs)
		return -ENOTDIR;
	struct vnode *old = process->fs->cwd;
	vnode_get(vnode);
	process->fs->cwd = vnode;
	vnode_put(old);
	return 0;
}

long sys_chdir(const struct sysargs *a)
{
	struct vnode *vnode;
	int rc = name_vnode(AT_FDCWD, arg_user(a, 0), 0, &vnode);
	if (rc < 0)
		return rc;
	long result = change_directory(vnode);
	vnode_put(vnode);
	return result;
}

long sys_fchdir(const struct sysargs *a)
{
	struct file *file = file_or_path_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = file->vnode ? change_directory(file->vnode) : -ENOTDIR;
	file_put(file);
	return rc;
}

long sys_getcwd(const struct sysargs *a)
{
	struct process *process = process_current();
	char *path = kmalloc(&process->job->account, PATH_MAX);
	if (!path)
		return -ENOMEM;
	long rc = vnode_path(process->job->rootfs, process->fs->cwd, path, PATH_MAX);
	if (rc == 0) {
		size_t size = strlen(path) + 1;
		rc = size > a->arg[1]                               ? -ERANGE
		     : copy_to_user(arg_user(a, 0), path, size) < 0 ? -EFAULT
								    : (long)size;
	}
	kfree(path);
	return rc;
}

long sys_umask(const struct sysargs *a)
{
	struct fs_state *fs = process_current()->fs;
	uint32_t old = fs->umask;
	fs->umask = (uint32_t)a->arg[0] & 0777;
	return old;
}

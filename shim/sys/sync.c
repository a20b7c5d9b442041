/* sys/sync.c: the calls that are about a disk, which there is none of: fsync and its kin,
 * and advice on what to read soon. */
#include "shim/sys/fileio.h"
#include "shim/vfs/inode.h"

/* Files are memory: what was written is as safe as it will ever be. */
long sys_fsync(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = file->vnode ? 0 : -EINVAL;
	file_put(file);
	return rc;
}

long sys_fdatasync(const struct sysargs *a)
{
	return sys_fsync(a);
}

long sys_sync(const struct sysargs *a)
{
	(void)a;
	return 0;
}

long sys_syncfs(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	file_put(file);
	return 0;
}

static long advise(const struct sysargs *a, bool readahead)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = 0;
	if (readahead)
		rc = !file_reads(file) ? -EBADF : file->vnode ? 0 : -EINVAL;
	else if (!file_seeks(file))
		rc = -ESPIPE;
	else if ((int64_t)a->arg[2] < 0 || a->arg[3] > 5)
		rc = -EINVAL;
	file_put(file);
	return rc;
}

long sys_fadvise64(const struct sysargs *a)
{
	return advise(a, false);
}

long sys_readahead(const struct sysargs *a)
{
	return advise(a, true);
}

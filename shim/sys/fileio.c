/* sys/fileio.c: from descriptors to files and back, and one read or write of a file. */
#include "shim/sys/fileio.h"

#include "shim/proc/process.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/async.h"

struct file *file_or_path_of(const struct sysargs *a, int n)
{
	return fdtable_lookup(process_current()->fds, (int)a->arg[n]);
}

struct file *file_of(const struct sysargs *a, int n)
{
	struct file *file = file_or_path_of(a, n);
	if (!file || !(file->flags & O_PATH))
		return file;
	file_put(file);
	return NULL;
}

bool file_reads(const struct file *file)
{
	return !(file->flags & O_PATH) && (file->flags & O_ACCMODE) != O_WRONLY;
}

bool file_writes(const struct file *file)
{
	return !(file->flags & O_PATH) && (file->flags & O_ACCMODE) != O_RDONLY;
}

bool file_seeks(const struct file *file)
{
	return file->ops->seek != NULL;
}

long file_transfer(struct file *file, struct uio *uio, uint64_t *pos, bool write)
{
	if (!(write ? file_writes(file) : file_reads(file)))
		return -EBADF;
	long (*move)(struct file *, struct uio *, uint64_t *) =
		write ? file->ops->write : file->ops->read;
	if (!move)
		return -EINVAL;
	long rc = move(file, uio, pos);
	if (write && rc == -EAGAIN)
		async_no_room(file);
	return rc;
}

long descriptor_install(struct file *file, bool cloexec)
{
	int fd = fdtable_install(process_current()->fds, file, 0, cloexec);
	if (fd < 0)
		file_put(file);
	return fd;
}

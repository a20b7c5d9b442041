/* sys/file.c: system calls on descriptors: reading, writing, duplicating, closing. */
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/file.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/memfd.h"
#include "shim/vfs/path.h"
#include "shim/vfs/pipe.h"
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"

#define IO_BYTES_MAX 0x7ffff000ull /* MAX_RW_COUNT */

#define FIOCLEX  0x5451u
#define FIONCLEX 0x5450u
#define FIONBIO  0x5421u
#define FIOASYNC 0x5452u

#define RWF_HIPRI  1u
#define RWF_DSYNC  2u
#define RWF_SYNC   4u
#define RWF_NOWAIT 8u
#define RWF_APPEND 16u

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
	return move(file, uio, pos);
}

static long at_own_position(struct file *file, struct uio *uio, bool write)
{
	uint64_t pos = file->offset;
	long rc = file_transfer(file, uio, &pos, write);
	if (rc > 0)
		file->offset = pos;
	return rc;
}

static long at_position(struct file *file, struct uio *uio, int64_t offset, bool write)
{
	uint64_t pos = (uint64_t)offset;
	if (offset < 0)
		return -EINVAL;
	if (!file_seeks(file))
		return -ESPIPE;
	return file_transfer(file, uio, &pos, write);
}

static uint64_t io_size(uint64_t size)
{
	return size < IO_BYTES_MAX ? size : IO_BYTES_MAX;
}

static long transfer(const struct sysargs *a, bool write)
{
	struct file *file = file_of(a, 0);
	struct uio_segment segment;
	struct uio uio;
	if (!file)
		return -EBADF;
	long rc = -EINVAL;
	if ((int64_t)a->arg[2] >= 0) {
		uio_user(&uio, &segment, arg_user(a, 1), io_size(a->arg[2]));
		rc = at_own_position(file, &uio, write);
	}
	file_put(file);
	return rc;
}

long sys_read(const struct sysargs *a)
{
	return transfer(a, false);
}

long sys_write(const struct sysargs *a)
{
	return transfer(a, true);
}

static long transfer_at(const struct sysargs *a, bool write)
{
	struct uio_segment segment;
	struct uio uio;
	if ((int64_t)a->arg[3] < 0)
		return -EINVAL;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	uio_user(&uio, &segment, arg_user(a, 1), io_size(a->arg[2]));
	long rc = at_position(file, &uio, (int64_t)a->arg[3], write);
	file_put(file);
	return rc;
}

long sys_pread64(const struct sysargs *a)
{
	return transfer_at(a, false);
}

long sys_pwrite64(const struct sysargs *a)
{
	return transfer_at(a, true);
}

/* Vectors. Few pieces, as nearly always, need no allocation. */
#define SEGMENTS_SMALL 8u

struct vector {
	struct uio uio;
	struct uio_segment small[SEGMENTS_SMALL];
	struct uio_segment *large;
};

static int vector_get(struct vector *v, uaddr from, uint64_t count)
{
	struct uio_segment *segment = v->small;
	v->large = NULL;
	v->uio = (struct uio){.count = (uint32_t)count};
	if (count > UIO_SEGMENTS_MAX)
		return -EINVAL;
	if (count > SEGMENTS_SMALL) {
		v->large = kmalloc(&job_current()->account, count * sizeof(*segment));
		if (!v->large)
			return -ENOMEM;
		segment = v->large;
	}
	int rc = copy_from_user(segment, from, count * sizeof(*segment));
	for (uint64_t i = 0; rc == 0 && i < count; i++) {
		if ((int64_t)segment[i].size < 0)
			rc = -EINVAL;
		if (segment[i].size > IO_BYTES_MAX - v->uio.left)
			segment[i].size = IO_BYTES_MAX - v->uio.left;
		v->uio.left += segment[i].size;
	}
	v->uio.segment = segment;
	if (rc < 0)
		kfree(v->large);
	return rc;
}

/* offset -1: the file's own position. */
static long vector_call(const struct sysargs *a, bool write, int64_t offset,
			unsigned flags)
{
	struct vector v;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND)) {
		file_put(file);
		return -EOPNOTSUPP;
	}
	long rc = vector_get(&v, arg_user(a, 1), a->arg[2]);
	if (rc == 0) {
		v.uio.flags = (flags & RWF_NOWAIT ? O_NONBLOCK : 0) |
			      (flags & RWF_APPEND ? O_APPEND : 0);
		rc = offset == -1 ? at_own_position(file, &v.uio, write)
				  : at_position(file, &v.uio, offset, write);
		kfree(v.large);
	}
	file_put(file);
	return rc;
}

long sys_readv(const struct sysargs *a)
{
	return vector_call(a, false, -1, 0);
}

long sys_writev(const struct sysargs *a)
{
	return vector_call(a, true, -1, 0);
}

long sys_preadv(const struct sysargs *a)
{
	return (int64_t)a->arg[3] < 0 ? -EINVAL
				      : vector_call(a, false, (int64_t)a->arg[3], 0);
}

long sys_pwritev(const struct sysargs *a)
{
	return (int64_t)a->arg[3] < 0 ? -EINVAL
				      : vector_call(a, true, (int64_t)a->arg[3], 0);
}

long sys_preadv2(const struct sysargs *a)
{
	return (int64_t)a->arg[3] < -1
		       ? -EINVAL
		       : vector_call(a, false, (int64_t)a->arg[3], (unsigned)a->arg[5]);
}

long sys_pwritev2(const struct sysargs *a)
{
	return (int64_t)a->arg[3] < -1
		       ? -EINVAL
		       : vector_call(a, true, (int64_t)a->arg[3], (unsigned)a->arg[5]);
}

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL      15u

/* The pages are copied, as Linux does where it cannot lend them. */
long sys_vmsplice(const struct sysargs *a)
{
	struct vector v;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = (uint32_t)a->arg[3] & ~SPLICE_F_ALL ? -EINVAL
		  : pipe_is(file)                     ? 0
						      : -EBADF;
	if (rc == 0)
		rc = vector_get(&v, arg_user(a, 1), a->arg[2]);
	if (rc == 0) {
		v.uio.flags = a->arg[3] & SPLICE_F_NONBLOCK ? O_NONBLOCK : 0;
		rc = at_own_position(file, &v.uio, file_writes(file));
		kfree(v.large);
	}
	file_put(file);
	return rc;
}

long sys_lseek(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = file->ops->seek
			  ? file->ops->seek(file, (int64_t)a->arg[1], (int)a->arg[2])
			  : -ESPIPE;
	file_put(file);
	return rc;
}

long sys_ioctl(const struct sysargs *a)
{
	struct fdtable *fds = process_current()->fds;
	struct file *file = file_of(a, 0);
	uint32_t command = (uint32_t)a->arg[1];
	uint32_t on = 0;
	if (!file)
		return -EBADF;
	long rc = 0;
	if (command == FIOCLEX || command == FIONCLEX) {
		rc = fdtable_cloexec_set(fds, (int)a->arg[0], command == FIOCLEX);
	} else if (command == FIONBIO || command == FIOASYNC) {
		rc = copy_from_user(&on, arg_user(a, 2), sizeof(on));
		if (rc == 0 && command == FIOASYNC)
			rc = on ? -ENOTTY : 0; /* no file sends signals */
		else if (rc == 0)
			file->flags =
				on ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK;
	} else {
		rc = file->ops->ioctl ? file->ops->ioctl(file, command, a->arg[2])
				      : -ENOTTY;
	}
	file_put(file);
	return rc;
}

long sys_close(const struct sysargs *a)
{
	return fdtable_close(process_current()->fds, (int)a->arg[0]);
}

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

long sys_close_range(const struct sysargs *a)
{
	struct process *process = process_current();
	uint32_t first = (uint32_t)a->arg[0], last = (uint32_t)a->arg[1];
	unsigned flags = (unsigned)a->arg[2];
	if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		struct fdtable *own = fdtable_copy(&process->job->account, process->fds);
		if (!own)
			return -ENOMEM;
		struct fdtable *shared = process->fds;
		process->fds = own;
		fdtable_put(shared);
	}
	if (first > INT32_MAX)
		return 0;
	for (int fd = fdtable_next(process->fds, (int)first);
	     fd >= 0 && (uint32_t)fd <= last; fd = fdtable_next(process->fds, fd + 1)) {
		if (flags & CLOSE_RANGE_CLOEXEC)
			fdtable_cloexec_set(process->fds, fd, true);
		else
			fdtable_close(process->fds, fd);
	}
	return 0;
}

long descriptor_install(struct file *file, bool cloexec)
{
	int fd = fdtable_install(process_current()->fds, file, 0, cloexec);
	if (fd < 0)
		file_put(file);
	return fd;
}

long sys_dup(const struct sysargs *a)
{
	struct file *file = file_or_path_of(a, 0);
	return file ? descriptor_install(file, false) : -EBADF;
}

static long duplicate_to(struct file *file, int fd, bool cloexec)
{
	int rc = fdtable_install_at(process_current()->fds, file, fd, cloexec);
	if (rc < 0)
		file_put(file);
	return rc < 0 ? rc : fd;
}

long sys_dup2(const struct sysargs *a)
{
	struct file *file = file_or_path_of(a, 0);
	if (!file)
		return -EBADF;
	if ((int)a->arg[0] == (int)a->arg[1]) {
		file_put(file);
		return (int)a->arg[1];
	}
	return duplicate_to(file, (int)a->arg[1], false);
}

long sys_dup3(const struct sysargs *a)
{
	if ((a->arg[2] & ~(uint64_t)O_CLOEXEC) || (int)a->arg[0] == (int)a->arg[1])
		return -EINVAL;
	struct file *file = file_or_path_of(a, 0);
	return file ? duplicate_to(file, (int)a->arg[1], a->arg[2] & O_CLOEXEC) : -EBADF;
}

/* Opening. */

long open_at(int directory, uaddr user_path, unsigned oflags, uint32_t mode,
	     unsigned flags)
{
	struct process *process = process_current();
	struct path_text path;
	struct path_context context;
	struct file *base = NULL, *file;
	long rc = path_check_open(oflags);
	if (rc == 0)
		rc = path_text_get(&path, user_path);
	if (rc < 0)
		return rc;
	/* Inside directory, an absolute path begins there too. */
	rc = path_context_at(directory, flags & PATH_IN_ROOT ? "." : path.text, &context,
			     &base);
	if (rc == 0)
		rc = path_open(&context, path.text, flags, (int)oflags,
			       mode & ~process->fs->umask, &file);
	if (base)
		file_put(base);
	path_text_put(&path);
	return rc < 0 ? rc : descriptor_install(file, oflags & O_CLOEXEC);
}

long sys_open(const struct sysargs *a)
{
	return open_at(AT_FDCWD, arg_user(a, 0), (unsigned)a->arg[1] | O_LARGEFILE,
		       (uint32_t)a->arg[2], 0);
}

long sys_creat(const struct sysargs *a)
{
	return open_at(AT_FDCWD, arg_user(a, 0),
		       O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, (uint32_t)a->arg[1],
		       0);
}

long sys_openat(const struct sysargs *a)
{
	return open_at((int)a->arg[0], arg_user(a, 1), (unsigned)a->arg[2] | O_LARGEFILE,
		       (uint32_t)a->arg[3], 0);
}

enum {
	RESOLVE_NO_XDEV = 1,
	RESOLVE_NO_MAGICLINKS = 2,
	RESOLVE_NO_SYMLINKS = 4,
	RESOLVE_BENEATH = 8,
	RESOLVE_IN_ROOT = 16,
	RESOLVE_CACHED = 32,
	RESOLVE_ALL = 63,
};
#define O_KNOWN 037777703u

struct open_how {
	uint64_t flags, mode, resolve;
};

/* PATH_* for RESOLVE_*. What is in memory, and everything is, is RESOLVE_CACHED. */
static unsigned resolve_flags(uint64_t resolve)
{
	static const unsigned as_path[] = {PATH_NO_XDEV, PATH_NO_MAGIC, PATH_NO_SYMLINKS,
					   PATH_BENEATH, PATH_IN_ROOT};
	unsigned flags = 0;
	for (unsigned i = 0; i < sizeof(as_path) / sizeof(as_path[0]); i++)
		if (resolve >> i & 1)
			flags |= as_path[i];
	return flags;
}

static int open_how_check(const struct open_how *how)
{
	bool creates = how->flags & (O_CREAT | O_TMPFILE_BIT);
	uint64_t inside = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
	if ((how->flags & ~(uint64_t)O_KNOWN) ||
	    (how->resolve & ~(uint64_t)RESOLVE_ALL) ||
	    (how->mode & ~(uint64_t)MODE_BITS) || (how->mode && !creates) ||
	    (how->resolve & inside) == inside)
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) && (creates || (how->flags & O_TRUNC)))
		return -EAGAIN;
	return 0;
}

long sys_openat2(const struct sysargs *a)
{
	struct open_how how;
	if (a->arg[3] < sizeof(how))
		return -EINVAL;
	if (a->arg[3] > PAGE_SIZE)
		return -E2BIG;
	for (uint64_t at = sizeof(how); at < a->arg[3]; at += 8) {
		uint64_t rest = 0, n = a->arg[3] - at;
		if (copy_from_user(&rest, uaddr_add(arg_user(a, 2), at), n < 8 ? n : 8) <
		    0)
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	if (copy_from_user(&how, arg_user(a, 2), sizeof(how)) < 0)
		return -EFAULT;
	int rc = open_how_check(&how);
	return rc < 0 ? rc
		      : open_at((int)a->arg[0], arg_user(a, 1), (unsigned)how.flags,
				(uint32_t)how.mode, resolve_flags(how.resolve));
}

long sys_memfd_create(const struct sysargs *a)
{
	char name[250];
	unsigned flags = (unsigned)a->arg[1];
	struct file *file;
	if (flags & ~0x1fu)
		return -EINVAL;
	long size = copy_string_from_user(name, arg_user(a, 0), sizeof(name));
	if (size < 0)
		return size == -ENAMETOOLONG ? -EINVAL : size;
	int rc = memfd_make(flags & 2, O_RDWR | O_LARGEFILE, &file);
	return rc < 0 ? rc : descriptor_install(file, flags & 1);
}

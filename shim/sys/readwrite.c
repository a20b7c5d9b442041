/* sys/readwrite.c: reading and writing: one piece of memory or many, at the file's own
 * position or a given one. */
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/pipe.h"

#define RWF_HIPRI  1u
#define RWF_DSYNC  2u
#define RWF_SYNC   4u
#define RWF_NOWAIT 8u
#define RWF_APPEND 16u

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

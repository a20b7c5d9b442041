/* sys/splice.c: bytes from file to file, past the memory of the program: sendfile,
 * copy_file_range, splice, tee. */
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/pipe.h"

struct copy_end {
	struct file *file;
	uint64_t pos;
	uaddr user; /* where the position is read from and stored; 0: the file's own */
	bool own;
};

static int copy_end_get(struct copy_end *end, uaddr user)
{
	end->user = user;
	end->own = uaddr_is_null(user);
	end->pos = end->file->offset;
	if (end->own)
		return 0;
	if (!file_seeks(end->file))
		return -ESPIPE;
	if (copy_from_user(&end->pos, user, sizeof(end->pos)) < 0)
		return -EFAULT;
	return (int64_t)end->pos < 0 ? -EINVAL : 0;
}

static int copy_end_put(struct copy_end *end)
{
	if (!end->own)
		return copy_to_user(end->user, &end->pos, sizeof(end->pos));
	end->file->offset = end->pos;
	return 0;
}

/* Moves up to size bytes by way of a page; what the writer did not take is not consumed
 * when the reader can go back, else it is written whole. */
static long copy_bytes(struct copy_end *in, struct copy_end *out, uint64_t size,
		       bool nonblock)
{
	struct page *page = page_alloc(&job_current()->account, 0, false);
	long done = 0, rc = 0;
	if (!page)
		return -ENOMEM;
	while (size) {
		struct uio_segment segment;
		struct uio uio;
		uint64_t before = in->pos, n = size < PAGE_SIZE ? size : PAGE_SIZE;
		uio_kernel(&uio, &segment, page_va(page), n);
		uio.flags = nonblock || done ? O_NONBLOCK : 0;
		rc = file_transfer(in->file, &uio, &in->pos, false);
		if (rc <= 0)
			break;
		uint64_t got = (uint64_t)rc;
		uio_kernel(&uio, &segment, page_va(page), got);
		rc = file_transfer(out->file, &uio, &out->pos, true);
		uint64_t put = rc < 0 ? 0 : (uint64_t)rc;
		if (put < got && file_seeks(in->file))
			in->pos = before + put;
		done += (long)put;
		size -= put;
		if (rc < 0 || put < got)
			break;
		if (done % (256 * (long)PAGE_SIZE) == 0)
			thread_yield();
	}
	page_put(page);
	return done ? done : rc;
}

static void copy_ends_put(struct copy_end *in, struct copy_end *out)
{
	if (in->file)
		file_put(in->file);
	if (out->file)
		file_put(out->file);
}

static long copy_between(struct copy_end *in, uaddr in_at, struct copy_end *out,
			 uaddr out_at, uint64_t size, bool nonblock)
{
	long rc = -EBADF;
	if (!in->file || !out->file || !file_reads(in->file) || !file_writes(out->file))
		goto out;
	rc = copy_end_get(in, in_at);
	if (rc == 0)
		rc = copy_end_get(out, out_at);
	if (rc == 0) {
		if (size > 0x7ffff000)
			size = 0x7ffff000;
		rc = copy_bytes(in, out, size, nonblock);
		if (rc >= 0 && (copy_end_put(in) < 0 || copy_end_put(out) < 0))
			rc = -EFAULT;
	}
out:
	copy_ends_put(in, out);
	return rc;
}

static bool is_type(const struct file *file, uint32_t type)
{
	return file->vnode && mode_is(vnode_mode(file->vnode), type);
}

/* From what can seek, but has more than entries, to what is not appended to: in the order
 * of Linux' do_sendfile. */
static int check_sendfile(const struct file *in, const struct file *out, bool at_position,
			  uint64_t size)
{
	if (!in || !file_reads(in))
		return -EBADF;
	if (at_position && !file_seeks(in))
		return -ESPIPE;
	if (!out || !file_writes(out))
		return -EBADF;
	if (!pipe_is(out) && ((out->flags & O_APPEND) || !file_seeks(in)))
		return -EINVAL;
	return size && (!file_seeks(in) || is_type(in, S_IFDIR)) ? -EINVAL : 0;
}

long sys_sendfile(const struct sysargs *a)
{
	struct copy_end out = {.file = file_of(a, 0)}, in = {.file = file_of(a, 1)};
	int rc = check_sendfile(in.file, out.file, a->arg[2], a->arg[3]);
	if (rc == 0)
		return copy_between(&in, arg_user(a, 2), &out, (uaddr){0}, a->arg[3],
				    false);
	copy_ends_put(&in, &out);
	return rc;
}

/* As Linux' generic_copy_file_checks has it. */
static int check_copy(const struct copy_end *in, const struct copy_end *out,
		      uint64_t *size)
{
	if (is_type(in->file, S_IFDIR) || is_type(out->file, S_IFDIR))
		return -EISDIR;
	if (!is_type(in->file, S_IFREG) || !is_type(out->file, S_IFREG))
		return -EINVAL;
	if (!file_reads(in->file) || !file_writes(out->file) ||
	    (out->file->flags & O_APPEND))
		return -EBADF;
	uint64_t left = vnode_size(in->file->vnode);
	left = left > in->pos ? left - in->pos : 0;
	if (*size > left)
		*size = left;
	bool overlap = in->pos < out->pos + *size && out->pos < in->pos + *size;
	return in->file->vnode == out->file->vnode && overlap ? -EINVAL : 0;
}

long sys_copy_file_range(const struct sysargs *a)
{
	struct copy_end in = {.file = file_of(a, 0)}, out = {.file = file_of(a, 2)};
	uint64_t size = a->arg[4];
	long rc = in.file && out.file ? 0 : -EBADF;
	if (rc == 0 && file_seeks(in.file))
		rc = copy_end_get(&in, arg_user(a, 1));
	if (rc == 0 && file_seeks(out.file))
		rc = copy_end_get(&out, arg_user(a, 3));
	if (rc == 0)
		rc = a->arg[5] ? -EINVAL : check_copy(&in, &out, &size);
	if (rc == 0)
		return copy_between(&in, arg_user(a, 1), &out, arg_user(a, 3), size,
				    false);
	copy_ends_put(&in, &out);
	return rc;
}

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL      15u

long sys_splice(const struct sysargs *a)
{
	if (a->arg[5] & ~(uint64_t)SPLICE_F_ALL)
		return -EINVAL;
	struct copy_end in = {.file = file_of(a, 0)}, out = {.file = file_of(a, 2)};
	if (in.file && out.file && !pipe_is(in.file) && !pipe_is(out.file)) {
		file_put(in.file);
		file_put(out.file);
		return -EINVAL;
	}
	return copy_between(&in, arg_user(a, 1), &out, arg_user(a, 3), a->arg[4],
			    a->arg[5] & SPLICE_F_NONBLOCK);
}

long sys_tee(const struct sysargs *a)
{
	if (a->arg[3] & ~(uint64_t)SPLICE_F_ALL)
		return -EINVAL;
	struct file *in = file_of(a, 0), *out = file_of(a, 1);
	long rc = -EBADF;
	if (in && out && file_reads(in) && file_writes(out))
		rc = pipe_is(in) && pipe_is(out)
			     ? pipe_tee(in, out, a->arg[2], a->arg[3] & SPLICE_F_NONBLOCK)
			     : -EINVAL;
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return rc;
}

/* sys/splice.c: bytes from file to file, past the memory of the program: sendfile,
 * copy_file_range, splice, tee. */
#include "shim/net/socket.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/sys/pollio.h"
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

/* At most a page's bytes. Neither file sleeps meanwhile, so that nothing is lost between
 * them: what the writer does not take stays with the reader. -EAGAIN: *slow would have
 * slept. */
static long copy_piece(struct copy_end *in, struct copy_end *out, struct page *page,
		       uint64_t size, struct file **slow)
{
	struct uio_segment segment;
	struct uio uio;
	uint64_t before = in->pos;
	long rc = pipe_is(out->file) ? pipe_room(out->file) : (long)PAGE_SIZE;
	*slow = out->file;
	if (rc <= 0)
		return rc < 0 ? rc : -EAGAIN;
	if (size > (uint64_t)rc)
		size = (uint64_t)rc;
	if (size > PAGE_SIZE)
		size = PAGE_SIZE;
	*slow = in->file;
	uio_kernel(&uio, &segment, page_va(page), size);
	uio.flags = O_NONBLOCK;
	rc = pipe_is(in->file) ? pipe_peek(in->file, &uio)
			       : file_transfer(in->file, &uio, &in->pos, false);
	if (rc <= 0)
		return rc;
	*slow = out->file;
	uio_kernel(&uio, &segment, page_va(page), (uint64_t)rc);
	uio.flags = O_NONBLOCK;
	rc = file_transfer(out->file, &uio, &out->pos, true);
	if (pipe_is(in->file))
		pipe_skip(in->file, rc < 0 ? 0 : (uint64_t)rc);
	else if (file_seeks(in->file))
		in->pos = before + (rc < 0 ? 0 : (uint64_t)rc);
	return rc;
}

/* Sleeps until the file that was slow may go on, as long as its own reads and writes
 * would sleep. 0, or what ends the call. */
static int await(struct file *slow, bool reads, bool nonblock)
{
	const struct socket *socket = socket_of_file(slow);
	uint64_t timeout_ns = !socket ? 0
			      : reads ? socket->receive_timeout_ns
				      : socket->send_timeout_ns;
	if ((slow->flags & O_NONBLOCK) || (nonblock && (reads || pipe_is(slow))))
		return -EAGAIN;
	int rc =
		file_wait(slow, reads ? POLLIN : POLLOUT, socket_deadline_ns(timeout_ns));
	if (rc == 0) { /* to be asked again, but not for ever */
		thread_yield();
		rc = wait_interrupted() ? -EINTR : 0;
	}
	return rc == -EINTR && timeout_ns == 0 ? -ERESTARTSYS : rc;
}

/* Until size bytes went; or, once some did, until there are no more now or a pipe is
 * full.
 */
static long copy_bytes(struct copy_end *in, struct copy_end *out, uint64_t size,
		       bool nonblock)
{
	struct page *page = page_alloc(&job_current()->account, 0, false);
	long done = 0, rc = 0;
	if (!page)
		return -ENOMEM;
	while (size) {
		struct file *slow;
		rc = copy_piece(in, out, page, size, &slow);
		if (rc == -EAGAIN) {
			bool reads = slow == in->file;
			if (done && (reads || pipe_is(slow)))
				break;
			rc = await(slow, reads, nonblock);
			if (rc < 0)
				break;
			continue;
		}
		if (rc <= 0)
			break;
		bool turn = done >> 20 != (done + rc) >> 20;
		done += rc;
		size -= (uint64_t)rc;
		if (turn) {
			thread_yield();
			if (wait_interrupted())
				break;
		}
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

/* Between ends whose positions are known. Puts them. */
static long copy_from_positions(struct copy_end *in, struct copy_end *out, uint64_t size,
				bool nonblock)
{
	long rc =
		copy_bytes(in, out, size < IO_BYTES_MAX ? size : IO_BYTES_MAX, nonblock);
	if (rc >= 0 && (copy_end_put(in) < 0 || copy_end_put(out) < 0))
		rc = -EFAULT;
	copy_ends_put(in, out);
	return rc;
}

static long copy_between(struct copy_end *in, uaddr in_at, struct copy_end *out,
			 uaddr out_at, uint64_t size, bool nonblock)
{
	long rc = -EBADF;
	if (in->file && out->file && file_reads(in->file) && file_writes(out->file))
		rc = copy_end_get(in, in_at);
	if (rc == 0)
		rc = copy_end_get(out, out_at);
	if (rc == 0)
		return copy_from_positions(in, out, size, nonblock);
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
	uint64_t limit = process_current()->rlimits[RLIMIT_FSIZE_INDEX].soft;
	if (out->pos<limit && * size> limit - out->pos)
		*size = limit - out->pos;
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
		return copy_from_positions(&in, &out, size, false);
	copy_ends_put(&in, &out);
	return rc;
}

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL      15u

/* One is a pipe, they are not ends of the same, and nothing is to be appended. */
static bool may_splice(const struct file *in, const struct file *out)
{
	if (pipe_is(in) && pipe_is(out))
		return in->data != out->data;
	return (pipe_is(in) || pipe_is(out)) && !(pipe_is(in) && out->flags & O_APPEND);
}

long sys_splice(const struct sysargs *a)
{
	if (a->arg[4] == 0)
		return 0;
	if (a->arg[5] & ~(uint64_t)SPLICE_F_ALL)
		return -EINVAL;
	struct copy_end in = {.file = file_of(a, 0)}, out = {.file = file_of(a, 2)};
	if (in.file && out.file && !may_splice(in.file, out.file)) {
		copy_ends_put(&in, &out);
		return -EINVAL;
	}
	return copy_between(&in, arg_user(a, 1), &out, arg_user(a, 3), a->arg[4],
			    a->arg[5] & SPLICE_F_NONBLOCK);
}

long sys_tee(const struct sysargs *a)
{
	if (a->arg[3] & ~(uint64_t)SPLICE_F_ALL)
		return -EINVAL;
	if (a->arg[2] == 0)
		return 0;
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

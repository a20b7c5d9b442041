/* sys/filecontrol.c: fcntl and the calls that make, size, synchronise and copy open
 * files. */
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/jobfs.h"
#include "shim/vfs/locks.h"
#include "shim/vfs/memfd.h"
#include "shim/vfs/path.h"
#include "shim/vfs/pipe.h"

enum {
	F_DUPFD = 0,
	F_GETFD,
	F_SETFD,
	F_GETFL,
	F_SETFL,
	F_GETLK,
	F_SETLK,
	F_SETLKW,
	F_SETOWN,
	F_GETOWN,
	F_SETSIG,
	F_GETSIG,
	F_SETOWN_EX = 15,
	F_GETOWN_EX,
	F_OFD_GETLK = 36,
	F_OFD_SETLK,
	F_OFD_SETLKW,
	F_SETLEASE = 1024,
	F_GETLEASE,
	F_DUPFD_CLOEXEC = 1030,
	F_SETPIPE_SZ,
	F_GETPIPE_SZ,
	F_ADD_SEALS,
	F_GET_SEALS,
};
#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static long duplicate_above(struct file *file, uint64_t lowest, bool cloexec)
{
	struct process *process = process_current();
	if (lowest >= process->rlimits[RLIMIT_NOFILE_INDEX].soft || lowest > INT32_MAX)
		return -EINVAL;
	file_get(file);
	int fd = fdtable_install(process->fds, file, (int)lowest, cloexec);
	if (fd < 0)
		file_put(file);
	return fd;
}

static long lock_call(struct file *file, int command, uaddr user)
{
	struct linux_flock request;
	struct fdtable *fds = process_current()->fds;
	bool of_file = command >= F_OFD_GETLK;
	if (copy_from_user(&request, user, sizeof(request)) < 0)
		return -EFAULT;
	if (command == F_GETLK || command == F_OFD_GETLK) {
		int rc = locks_get(file, fds, of_file, &request);
		return rc < 0 ? rc : copy_to_user(user, &request, sizeof(request));
	}
	return locks_set(file, fds, of_file,
			 command == F_SETLKW || command == F_OFD_SETLKW, &request);
}

/* A process, or a group by its negative number. */
static long set_owner(struct file *file, int owner)
{
	struct job *job = job_current();
	if (owner == -2147483647 - 1)
		return -EINVAL;
	if (owner > 0 && !process_with(job, owner))
		return -ESRCH;
	if (owner < 0 && !signal_send_group(job, -owner, &(struct signal_info){0}))
		return -ESRCH;
	file->owner = owner;
	return 0;
}

enum { OWNER_TID, OWNER_PID, OWNER_PGRP };

static long owner_call(struct file *file, bool set, uaddr user)
{
	struct {
		int32_t type, pid;
	} owner = {file->owner < 0 ? OWNER_PGRP : OWNER_PID,
		   file->owner < 0 ? -file->owner : file->owner};
	if (!set)
		return copy_to_user(user, &owner, sizeof(owner));
	if (copy_from_user(&owner, user, sizeof(owner)) < 0)
		return -EFAULT;
	if (owner.type < OWNER_TID || owner.type > OWNER_PGRP || owner.pid < 0)
		return -EINVAL;
	return set_owner(file, owner.type == OWNER_PGRP ? -owner.pid : owner.pid);
}

static long control(struct file *file, int command, const struct sysargs *a)
{
	struct fdtable *fds = process_current()->fds;
	int fd = (int)a->arg[0];
	uint64_t value = a->arg[2];
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate_above(file, (uint32_t)value, command == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fdtable_cloexec_get(fds, fd);
	case F_SETFD:
		return fdtable_cloexec_set(fds, fd, value & 1);
	case F_GETFL:
		return (long)(file->flags & ~O_CLOEXEC);
	default:
		break;
	}
	if (file->flags & O_PATH)
		return -EBADF;
	switch (command) {
	case F_SETFL:
		if (value & O_ASYNC) /* a signal that never came would be waited for */
			return -EINVAL;
		file->flags = (file->flags & ~SETTABLE) | ((uint32_t)value & SETTABLE);
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_call(file, command, arg_user(a, 2));
	case F_SETOWN:
		return set_owner(file, (int)value);
	case F_GETOWN:
		return file->owner;
	case F_SETOWN_EX:
	case F_GETOWN_EX:
		return owner_call(file, command == F_SETOWN_EX, arg_user(a, 2));
	case F_SETSIG:
		if (value > SIGNAL_COUNT)
			return -EINVAL;
		file->owner_signal = (int)value;
		return 0;
	case F_GETSIG:
		return file->owner_signal;
	case F_GETLEASE:
		return 2; /* F_UNLCK */
	case F_SETPIPE_SZ:
		return pipe_is(file) ? pipe_size_set(file, (uint32_t)value) : -EBADF;
	case F_GETPIPE_SZ:
		return pipe_is(file) ? pipe_size_get(file) : -EBADF;
	case F_ADD_SEALS:
		return memfd_seals_add(file, (uint32_t)value);
	case F_GET_SEALS:
		return memfd_seals_get(file);
	default:
		return -EINVAL;
	}
}

long sys_fcntl(const struct sysargs *a)
{
	struct file *file = file_or_path_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = control(file, (int)a->arg[1], a);
	file_put(file);
	return rc;
}

long sys_flock(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = locks_flock(file, (unsigned)a->arg[1]);
	file_put(file);
	return rc;
}

static long make_pipe(uaddr user, unsigned flags)
{
	struct file *end[2];
	struct fdtable *fds = process_current()->fds;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	int rc = pipe_make(flags & (O_NONBLOCK | O_DIRECT), &end[0], &end[1]);
	if (rc < 0)
		return rc;
	int32_t fd[2];
	fd[0] = (int32_t)descriptor_install(end[0], flags & O_CLOEXEC);
	if (fd[0] < 0) {
		file_put(end[1]);
		return fd[0];
	}
	fd[1] = (int32_t)descriptor_install(end[1], flags & O_CLOEXEC);
	rc = fd[1] < 0 ? fd[1] : copy_to_user(user, fd, sizeof(fd));
	if (rc < 0) {
		fdtable_close(fds, fd[0]);
		if (fd[1] >= 0)
			fdtable_close(fds, fd[1]);
	}
	return rc;
}

long sys_pipe(const struct sysargs *a)
{
	return make_pipe(arg_user(a, 0), 0);
}

long sys_pipe2(const struct sysargs *a)
{
	return make_pipe(arg_user(a, 0), (unsigned)a->arg[1]);
}

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

static long resize(struct vnode *vnode, int64_t size, bool timed)
{
	if (size < 0)
		return -EINVAL;
	if (vnode_is_directory(vnode))
		return -EISDIR;
	if (!mode_is(vnode->mode, S_IFREG) || !vnode->ops->truncate)
		return -EINVAL;
	if ((uint64_t)size > vnode_size(vnode) &&
	    (uint64_t)size > process_current()->rlimits[RLIMIT_FSIZE_INDEX].soft) {
		struct signal_info info = {.signo = SIGXFSZ};
		signal_send_thread(thread_current(), &info);
		return -EFBIG;
	}
	return vnode->ops->truncate(vnode, (uint64_t)size, timed);
}

long sys_truncate(const struct sysargs *a)
{
	struct path_text path;
	struct vnode *vnode;
	struct path_context context = process_paths(process_current());
	if ((int64_t)a->arg[1] < 0)
		return -EINVAL;
	long rc = path_text_get(&path, arg_user(a, 0));
	if (rc < 0)
		return rc;
	rc = path_lookup(&context, path.text, PATH_FOLLOW, &vnode);
	path_text_put(&path);
	if (rc < 0)
		return rc;
	rc = resize(vnode, (int64_t)a->arg[1], false);
	vnode_put(vnode);
	return rc;
}

long sys_ftruncate(const struct sysargs *a)
{
	int64_t size = (int64_t)a->arg[1];
	if (size < 0)
		return -EINVAL;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = file_writes(file) && file->vnode ? 0 : -EINVAL;
	if (rc == 0)
		rc = memfd_may_resize(file, (uint64_t)size);
	if (rc == 0)
		rc = resize(file->vnode, size, true);
	file_put(file);
	return rc;
}

#define FALLOC_FL_KEEP_SIZE      1u
#define FALLOC_FL_PUNCH_HOLE     2u
#define FALLOC_FL_COLLAPSE_RANGE 8u
#define FALLOC_FL_ZERO_RANGE     16u
#define FALLOC_FL_INSERT_RANGE   32u
#define FALLOC_FL_UNSHARE_RANGE  64u

static long allocate_pages(const struct file *file, uint64_t start, uint64_t end)
{
	struct node *node = node_of(file->vnode);
	for (uint64_t index = start >> PAGE_SHIFT;
	     index < (end + PAGE_MASK) >> PAGE_SHIFT; index++) {
		int rc = data_allocate(node, index);
		if (rc < 0)
			return rc;
		if (index % 256 != 255)
			continue;
		thread_yield();
		if (!file->vnode)
			return -EIO; /* its tree is gone meanwhile: jobfs.c */
		if (thread_must_die(thread_current()))
			return -EINTR;
	}
	return 0;
}

/* As Linux' vfs_fallocate orders it. Zeroing is more than its tmpfs does. */
static long check_allocation(const struct file *file, unsigned mode, int64_t offset,
			     int64_t size, int64_t *end)
{
	unsigned how = mode & ~FALLOC_FL_KEEP_SIZE;
	bool keeps = mode & FALLOC_FL_KEEP_SIZE;
	if (offset < 0 || size <= 0)
		return -EINVAL;
	if ((how == FALLOC_FL_PUNCH_HOLE && !keeps) ||
	    ((how == FALLOC_FL_COLLAPSE_RANGE || how == FALLOC_FL_INSERT_RANGE) &&
	     keeps) ||
	    (how & (how - 1)) || how > FALLOC_FL_UNSHARE_RANGE)
		return -EOPNOTSUPP;
	if (!file_writes(file))
		return -EBADF;
	if (!file->vnode || !mode_is(file->vnode->mode, S_IFREG))
		return pipe_is(file)                                    ? -ESPIPE
		       : file->vnode && vnode_is_directory(file->vnode) ? -EISDIR
									: -ENODEV;
	if (__builtin_add_overflow(offset, size, end))
		return -EFBIG;
	bool known =
		how == 0 || how == FALLOC_FL_PUNCH_HOLE || how == FALLOC_FL_ZERO_RANGE;
	return known && file->vnode->ops == &jobfs_ops ? 0 : -EOPNOTSUPP;
}

static long allocate(struct file *file, unsigned mode, int64_t offset, int64_t size)
{
	int64_t end;
	long rc = check_allocation(file, mode, offset, size, &end);
	if (rc < 0)
		return rc;
	struct node *node = node_of(file->vnode);
	bool empties = mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE);
	bool grows = !(mode & FALLOC_FL_KEEP_SIZE) && (uint64_t)end > node->size;
	rc = memfd_may_write(empties ? node->seals : node->seals & F_SEAL_GROW, grows);
	if (rc == 0 && empties)
		rc = data_punch(node, (uint64_t)offset, (uint64_t)end);
	else if (rc == 0)
		rc = allocate_pages(file, (uint64_t)offset, (uint64_t)end);
	if (rc == 0 && grows)
		rc = data_truncate(node, (uint64_t)end);
	if (rc == 0)
		node_modified(node);
	return rc;
}

long sys_fallocate(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = allocate(file, (unsigned)a->arg[1], (int64_t)a->arg[2],
			   (int64_t)a->arg[3]);
	file_put(file);
	return rc;
}

/* Copying between files. */

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

/* sys/fcntl.c: fcntl and flock: what a descriptor, its file and its locks are set to. */
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/async.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/locks.h"
#include "shim/vfs/memfd.h"
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
	/* The table owns the lock, also when the process leaves it meanwhile. */
	fdtable_get(fds);
	long rc = locks_set(file, fds, of_file,
			    command == F_SETLKW || command == F_OFD_SETLKW, &request);
	fdtable_put(fds);
	return rc;
}

long owner_set(struct file *file, int owner)
{
	if (owner == INT32_MIN)
		return -EINVAL;
	return owner < 0 ? async_owner_set(file, ASYNC_OWNER_GROUP, -owner)
			 : async_owner_set(file, ASYNC_OWNER_PROCESS, owner);
}

int owner_get(const struct file *file)
{
	int owner = async_owner(file);
	return file->owner_type == ASYNC_OWNER_GROUP ? -owner : owner;
}

/* F_OWNER_TID and its like, in f_owner_ex, are numbered as ASYNC_OWNER_*. */
static long owner_call(struct file *file, bool set, uaddr user)
{
	struct {
		int32_t type, pid;
	} owner = {file->owner_type, async_owner(file)};
	if (!set)
		return copy_to_user(user, &owner, sizeof(owner));
	if (copy_from_user(&owner, user, sizeof(owner)) < 0)
		return -EFAULT;
	if (owner.type < ASYNC_OWNER_THREAD || owner.type > ASYNC_OWNER_GROUP ||
	    owner.pid < 0)
		return -EINVAL;
	return async_owner_set(file, owner.type, owner.pid);
}

static long set_flags(struct file *file, int fd, uint32_t flags)
{
	int rc = (flags ^ file->flags) & O_ASYNC ? async_set(file, fd, flags & O_ASYNC)
						 : 0;
	if (rc == 0)
		file->flags = (file->flags & ~SETTABLE) | (flags & SETTABLE);
	return rc;
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
		return set_flags(file, fd, (uint32_t)value);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_call(file, command, arg_user(a, 2));
	case F_SETOWN:
		return owner_set(file, (int)value);
	case F_GETOWN:
		return owner_get(file);
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

/* sys/file.c: descriptors: duplicating and closing them, and ioctl. */
#include "shim/net/socket.h"
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/async.h"

#define FIOCLEX   0x5451u
#define FIONCLEX  0x5450u
#define FIONBIO   0x5421u
#define FIOASYNC  0x5452u
/* Of sockets. */
#define FIOSETOWN 0x8901u
#define SIOCSPGRP 0x8902u
#define FIOGETOWN 0x8903u
#define SIOCGPGRP 0x8904u

/* Unlike F_SETFL it says so where there is none. */
static long set_async(struct file *file, int fd, bool on)
{
	if (on && file->ops->async == FILE_ASYNC_NONE)
		return -ENOTTY;
	return async_set(file, fd, on);
}

static long set_flag(struct file *file, int fd, uint32_t command, uaddr from)
{
	int32_t on;
	if (copy_from_user(&on, from, sizeof(on)) < 0)
		return -EFAULT;
	if (command == FIOASYNC)
		return set_async(file, fd, on);
	file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK;
	return 0;
}

static long owner_ioctl(struct file *file, bool set, uaddr user)
{
	int32_t owner;
	if (set)
		return copy_from_user(&owner, user, sizeof(owner)) < 0
			       ? -EFAULT
			       : owner_set(file, owner);
	owner = owner_get(file);
	return copy_to_user(user, &owner, sizeof(owner));
}

static long control(struct file *file, int fd, uint32_t command, uint64_t argument)
{
	switch (command) {
	case FIOCLEX:
	case FIONCLEX:
		return fdtable_cloexec_set(process_current()->fds, fd,
					   command == FIOCLEX);
	case FIONBIO:
	case FIOASYNC:
		return set_flag(file, fd, command, (uaddr){argument});
	case FIOSETOWN:
	case SIOCSPGRP:
	case FIOGETOWN:
	case SIOCGPGRP:
		if (socket_of_file(file))
			return owner_ioctl(file, command <= SIOCSPGRP, (uaddr){argument});
		break;
	default:
		break;
	}
	return file->ops->ioctl ? file->ops->ioctl(file, command, argument) : -ENOTTY;
}

long sys_ioctl(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = control(file, (int)a->arg[0], (uint32_t)a->arg[1], a->arg[2]);
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

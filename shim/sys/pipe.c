/* sys/pipe.c: pipe and pipe2: the two ends of a new pipe. */
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/pipe.h"

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

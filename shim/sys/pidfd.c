/* sys/pidfd.c: pidfd_open and pidfd_getfd. pidfd_send_signal is kill.c's. */
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/pidfd.h"

long sys_pidfd_open(const struct sysargs *a)
{
	int pid = (int)a->arg[0];
	struct process *process;
	struct file *file;
	if ((a->arg[1] & ~(uint64_t)O_NONBLOCK) || pid <= 0)
		return -EINVAL;
	process = process_find(job_current(), pid);
	if (!process)
		return process_with(job_current(), pid) ? -EINVAL : -ESRCH;
	int rc = pidfd_make(process, (uint32_t)a->arg[1], &file);
	return rc < 0 ? rc : descriptor_install(file, true);
}

long sys_pidfd_getfd(const struct sysargs *a)
{
	struct file *pidfd = file_of(a, 0), *found = NULL;
	long rc = -EBADF;
	if (pidfd && a->arg[2]) {
		rc = -EINVAL;
	} else if (pidfd && pidfd_is(pidfd)) {
		struct process *process = pidfd_process(pidfd);
		if (!process || !process->fds)
			rc = -ESRCH;
		else
			found = fdtable_lookup(process->fds, (int)a->arg[1]);
	}
	if (pidfd)
		file_put(pidfd);
	return found ? descriptor_install(found, true) : rc;
}

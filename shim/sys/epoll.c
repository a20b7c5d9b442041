/* sys/epoll.c: system calls of epoll. */
#include "shim/arch/x86_64/clock.h"
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/sys/pollio.h"
#include "shim/sys/time.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/epoll.h"

static long epoll_new(unsigned flags)
{
	struct file *file;
	int rc = epoll_make(&file);
	return rc < 0 ? rc : descriptor_install(file, flags & O_CLOEXEC);
}

long sys_epoll_create(const struct sysargs *a)
{
	return (int)a->arg[0] <= 0 ? -EINVAL : epoll_new(0);
}

long sys_epoll_create1(const struct sysargs *a)
{
	return a->arg[0] & ~(uint64_t)O_CLOEXEC ? -EINVAL
						: epoll_new((unsigned)a->arg[0]);
}

long sys_epoll_ctl(const struct sysargs *a)
{
	struct epoll_event_bytes event = {0};
	int operation = (int)a->arg[1];
	if (operation != 2 && copy_from_user(&event, arg_user(a, 3), sizeof(event)) < 0)
		return -EFAULT;
	struct file *epoll = file_of(a, 0), *target = file_of(a, 2);
	long rc = -EBADF;
	if (epoll && target)
		rc = epoll_waitq(epoll) ? epoll_change(epoll, operation, target,
						       (int)a->arg[2], &event)
					: -EINVAL;
	if (epoll)
		file_put(epoll);
	if (target)
		file_put(target);
	return rc;
}

static long collect(struct file *epoll, uaddr to, int count, uint64_t deadline_ns)
{
	for (;;) {
		int rc = epoll_collect(epoll, to, count);
		if (rc || deadline_ns == 0)
			return rc;
		rc = wait_on(epoll_waitq(epoll), deadline_ns);
		if (rc < 0)
			return rc == -ETIMEDOUT ? 0 : rc;
	}
}

static long epoll_wait_call(const struct sysargs *a, uint64_t deadline_ns)
{
	int count = (int)a->arg[2];
	if (count <= 0 || count > INT32_MAX / 12)
		return -EINVAL;
	struct file *epoll = file_of(a, 0);
	if (!epoll)
		return -EBADF;
	long rc = epoll_waitq(epoll) ? collect(epoll, arg_user(a, 1), count, deadline_ns)
				     : -EINVAL;
	file_put(epoll);
	return rc;
}

long sys_epoll_wait(const struct sysargs *a)
{
	return epoll_wait_call(a, wait_deadline_ms((int)a->arg[3]));
}

static long epoll_masked(const struct sysargs *a, uint64_t deadline_ns)
{
	struct wait_mask mask;
	long rc = wait_mask_set(&mask, arg_user(a, 4), a->arg[5]);
	if (rc < 0)
		return rc;
	rc = epoll_wait_call(a, deadline_ns);
	wait_mask_reset(&mask, rc == -EINTR);
	return rc;
}

long sys_epoll_pwait(const struct sysargs *a)
{
	return epoll_masked(a, wait_deadline_ms((int)a->arg[3]));
}

long sys_epoll_pwait2(const struct sysargs *a)
{
	uint64_t deadline = WAIT_FOREVER, ns;
	if (!uaddr_is_null(arg_user(a, 3))) {
		int rc = time_get_timespec(arg_user(a, 3), &ns);
		if (rc < 0)
			return rc;
		deadline = ns ? time_add(clock_now_ns(), ns) : 0;
	}
	return epoll_masked(a, deadline);
}

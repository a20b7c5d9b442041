/* sys/epoll.c: system calls of epoll, eventfd, timerfd and inotify. */
#include "shim/arch/x86_64/clock.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"
#include "shim/sys/pollio.h"
#include "shim/sys/time.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/epoll.h"
#include "shim/vfs/eventfd.h"
#include "shim/vfs/inotify.h"

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

#define EFD_SEMAPHORE 1u

static long eventfd_new(uint32_t initial, unsigned flags)
{
	struct file *file;
	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int rc = eventfd_make(initial, flags & EFD_SEMAPHORE, flags & O_NONBLOCK, &file);
	return rc < 0 ? rc : descriptor_install(file, flags & O_CLOEXEC);
}

long sys_eventfd(const struct sysargs *a)
{
	return eventfd_new((uint32_t)a->arg[0], 0);
}

long sys_eventfd2(const struct sysargs *a)
{
	return eventfd_new((uint32_t)a->arg[0], (unsigned)a->arg[1]);
}

long sys_timerfd_create(const struct sysargs *a)
{
	unsigned flags = (unsigned)a->arg[1];
	struct file *file;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int rc = timerfd_make((int)a->arg[0], flags & O_NONBLOCK, &file);
	return rc < 0 ? rc : descriptor_install(file, flags & O_CLOEXEC);
}

static int put_setting(uaddr to, const struct timerfd_setting *setting)
{
	if (time_put_timespec(to, setting->interval_ns) < 0)
		return -EFAULT;
	return time_put_timespec(uaddr_add(to, 16), setting->value_ns);
}

#define TFD_TIMER_ABSTIME       1u
#define TFD_TIMER_CANCEL_ON_SET 2u

long sys_timerfd_settime(const struct sysargs *a)
{
	struct timerfd_setting setting, old;
	unsigned flags = (unsigned)a->arg[1];
	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	int rc = time_get_timespec(arg_user(a, 2), &setting.interval_ns);
	if (rc == 0)
		rc = time_get_timespec(uaddr_add(arg_user(a, 2), 16), &setting.value_ns);
	if (rc < 0)
		return rc;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	rc = timerfd_set(file, flags & TFD_TIMER_ABSTIME, &setting, &old);
	file_put(file);
	if (rc == 0 && !uaddr_is_null(arg_user(a, 3)))
		rc = put_setting(arg_user(a, 3), &old);
	return rc;
}

long sys_timerfd_gettime(const struct sysargs *a)
{
	struct timerfd_setting setting;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	int rc = timerfd_get(file, &setting);
	file_put(file);
	return rc < 0 ? rc : put_setting(arg_user(a, 1), &setting);
}

static long inotify_new(unsigned flags)
{
	struct file *file;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int rc = inotify_make(flags & O_NONBLOCK, &file);
	return rc < 0 ? rc : descriptor_install(file, flags & O_CLOEXEC);
}

long sys_inotify_init(const struct sysargs *a)
{
	(void)a;
	return inotify_new(0);
}

long sys_inotify_init1(const struct sysargs *a)
{
	return inotify_new((unsigned)a->arg[0]);
}

#define IN_ONLYDIR     (1u << 24)
#define IN_DONT_FOLLOW (1u << 25)

long sys_inotify_add_watch(const struct sysargs *a)
{
	uint32_t mask = (uint32_t)a->arg[2];
	struct vnode *vnode;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = name_vnode(AT_FDCWD, arg_user(a, 1),
			     mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &vnode);
	if (rc == 0) {
		bool directory = (vnode_mode(vnode) & S_IFMT) == S_IFDIR;
		rc = (mask & IN_ONLYDIR) && !directory ? -ENOTDIR
						       : inotify_watch(file, vnode, mask);
		vnode_put(vnode);
	}
	file_put(file);
	return rc;
}

long sys_inotify_rm_watch(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = inotify_unwatch(file, (int)a->arg[1]);
	file_put(file);
	return rc;
}

/* sys/timerfd.c: system calls of timerfd. */
#include "shim/sys/fileio.h"
#include "shim/sys/time.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/eventfd.h"

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

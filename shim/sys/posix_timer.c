/* sys/posix_timer.c: timer_create(2) and its kin. */
#include "shim/proc/posix_timer.h"

#include "shim/lib/errno.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"
#include "shim/sys/time.h"

enum { REALTIME, MONOTONIC, PROCESS_CPUTIME, THREAD_CPUTIME, BOOTTIME = 7, TAI = 11 };
enum { NOTIFY_SIGNAL, NOTIFY_NONE, NOTIFY_THREAD, NOTIFY_THREAD_ID = 4 };
#define TIMER_ABSTIME 1u

struct sigevent_words {
	uint64_t value;
	int32_t signo, notify, tid;
	uint8_t rest[44];
};
_Static_assert(sizeof(struct sigevent_words) == 64, "Linux ABI");

static int clock_of(int clock, struct posix_timer_spec *spec)
{
	struct process *self = process_current();
	spec->clock_tid = thread_current()->tid;
	switch (clock) {
	case REALTIME:
	case TAI:
		spec->clock = POSIX_TIMER_REAL;
		return 0;
	case MONOTONIC:
	case BOOTTIME:
		spec->clock = POSIX_TIMER_MONOTONIC;
		return 0;
	case PROCESS_CPUTIME:
		spec->clock = POSIX_TIMER_PROCESS;
		return 0;
	case THREAD_CPUTIME:
		spec->clock = POSIX_TIMER_THREAD;
		return 0;
	}
	if (clock > 0)
		return clock < 10 ? -EOPNOTSUPP
				  : -EINVAL; /* coarse, raw and alarm clocks */
	/* ~id << 3 | 4 (a thread's) | kind: the process' own, and those of its threads.
	 */
	int id = ~(clock >> 3);
	if ((clock & 3) == 3)
		return -EINVAL;
	if (clock & 4) {
		spec->clock = POSIX_TIMER_THREAD;
		spec->clock_tid = id ? id : spec->clock_tid;
		return thread_find(self, spec->clock_tid) ? 0 : -EINVAL;
	}
	spec->clock = POSIX_TIMER_PROCESS;
	return id == 0 || id == self->pid ? 0 : -EINVAL;
}

static int event_of(uaddr from, struct posix_timer_spec *spec)
{
	struct sigevent_words event;
	if (uaddr_is_null(from)) {
		spec->signo = SIGALRM;
		spec->value_is_id = true;
		return 0;
	}
	if (copy_from_user(&event, from, sizeof(event)) < 0)
		return -EFAULT;
	spec->value = event.value;
	if (event.notify == NOTIFY_NONE)
		return 0;
	if (event.notify == NOTIFY_THREAD_ID) {
		if (!thread_find(process_current(), event.tid))
			return -EINVAL;
		spec->notify_tid = event.tid;
	} else if (event.notify != NOTIFY_SIGNAL && event.notify != NOTIFY_THREAD) {
		return -EINVAL;
	}
	if (event.signo < 1 || event.signo > SIGNAL_COUNT)
		return -EINVAL;
	spec->signo = event.signo;
	return 0;
}

long sys_timer_create(const struct sysargs *a)
{
	struct process *self = process_current();
	struct posix_timer_spec spec = {.signo = 0};
	int rc = clock_of((int)a->arg[0], &spec);
	if (rc == 0)
		rc = event_of(arg_user(a, 1), &spec);
	if (rc < 0)
		return rc;
	int32_t id = (int32_t)posix_timer_make(self, &spec);
	if (id < 0)
		return id;
	if (copy_to_user(arg_user(a, 2), &id, sizeof(id)) == 0)
		return 0;
	posix_timer_remove(posix_timer_find(self, id));
	return -EFAULT;
}

static struct posix_timer *timer_of(const struct sysargs *a)
{
	return posix_timer_find(process_current(), (int)a->arg[0]);
}

static int put_value(uaddr to, struct itimer_value value)
{
	int rc = time_put_timespec(to, value.interval_ns);
	return rc < 0 ? rc : time_put_timespec(uaddr_add(to, 16), value.left_ns);
}

long sys_timer_settime(const struct sysargs *a)
{
	struct itimer_value value, old;
	if (!a->arg[2])
		return -EINVAL;
	int rc = time_get_timespec(arg_user(a, 2), &value.interval_ns);
	if (rc == 0)
		rc = time_get_timespec(uaddr_add(arg_user(a, 2), 16), &value.left_ns);
	if (rc < 0)
		return rc;
	struct posix_timer *timer = timer_of(a);
	if (!timer)
		return -EINVAL;
	old = posix_timer_get(timer);
	posix_timer_set(timer, value, a->arg[1] & TIMER_ABSTIME);
	return a->arg[3] ? put_value(arg_user(a, 3), old) : 0;
}

long sys_timer_gettime(const struct sysargs *a)
{
	struct posix_timer *timer = timer_of(a);
	return timer ? put_value(arg_user(a, 1), posix_timer_get(timer)) : -EINVAL;
}

long sys_timer_getoverrun(const struct sysargs *a)
{
	const struct posix_timer *timer = timer_of(a);
	return timer ? posix_timer_overrun(timer) : -EINVAL;
}

long sys_timer_delete(const struct sysargs *a)
{
	struct posix_timer *timer = timer_of(a);
	if (!timer)
		return -EINVAL;
	posix_timer_remove(timer);
	return 0;
}

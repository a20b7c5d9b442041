/* sys/time.c: clocks, sleeping and interval timers. The kinds of clock that the vDSO
 * knows are here too, for programs that trap. */
#include "shim/sys/time.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"

#define TIMER_ABSTIME      1u
#define NS_PER_MICROSECOND 1000ull

struct wire_time {
	int64_t seconds, fraction;
};

static int time_get(uaddr from, int64_t per_second, uint64_t *ns)
{
	struct wire_time t;
	if (copy_from_user(&t, from, sizeof(t)) < 0)
		return -EFAULT;
	if (t.seconds < 0 || t.fraction < 0 || t.fraction >= per_second)
		return -EINVAL;
	*ns = (uint64_t)t.seconds >= UINT64_MAX / NS_PER_SECOND
		      ? UINT64_MAX
		      : (uint64_t)t.seconds * NS_PER_SECOND +
				(uint64_t)t.fraction *
					(NS_PER_SECOND / (uint64_t)per_second);
	return 0;
}

static int time_put(uaddr to, uint64_t ns, uint64_t unit_ns)
{
	struct wire_time t = {(int64_t)(ns / NS_PER_SECOND),
			      (int64_t)(ns % NS_PER_SECOND / unit_ns)};
	return copy_to_user(to, &t, sizeof(t));
}

int time_get_timespec(uaddr from, uint64_t *ns)
{
	return time_get(from, NS_PER_SECOND, ns);
}

int time_get_timeval(uaddr from, uint64_t *ns)
{
	return time_get(from, NS_PER_SECOND / NS_PER_MICROSECOND, ns);
}

int time_put_timespec(uaddr to, uint64_t ns)
{
	return time_put(to, ns, 1);
}

int time_put_timeval(uaddr to, uint64_t ns)
{
	return time_put(to, ns, NS_PER_MICROSECOND);
}

uint64_t time_realtime_to_monotonic(uint64_t ns)
{
	uint64_t offset = clock_realtime_offset_ns();
	if (ns == UINT64_MAX)
		return ns;
	return ns > offset ? ns - offset : 0;
}

static uint64_t realtime_ns(void)
{
	return clock_now_ns() + clock_realtime_offset_ns();
}

/* The clocks of other threads and processes: ~id << 3 | 4 (a thread's) | kind, 0 to 2. */
static int cpu_clock(int clock, uint64_t *ns)
{
	int id = ~(clock >> 3);
	bool of_thread = clock & 4;
	if ((clock & 3) == 3)
		return -EINVAL;
	struct process *process = process_current();
	struct thread *thread = id ? thread_find(process, id) : thread_current();
	if (of_thread && !thread)
		return -EINVAL;
	if (!of_thread && id)
		process = process_find(process->job, id);
	if (!process)
		return -EINVAL;
	*ns = of_thread ? thread_cpu_ns(thread) : process_cpu_ns(process);
	return 0;
}

static int clock_read(int clock, uint64_t *ns)
{
	if (clock < 0)
		return cpu_clock(clock, ns);
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = realtime_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = clock_now_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = process_cpu_ns(process_current());
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_cpu_ns(thread_current());
		return 0;
	}
	return -EINVAL;
}

long sys_clock_gettime(const struct sysargs *a)
{
	uint64_t ns;
	int rc = clock_read((int)a->arg[0], &ns);
	return rc < 0 ? rc : time_put_timespec(arg_user(a, 1), ns);
}

long sys_clock_getres(const struct sysargs *a)
{
	uint64_t ns;
	int rc = clock_read((int)a->arg[0], &ns);
	if (rc < 0 || uaddr_is_null(arg_user(a, 1)))
		return rc;
	return time_put_timespec(arg_user(a, 1), 1);
}

long sys_gettimeofday(const struct sysargs *a)
{
	uaddr tv = arg_user(a, 0), zone = arg_user(a, 1);
	if (!uaddr_is_null(tv) && time_put_timeval(tv, realtime_ns()) < 0)
		return -EFAULT;
	return uaddr_is_null(zone) ? 0 : zero_user(zone, 8);
}

long sys_time(const struct sysargs *a)
{
	uaddr out = arg_user(a, 0);
	int64_t seconds = (int64_t)(realtime_ns() / NS_PER_SECOND);
	if (!uaddr_is_null(out) && copy_to_user(out, &seconds, sizeof(seconds)) < 0)
		return -EFAULT;
	return seconds;
}

long sys_getcpu(const struct sysargs *a)
{
	uint32_t cpu = cpu_id(), node = 0;
	if (a->arg[0] && copy_to_user(arg_user(a, 0), &cpu, sizeof(cpu)) < 0)
		return -EFAULT;
	if (a->arg[1] && copy_to_user(arg_user(a, 1), &node, sizeof(node)) < 0)
		return -EFAULT;
	return 0;
}

/* Until deadline_ns; 0 or -EINTR. */
static int sleep_until(uint64_t deadline_ns)
{
	int rc = 0;
	while (rc == 0) {
		wait_prepare();
		rc = wait_sleep(deadline_ns);
		if (rc == -EINTR && signal_was_stop())
			rc = 0;
	}
	return rc == -ETIMEDOUT ? 0 : rc;
}

static long sleep_for(uint64_t ns, uaddr left)
{
	uint64_t deadline_ns = time_add(clock_now_ns(), ns);
	int rc = sleep_until(deadline_ns);
	if (rc < 0 && !uaddr_is_null(left)) {
		uint64_t now = clock_now_ns();
		if (time_put_timespec(left, deadline_ns > now ? deadline_ns - now : 0) <
		    0)
			return -EFAULT;
	}
	return rc;
}

long sys_nanosleep(const struct sysargs *a)
{
	uint64_t ns;
	int rc = time_get_timespec(arg_user(a, 0), &ns);
	return rc < 0 ? rc : sleep_for(ns, arg_user(a, 1));
}

/* Till the process has run for so long: its other threads run meanwhile, if any do. */
static long sleep_cpu(int clock, uint64_t ns, bool absolute)
{
	uint64_t used;
	int rc = clock_read(clock, &used);
	uint64_t target = absolute ? ns : time_add(used, ns);
	while (rc == 0 && used < target) {
		rc = sleep_until(time_add(clock_now_ns(), target - used));
		if (rc == 0)
			rc = clock_read(clock, &used);
	}
	return rc;
}

long sys_clock_nanosleep(const struct sysargs *a)
{
	int clock = (int)a->arg[0];
	bool absolute = a->arg[1] & TIMER_ABSTIME;
	uint64_t ns, now;
	if (clock_read(clock, &now) < 0 || clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock >= CLOCK_MONOTONIC_RAW && clock <= CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	int rc = time_get_timespec(arg_user(a, 2), &ns);
	if (rc < 0)
		return rc;
	if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID)
		return sleep_cpu(clock, ns, absolute);
	if (!absolute)
		return sleep_for(ns, arg_user(a, 3));
	if (clock == CLOCK_REALTIME || clock == CLOCK_TAI)
		ns = time_realtime_to_monotonic(ns);
	return sleep_until(ns) < 0 ? -ERESTARTNOHAND : 0;
}

static int put_itimer(uaddr to, struct itimer_value value)
{
	/* What is left is never shown as nothing. */
	uint64_t left = value.left_ns && value.left_ns < NS_PER_MICROSECOND
				? NS_PER_MICROSECOND
				: value.left_ns;
	int rc = time_put_timeval(to, value.interval_ns);
	return rc < 0 ? rc
		      : time_put_timeval(uaddr_add(to, sizeof(struct wire_time)), left);
}

long sys_getitimer(const struct sysargs *a)
{
	if (a->arg[0] > ITIMER_PROF)
		return -EINVAL;
	return put_itimer(arg_user(a, 1),
			  itimer_get(process_current(), (enum itimer_kind)a->arg[0]));
}

long sys_setitimer(const struct sysargs *a)
{
	struct itimer_value value = {0};
	uaddr in = arg_user(a, 1), out = arg_user(a, 2);
	int rc = 0;
	if (!uaddr_is_null(in)) {
		rc = time_get_timeval(in, &value.interval_ns);
		if (rc == 0)
			rc = time_get_timeval(uaddr_add(in, sizeof(struct wire_time)),
					      &value.left_ns);
	}
	if (rc < 0)
		return rc;
	if (a->arg[0] > ITIMER_PROF)
		return -EINVAL;
	enum itimer_kind kind = (enum itimer_kind)a->arg[0];
	struct itimer_value old = itimer_get(process_current(), kind);
	itimer_set(process_current(), kind, value);
	return uaddr_is_null(out) ? 0 : put_itimer(out, old);
}

long sys_alarm(const struct sysargs *a)
{
	struct itimer_value old = itimer_get(process_current(), ITIMER_REAL);
	struct itimer_value value = {(uint32_t)a->arg[0] * NS_PER_SECOND, 0};
	itimer_set(process_current(), ITIMER_REAL, value);
	uint64_t seconds = old.left_ns / NS_PER_SECOND,
		 rest = old.left_ns % NS_PER_SECOND;
	return (long)seconds + (rest >= NS_PER_SECOND / 2 || (rest && !seconds));
}

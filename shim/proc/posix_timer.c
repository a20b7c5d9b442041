/* posix_timer.c: POSIX timers. As on Linux a periodic timer rests from its signal's
 * sending until that is taken, so that a short interval costs nothing while signals are
 * blocked; the expirations in between are the overrun. */
#include "shim/proc/posix_timer.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"

#define RLIMIT_SIGPENDING   11
#define NEVER_NS            (UINT64_MAX / 2)
/* Between signals that nobody takes because they are ignored: a tick of Linux. */
#define IGNORED_INTERVAL_NS 4000000ull

struct posix_timer {
	struct timer timer;
	struct posix_timer *next; /* process->posix_timers */
	struct process *process;
	struct posix_timer_spec spec;
	int id;
	uint64_t expires_ns; /* of counted_ns(); 0: disarmed */
	uint64_t interval_ns;
	uint32_t setting; /* counts timer_settime: signals of earlier ones are stale */
	int overrun;
};

static uint64_t counted_ns(const struct posix_timer *timer)
{
	const struct thread *thread;
	switch (timer->spec.clock) {
	case POSIX_TIMER_PROCESS:
		return process_cpu_ns(timer->process);
	case POSIX_TIMER_THREAD:
		thread = thread_find(timer->process, timer->spec.clock_tid);
		return thread ? thread_cpu_ns(thread) : 0;
	default:
		return clock_now_ns();
	}
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a < NEVER_NS && b < NEVER_NS - a ? a + b : NEVER_NS;
}

/* CPU time comes when it may: then is the time to look. */
static void arm(struct posix_timer *timer, uint64_t counted)
{
	uint64_t left = timer->expires_ns > counted ? timer->expires_ns - counted : 0;
	if (timer->spec.clock == POSIX_TIMER_PROCESS)
		left = process_cpu_wait_ns(timer->process, left);
	timer_set(&timer->timer, sum(clock_now_ns(), left));
}

/* Moves a periodic timer past now; the expirations that this took. */
static uint64_t forward(struct posix_timer *timer, uint64_t now, uint64_t interval_ns)
{
	if (timer->expires_ns > now)
		return 0;
	uint64_t n = (now - timer->expires_ns) / interval_ns + 1;
	timer->expires_ns =
		interval_ns < NEVER_NS ? timer->expires_ns + n * interval_ns : NEVER_NS;
	return n;
}

/* Was it queued, so that somebody will take it? */
static bool send(const struct posix_timer *timer)
{
	struct signal_info info = {.signo = timer->spec.signo,
				   .code = SI_TIMER,
				   .pid = timer->id,
				   .value = timer->spec.value,
				   .from_timer = true,
				   .setting = timer->setting};
	if (!timer->spec.notify_tid)
		return signal_send_process(timer->process, &info);
	struct thread *thread = thread_find(timer->process, timer->spec.notify_tid);
	return thread && signal_send_thread(thread, &info);
}

static void fired(struct timer *self)
{
	struct posix_timer *timer = container_of(self, struct posix_timer, timer);
	uint64_t now = counted_ns(timer);
	if (now < timer->expires_ns) {
		arm(timer, now);
		return;
	}
	bool queued = send(timer);
	if (!timer->interval_ns) {
		timer->expires_ns = 0;
	} else if (!queued) {
		uint64_t interval = timer->interval_ns;
		forward(timer, now,
			interval > IGNORED_INTERVAL_NS ? interval : IGNORED_INTERVAL_NS);
		arm(timer, now);
	}
}

void posix_timer_signal_taken(struct process *process, struct signal_info *info)
{
	struct posix_timer *timer = posix_timer_find(process, info->pid);
	if (!timer || timer->setting != info->setting)
		return;
	timer->overrun = 0;
	if (timer->expires_ns && timer->interval_ns && !timer_is_set(&timer->timer)) {
		uint64_t now = counted_ns(timer),
			 n = forward(timer, now, timer->interval_ns);
		if (n > 1)
			timer->overrun = n - 1 < INT32_MAX ? (int)(n - 1) : INT32_MAX;
		arm(timer, now);
	}
	info->uid = (uint32_t)timer->overrun; /* si_overrun lies where si_uid does */
}

long posix_timer_make(struct process *process, const struct posix_timer_spec *spec)
{
	uint64_t count = 0;
	for (struct posix_timer *it = process->posix_timers; it; it = it->next)
		count++;
	if (count >= process->rlimits[RLIMIT_SIGPENDING].soft)
		return -EAGAIN;
	struct posix_timer *timer = kzalloc(&process->job->account, sizeof(*timer));
	if (!timer)
		return -EAGAIN;
	timer->timer.fire = fired;
	timer->process = process;
	timer->spec = *spec;
	do {
		timer->id = process->next_posix_timer;
		process->next_posix_timer = (timer->id + 1) & INT32_MAX;
	} while (posix_timer_find(process, timer->id));
	if (spec->value_is_id)
		timer->spec.value = (uint64_t)timer->id;
	timer->next = process->posix_timers;
	process->posix_timers = timer;
	return timer->id;
}

struct posix_timer *posix_timer_find(struct process *process, int id)
{
	for (struct posix_timer *it = process->posix_timers; it; it = it->next)
		if (it->id == id)
			return it;
	return NULL;
}

struct itimer_value posix_timer_get(struct posix_timer *timer)
{
	struct itimer_value value = {.interval_ns = timer->interval_ns};
	uint64_t now = counted_ns(timer), expires = timer->expires_ns;
	if (!expires)
		return value;
	if (expires > now)
		value.left_ns = expires - now;
	else if (timer->interval_ns)
		value.left_ns = timer->interval_ns - (now - expires) % timer->interval_ns;
	else
		value.left_ns = timer->spec.signo ? 1 : 0; /* due, but not seen to yet */
	return value;
}

void posix_timer_set(struct posix_timer *timer, struct itimer_value value, bool absolute)
{
	uint64_t at = value.left_ns;
	timer_cancel(&timer->timer);
	timer->setting++;
	timer->overrun = 0;
	timer->interval_ns = value.interval_ns;
	timer->expires_ns = 0;
	if (!at)
		return;
	uint64_t now = counted_ns(timer);
	if (!absolute) {
		at = sum(now, at);
	} else if (timer->spec.clock == POSIX_TIMER_REAL) {
		uint64_t offset = clock_realtime_offset_ns();
		at = at > offset ? at - offset : 1;
	}
	timer->expires_ns = at < NEVER_NS ? at : NEVER_NS;
	if (timer->spec.signo)
		arm(timer, now);
}

int posix_timer_overrun(const struct posix_timer *timer)
{
	return timer->overrun;
}

void posix_timer_remove(struct posix_timer *timer)
{
	struct posix_timer **at = &timer->process->posix_timers;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer_cancel(&timer->timer);
	kfree(timer);
}

void posix_timers_remove_all(struct process *process)
{
	while (process->posix_timers)
		posix_timer_remove(process->posix_timers);
}

/* itimer.c: interval timers and CPU time. */
#include "shim/proc/itimer.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/proc/process.h"

#define RLIMIT_CPU    0
#define NS_PER_SECOND 1000000000ull

uint64_t thread_cpu_ns(const struct thread *thread)
{
	return thread->cpu_ns +
	       (thread->running ? clock_now_ns() - thread->ran_at_ns : 0);
}

uint64_t process_cpu_ns(const struct process *process)
{
	uint64_t sum = process->cpu_ns, now = clock_now_ns();
	list_for_each(thread, &process->threads, struct thread, process_link)
		sum += thread->running ? now - thread->ran_at_ns : 0;
	return sum;
}

/* Far enough away to be never, and to add times to: 292 years. */
#define NEVER_NS    (UINT64_MAX / 2)
#define CPU_LOOK_NS 1000000u

static uint64_t after(uint64_t now, uint64_t ns)
{
	return ns < NEVER_NS ? now + ns : NEVER_NS;
}

static void send(struct process *process, int signo)
{
	struct signal_info info = {.signo = signo, .code = SI_KERNEL};
	signal_send_process(process, &info);
}

/* The first point after now on the grid that the interval makes; what was missed is one.
 */
static uint64_t next_on_grid(uint64_t at, uint64_t interval, uint64_t now)
{
	return interval < NEVER_NS ? at + ((now - at) / interval + 1) * interval
				   : NEVER_NS;
}

static void real_fired(struct timer *timer)
{
	struct process *process = container_of(timer, struct process, alarm);
	uint64_t now = clock_now_ns();
	if (process->alarm_interval_ns)
		timer_set(timer,
			  next_on_grid(timer->deadline_ns, process->alarm_interval_ns,
				       now > timer->deadline_ns ? now
								: timer->deadline_ns));
	send(process, SIGALRM);
}

uint64_t process_cpu_wait_ns(const struct process *process, uint64_t left_ns)
{
	uint64_t cpus = cpu_count();
	uint64_t most = process->thread_count < cpus ? process->thread_count : cpus;
	uint64_t wait = most > 1 ? left_ns / most : left_ns;
	uint64_t shortest = left_ns < CPU_LOOK_NS ? left_ns : CPU_LOOK_NS;
	return wait > shortest ? wait : shortest;
}

static void cpu_arm(struct cpu_itimer *timer, uint64_t used_ns)
{
	uint64_t left = timer->expires_ns > used_ns ? timer->expires_ns - used_ns : 0;
	timer_set(&timer->timer,
		  after(clock_now_ns(), process_cpu_wait_ns(timer->process, left)));
}

static void cpu_fired(struct timer *self)
{
	struct cpu_itimer *timer = container_of(self, struct cpu_itimer, timer);
	struct process *process = timer->process;
	uint64_t used = process_cpu_ns(process);
	if (used >= timer->expires_ns) {
		send(process, timer == &process->cpu_itimers[0] ? SIGVTALRM : SIGPROF);
		if (!timer->interval_ns)
			return;
		timer->expires_ns =
			next_on_grid(timer->expires_ns, timer->interval_ns, used);
	}
	cpu_arm(timer, used);
}

static uint64_t seconds_ns(uint64_t seconds)
{
	return seconds < NEVER_NS / NS_PER_SECOND ? seconds * NS_PER_SECOND : NEVER_NS;
}

static void limit_fired(struct timer *self)
{
	struct cpu_itimer *timer = container_of(self, struct cpu_itimer, timer);
	struct process *process = timer->process;
	struct rlimit_pair *limit = &process->rlimits[RLIMIT_CPU];
	uint64_t used = process_cpu_ns(process);
	if (used >= seconds_ns(limit->hard)) {
		send(process, SIGKILL);
		return;
	}
	if (used >= seconds_ns(limit->soft)) {
		limit->soft++; /* as Linux shows it, too */
		send(process, SIGXCPU);
	}
	itimer_limit_changed(process);
}

void itimer_limit_changed(struct process *process)
{
	struct cpu_itimer *timer = &process->cpu_limit;
	const struct rlimit_pair *limit = &process->rlimits[RLIMIT_CPU];
	timer_cancel(&timer->timer);
	if (limit->soft == UINT64_MAX && limit->hard == UINT64_MAX)
		return;
	timer->timer.fire = limit_fired;
	timer->process = process;
	timer->expires_ns =
		seconds_ns(limit->soft < limit->hard ? limit->soft : limit->hard);
	cpu_arm(timer, process_cpu_ns(process));
}

struct itimer_value itimer_get(struct process *process, enum itimer_kind kind)
{
	struct cpu_itimer *timer = &process->cpu_itimers[kind == ITIMER_PROF];
	uint64_t now = kind == ITIMER_REAL ? clock_now_ns() : process_cpu_ns(process);
	bool set = timer_is_set(kind == ITIMER_REAL ? &process->alarm : &timer->timer);
	uint64_t at =
		kind == ITIMER_REAL ? process->alarm.deadline_ns : timer->expires_ns;
	struct itimer_value value = {0, kind == ITIMER_REAL ? process->alarm_interval_ns
							    : timer->interval_ns};
	if (set)
		value.left_ns = at > now ? at - now : 1; /* due, but not seen to yet */
	return value;
}

void itimer_set(struct process *process, enum itimer_kind kind, struct itimer_value value)
{
	if (kind == ITIMER_REAL) {
		timer_cancel(&process->alarm);
		process->alarm.fire = real_fired;
		process->alarm_interval_ns = value.interval_ns;
		if (value.left_ns)
			timer_set(&process->alarm, after(clock_now_ns(), value.left_ns));
		return;
	}
	struct cpu_itimer *timer = &process->cpu_itimers[kind == ITIMER_PROF];
	timer_cancel(&timer->timer);
	timer->timer.fire = cpu_fired;
	timer->process = process;
	timer->interval_ns = value.interval_ns;
	if (value.left_ns) {
		uint64_t used = process_cpu_ns(process);
		timer->expires_ns = after(used, value.left_ns);
		cpu_arm(timer, used);
	}
}

void itimers_cancel(struct process *process)
{
	timer_cancel(&process->alarm);
	timer_cancel(&process->cpu_itimers[0].timer);
	timer_cancel(&process->cpu_itimers[1].timer);
	timer_cancel(&process->cpu_limit.timer);
}

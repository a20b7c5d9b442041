/* sched.c: run queues, and who runs next. Sleeping is wait.c's.
 *
 * All CPUs take from the same queues. What one CPU makes runnable often waits only until
 * that CPU's thread blocks a moment later; to wake another CPU for it would cost more
 * than that and have both fight for the kernel lock. So an idle CPU is woken only when
 * the turn of who runs is over and somebody still waits; a wake-up shortens turns to
 * SCHED_WAKE_NS. */
#include "shim/proc/sched.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/mm/vm.h"
#include "shim/proc/idle.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/proc/wait.h"

enum { QUEUE_FRONT, QUEUE_PAYLOAD, QUEUE_COUNT };

/* What each CPU schedules with. Under the kernel lock. */
struct cpu_sched {
	struct thread *current;       /* NULL: not started */
	bool idling;                  /* in cpu_idle */
	bool coming;                  /* out of it: it was interrupted to take a thread */
	struct thread idle;           /* the boot context; has no process */
	struct thread *dead;          /* left the CPU for good, not yet freed */
	const struct vmspace *loaded; /* NULL: the kernel's own */
	struct timer slice;
	uint64_t idle_ns;
};

static struct list queues[QUEUE_COUNT];
static const struct vmspace *resting; /* what is loaded for who has no memory */
static struct cpu_sched cpus[CPUS_MAX];

static struct cpu_sched *this_cpu(void)
{
	return &cpus[cpu_id()];
}

static struct list *queue_of(const struct thread *thread)
{
	return &queues[thread->job->front ? QUEUE_FRONT : QUEUE_PAYLOAD];
}

static void slice_over(struct timer *self)
{
	/* The interrupt itself leads to sched_preempt, on the CPU that it is about. */
	struct cpu_sched *cpu = container_of(self, struct cpu_sched, slice);
	if (cpu != this_cpu())
		cpu_interrupt((unsigned)(cpu - cpus));
}

void sched_init(void)
{
	for (int i = 0; i < QUEUE_COUNT; i++)
		list_init(&queues[i]);
	sched_init_cpu();
}

void sched_init_cpu(void)
{
	struct cpu_sched *cpu = this_cpu();
	list_init(&cpu->idle.run_link);
	cpu->idle.state = THREAD_RUNNABLE;
	cpu->slice.fire = slice_over;
	cpu->current = &cpu->idle;
	cpu->idle.running = true;
	cpu->idle.cpu = cpu_id();
	cpu->idle.ran_at_ns = clock_now_ns();
	cpu_set_current_thread(&cpu->idle, &cpu->idle.arch);
}

static bool may_run(const struct thread *thread, const struct cpu_sched *cpu)
{
	return !thread->affinity || thread->affinity >> (cpu - cpus) & 1;
}

static struct thread *pick(struct cpu_sched *cpu)
{
	for (int i = 0; i < QUEUE_COUNT; i++)
		list_for_each(thread, &queues[i], struct thread, run_link)
			if (may_run(thread, cpu))
				return thread;
	return &cpu->idle;
}

static bool queues_empty(void)
{
	return list_empty(&queues[QUEUE_FRONT]) && list_empty(&queues[QUEUE_PAYLOAD]);
}

static bool any_cpu_idles(void)
{
	for (unsigned i = 0; i < cpu_count(); i++)
		if (cpus[i].idling)
			return true;
	return false;
}

/* Finds an idle CPU for each thread that waits, and wakes it. False: there are too few.
 */
static bool wake_idle_cpus(void)
{
	uint64_t taken = 0;
	for (int q = 0; q < QUEUE_COUNT; q++) {
		list_for_each(thread, &queues[q], struct thread, run_link) {
			unsigned i = 0;
			while (i < cpu_count() && (!cpus[i].idling || taken >> i & 1 ||
						   !may_run(thread, &cpus[i])))
				i++;
			if (i == cpu_count())
				return false;
			taken |= 1ull << i;
			if (!cpus[i].coming)
				cpu_interrupt(i);
			cpus[i].coming = true;
		}
	}
	return true;
}

/* Threads wait: turns are timed on every CPU that runs one. A turn that is over already
 * was not timed until now: its CPU gets one more, so that no timer is due at once again
 * and again until that CPU has come for the lock. */
static void turns_time(uint64_t now)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		struct cpu_sched *cpu = &cpus[i];
		struct thread *runs = cpu->current;
		if (!runs || runs == &cpu->idle || timer_is_set(&cpu->slice))
			continue;
		if (runs->slice_end_ns <= now)
			runs->slice_end_ns = now + SCHED_SLICE_NS;
		timer_set(&cpu->slice, runs->slice_end_ns);
	}
}

static void charge_time(struct cpu_sched *cpu, struct thread *thread, uint64_t now)
{
	uint64_t ran = now - thread->ran_at_ns;
	thread->ran_at_ns = now;
	thread->cpu_ns += ran;
	if (thread == &cpu->idle)
		cpu->idle_ns += ran;
	else
		thread->job->cpu_ns += ran;
	if (thread->process)
		thread->process->cpu_ns += ran;
}

void sched_charge_current(void)
{
	charge_time(this_cpu(), thread_current(), clock_now_ns());
}

/* A thread without memory, the idle thread too, runs in a space that is never freed: the
 * kernel's own, or front's, which is mostly wanted next. */
static void load_space(struct cpu_sched *cpu, const struct thread *thread)
{
	const struct vmspace *vm = thread->process ? thread->process->vm : NULL;
	if (!vm)
		vm = resting;
	if (vm == cpu->loaded)
		return;
	cpu->loaded = vm;
	if (vm)
		pt_load(&vm->pt);
	else
		pt_load_kernel();
}

void sched_rest_in(struct vmspace *vm)
{
	vm_get(vm);
	resting = vm;
}

void sched_space_changed(void)
{
	load_space(this_cpu(), thread_current());
}

static void reap_dead(struct cpu_sched *cpu)
{
	struct thread *thread = cpu->dead;
	cpu->dead = NULL;
	if (thread)
		thread_reap(thread);
}

static void count_leaving(struct thread *thread)
{
	bool waits = thread->state != THREAD_RUNNABLE;
	thread->usage.waits += waits;
	thread->usage.preemptions += !waits;
	if (thread->job)
		thread->job->switches++;
	if (!thread->process)
		return;
	thread->process->usage.waits += waits;
	thread->process->usage.preemptions += !waits;
}

void sched_switch(void)
{
	struct cpu_sched *cpu = this_cpu();
	struct thread *from = thread_current(), *to = pick(cpu);
	uint64_t now = clock_now_ns();
	charge_time(cpu, from, now);
	to->ran_at_ns = now;
	to->slice_end_ns = now + SCHED_SLICE_NS;
	list_remove(&to->run_link);
	if (to != &cpu->idle && !queues_empty() && !timer_is_set(&cpu->slice)) {
		if (any_cpu_idles())
			to->slice_end_ns = now + SCHED_WAKE_NS;
		timer_set(&cpu->slice, to->slice_end_ns);
	}
	if (to == from)
		return;
	if (from->state == THREAD_DEAD)
		cpu->dead = from;
	count_leaving(from);
	load_space(cpu, to);
	from->running = false;
	to->running = true;
	to->cpu = (unsigned)(cpu - cpus);
	cpu->current = to;
	rseq_moved(to);
	cpu_set_current_thread(to, &to->arch);
	arch_thread_switch(&from->arch, &to->arch);
	/* On this thread's stack again, perhaps on another CPU. A new thread's first
	 * steps are sched_begin's. */
	reap_dead(this_cpu());
}

void sched_begin(void)
{
	reap_dead(this_cpu());
}

/* What has slept hardly used its turns: it need not wait for the whole of another's; nor
 * need anyone while a CPU is idle. */
static void shorten_turn(struct cpu_sched *cpu, struct thread *running,
			 const struct thread *woken)
{
	bool result = woken->job->front && !any_cpu_idles();
	uint64_t end = clock_now_ns() + (result ? SCHED_RESULT_NS : SCHED_WAKE_NS);
	if (running == &cpu->idle || running->slice_end_ns <= end)
		return;
	running->slice_end_ns = end;
	if (timer_is_set(&cpu->slice) && cpu->slice.deadline_ns > end)
		timer_set(&cpu->slice, end);
}

static void make_runnable(struct thread *thread)
{
	thread->state = THREAD_RUNNABLE;
	list_append(queue_of(thread), &thread->run_link);
}

void sched_start(struct thread *thread)
{
	make_runnable(thread);
	if (any_cpu_idles())
		shorten_turn(this_cpu(), thread_current(), thread);
}

void thread_wake(struct thread *thread)
{
	struct thread *self = thread_current();
	thread->woken = true;
	if (thread->state == THREAD_SLEEPING) {
		make_runnable(thread);
		shorten_turn(this_cpu(), self, thread);
	} else if (thread->running && thread != self) {
		cpu_interrupt(thread->cpu); /* in ring 3: a signal, a stop, the end */
	}
}

void thread_yield(void)
{
	struct thread *self = thread_current();
	if (!self->job)
		return; /* the boot context, before anything else runs */
	/* Else a long call would keep the clock from ending its job. */
	cpu_take_interrupts();
	list_append(queue_of(self), &self->run_link);
	sched_switch();
}

bool sched_preempt(const struct trapframe *frame)
{
	struct cpu_sched *cpu = this_cpu();
	struct thread *self = thread_current();
	if (!may_run(self, cpu)) {
		thread_yield();
		return true;
	}
	if (queues_empty())
		return false;
	/* front goes before payloads at once when the network woke it; what a payload's
	 * own system call did (a byte down a pipe) can wait until it blocks or its turn
	 * is over. */
	const struct thread *next = pick(cpu);
	bool urgent = next != &cpu->idle && next->job->front && !self->job->front &&
		      trap_is_interrupt(frame);
	uint64_t now = clock_now_ns();
	if (urgent ||
	    (now >= self->slice_end_ns && !wake_idle_cpus() && next != &cpu->idle)) {
		thread_yield();
		return true;
	}
	turns_time(now);
	return false;
}

static bool work_came(const void *context)
{
	const struct cpu_sched *cpu = context;
	return cpu->coming || !queues_empty();
}

_Noreturn void sched_idle(void)
{
	for (;;) {
		struct cpu_sched *cpu = this_cpu();
		while (pick(cpu) == &cpu->idle) {
			cpu->idling = true;
			if (!queues_empty()) { /* they may not run here */
				wake_idle_cpus();
				turns_time(clock_now_ns());
				cpu_idle();
			} else {
				idle_wait(cpu->idle.ran_at_ns, work_came, cpu);
			}
			cpu->idling = cpu->coming = false;
		}
		sched_switch();
	}
}

uint64_t sched_cpu_idle_ns(unsigned id)
{
	const struct cpu_sched *cpu = &cpus[id];
	return cpu->idle_ns +
	       (cpu->idle.running ? clock_now_ns() - cpu->idle.ran_at_ns : 0);
}

uint64_t sched_idle_ns(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < cpu_count(); i++)
		sum += sched_cpu_idle_ns(i);
	return sum;
}

/* sched.c: run queues, sleeping and waking. */
#include "shim/proc/sched.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/mm/vm.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/proc/wait.h"

enum { QUEUE_FRONT, QUEUE_PAYLOAD, QUEUE_COUNT };

#define CPUS_MAX 64u

/* What each CPU schedules with. Under the kernel lock. */
struct cpu_sched {
	struct list queue[QUEUE_COUNT];
	struct thread idle;            /* the boot context; has no process */
	struct thread *dead;           /* left the CPU for good, not yet freed */
	const struct vmspace *loaded;  /* NULL: the kernel's own */
	struct timer slice;
	uint64_t idle_ns;
};

static struct cpu_sched cpus[CPUS_MAX];

static struct cpu_sched *this_cpu(void)
{
	return &cpus[cpu_id()];
}

static struct list *queue_of(const struct thread *thread)
{
	return &this_cpu()->queue[thread->job->front ? QUEUE_FRONT : QUEUE_PAYLOAD];
}

static void slice_over(struct timer *self)
{
	(void)self; /* the interrupt itself leads to sched_preempt */
}

void sched_init(void)
{
	KASSERT(cpu_id() < CPUS_MAX);
	struct cpu_sched *cpu = this_cpu();
	for (int i = 0; i < QUEUE_COUNT; i++)
		list_init(&cpu->queue[i]);
	list_init(&cpu->idle.run_link);
	cpu->idle.state = THREAD_RUNNABLE;
	cpu->slice.fire = slice_over;
	cpu_set_current_thread(&cpu->idle, &cpu->idle.arch);
}

struct thread *thread_current(void)
{
	return cpu_current_thread();
}

static struct thread *pick(struct cpu_sched *cpu)
{
	for (int i = 0; i < QUEUE_COUNT; i++)
		if (!list_empty(&cpu->queue[i]))
			return list_entry(cpu->queue[i].next, struct thread, run_link);
	return &cpu->idle;
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

/* A thread without memory, the idle thread too, runs in the kernel's own space, so that no CPU
 * ever has a space loaded that is freed meanwhile. */
static void load_space(struct cpu_sched *cpu, const struct thread *thread)
{
	const struct vmspace *vm = thread->process ? thread->process->vm : NULL;
	if (vm == cpu->loaded)
		return;
	cpu->loaded = vm;
	if (vm)
		pt_load(&vm->pt);
	else
		pt_load_kernel();
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

void sched_switch(void)
{
	struct cpu_sched *cpu = this_cpu();
	struct thread *from = thread_current(), *to = pick(cpu);
	uint64_t now = clock_now_ns();
	charge_time(cpu, from, now);
	to->ran_at_ns = now;
	to->slice_end_ns = now + SCHED_SLICE_NS;
	list_remove(&to->run_link);
	if (to != &cpu->idle && pick(cpu) != &cpu->idle && !timer_is_set(&cpu->slice))
		timer_set(&cpu->slice, to->slice_end_ns);
	if (to == from)
		return;
	if (from->state == THREAD_DEAD)
		cpu->dead = from;
	load_space(cpu, to);
	cpu_set_current_thread(to, &to->arch);
	arch_thread_switch(&from->arch, &to->arch);
	/* On this thread's stack again, perhaps on another CPU. A new thread's first steps are
	 * sched_begin's. */
	reap_dead(this_cpu());
}

void sched_begin(void)
{
	reap_dead(this_cpu());
}

void sched_start(struct thread *thread)
{
	thread->state = THREAD_RUNNABLE;
	list_append(queue_of(thread), &thread->run_link);
}

/* What has slept hardly used its turns: it need not wait for the whole of another's. */
static void shorten_slice(struct thread *running, uint64_t now)
{
	if (running->slice_end_ns > now + SCHED_WAKE_NS)
		running->slice_end_ns = now + SCHED_WAKE_NS;
}

void thread_wake(struct thread *thread)
{
	struct cpu_sched *cpu = this_cpu();
	struct thread *running = thread_current();
	thread->woken = true;
	if (thread->state != THREAD_SLEEPING)
		return;
	sched_start(thread);
	if (running == &cpu->idle)
		return;
	shorten_slice(running, clock_now_ns());
	if (timer_is_set(&cpu->slice) && cpu->slice.deadline_ns > running->slice_end_ns)
		timer_set(&cpu->slice, running->slice_end_ns);
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
	struct thread *self = thread_current(), *next = pick(cpu);
	if (next == &cpu->idle)
		return false;
	/* front goes before payloads at once when the network woke it; what a payload's own
	 * system call did (a byte down a pipe) can wait until it blocks or its slice is over. */
	bool urgent = next->job->front && !self->job->front && frame->vector != TRAP_SYSCALL;
	uint64_t now = clock_now_ns();
	if (urgent || now >= self->slice_end_ns) {
		thread_yield();
		return true;
	}
	if (!timer_is_set(&cpu->slice))
		timer_set(&cpu->slice, self->slice_end_ns);
	return false;
}

_Noreturn void sched_idle(void)
{
	for (;;) {
		struct cpu_sched *cpu = this_cpu();
		while (pick(cpu) == &cpu->idle)
			cpu_idle();
		sched_switch();
	}
}

uint64_t sched_idle_ns(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < CPUS_MAX; i++)
		sum += cpus[i].idle_ns;
	return sum;
}

/* Waiting. */

void waitq_init(struct waitq *q)
{
	list_init(&q->waiters);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	list_append(&q->waiters, &w->link);
}

void waitq_remove(struct waiter *w)
{
	list_remove(&w->link);
}

void waitq_wake(struct waitq *q, uint32_t events)
{
	/* A woken waiter only becomes runnable, or passes the news on; none leaves q here but
	 * itself. */
	list_for_each_safe(w, &q->waiters, struct waiter, link)
		w->wake(w, events);
}

static void wake_thread_waiter(struct waiter *self, uint32_t events)
{
	(void)events;
	thread_wake(container_of(self, struct thread_waiter, waiter)->thread);
}

void thread_waiter_init(struct thread_waiter *w)
{
	list_init(&w->waiter.link);
	w->waiter.wake = wake_thread_waiter;
	w->thread = thread_current();
}

void wait_prepare(void)
{
	thread_current()->woken = false;
}

static void wait_timed_out(struct timer *self)
{
	thread_wake(container_of(self, struct thread, wait_timer));
}

static int sleep_unless(bool (*interrupted)(void), uint64_t deadline_ns)
{
	struct thread *self = thread_current();
	if (self->woken)
		return 0;
	if (deadline_ns != WAIT_FOREVER && deadline_ns <= clock_now_ns())
		return -ETIMEDOUT;
	if (interrupted())
		return -EINTR;
	if (deadline_ns != WAIT_FOREVER) {
		self->wait_timer.fire = wait_timed_out;
		timer_set(&self->wait_timer, deadline_ns);
	}
	self->state = THREAD_SLEEPING;
	sched_switch();
	timer_cancel(&self->wait_timer);
	return 0;
}

int wait_sleep(uint64_t deadline_ns)
{
	return sleep_unless(wait_interrupted, deadline_ns);
}

static int wait_unless(bool (*interrupted)(void), struct waitq *q, uint64_t deadline_ns)
{
	struct thread_waiter w;
	thread_waiter_init(&w);
	wait_prepare();
	waitq_add(q, &w.waiter);
	int rc = sleep_unless(interrupted, deadline_ns);
	waitq_remove(&w.waiter);
	return rc;
}

int wait_on(struct waitq *q, uint64_t deadline_ns)
{
	return wait_unless(wait_interrupted, q, deadline_ns);
}

static bool must_die(void)
{
	return thread_must_die(thread_current());
}

int wait_on_killable(struct waitq *q)
{
	return wait_unless(must_die, q, WAIT_FOREVER);
}

bool wait_interrupted(void)
{
	struct thread *self = thread_current();
	return thread_must_die(self) || self->process->stopped || signal_pending(self);
}

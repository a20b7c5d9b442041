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

static struct list run_queue[QUEUE_COUNT];
static struct thread idle_thread; /* the boot context; has no process */
static struct thread *dead;       /* left the CPU for good, not yet freed */
static const struct vmspace *loaded;
static uint64_t idle_ns;

static struct list *queue_of(const struct thread *thread)
{
	return &run_queue[thread->process->job->front ? QUEUE_FRONT : QUEUE_PAYLOAD];
}

static void slice_over(struct timer *self)
{
	(void)self; /* the interrupt itself leads to sched_preempt */
}
static struct timer slice_timer = {.fire = slice_over};

void sched_init(void)
{
	for (int i = 0; i < QUEUE_COUNT; i++)
		list_init(&run_queue[i]);
	list_init(&idle_thread.run_link);
	idle_thread.state = THREAD_RUNNABLE;
	cpu_set_current_thread(&idle_thread, &idle_thread.arch);
}

struct thread *thread_current(void)
{
	return cpu_current_thread();
}

static struct thread *pick(void)
{
	for (int i = 0; i < QUEUE_COUNT; i++)
		if (!list_empty(&run_queue[i]))
			return list_entry(run_queue[i].next, struct thread, run_link);
	return &idle_thread;
}

static void charge_time(struct thread *thread, uint64_t now)
{
	uint64_t ran = now - thread->ran_at_ns;
	if (!thread->process) {
		idle_ns += ran;
		return;
	}
	thread->cpu_ns += ran;
	thread->process->cpu_ns += ran;
	thread->process->job->cpu_ns += ran;
}

static void load_space(const struct thread *thread)
{
	const struct vmspace *vm = thread->process ? thread->process->vm : NULL;
	if (vm == loaded || !thread->process)
		return; /* the idle thread runs in any space */
	loaded = vm;
	if (vm)
		pt_load(&vm->pt);
	else
		pt_load_kernel();
}

void sched_space_changed(void)
{
	loaded = NULL;
	pt_load_kernel();
	load_space(thread_current());
}

static void reap_dead(void)
{
	struct thread *thread = dead;
	dead = NULL;
	if (thread)
		thread_reap(thread);
}

void sched_switch(void)
{
	struct thread *from = thread_current(), *to = pick();
	uint64_t now = clock_now_ns();
	charge_time(from, now);
	to->ran_at_ns = now;
	to->slice_end_ns = now + SCHED_SLICE_NS;
	list_remove(&to->run_link);
	if (pick() != &idle_thread && to->process && !timer_is_set(&slice_timer))
		timer_set(&slice_timer, to->slice_end_ns);
	if (to == from)
		return;
	if (from->state == THREAD_DEAD)
		dead = from;
	load_space(to);
	cpu_set_current_thread(to, &to->arch);
	arch_thread_switch(&from->arch, &to->arch);
	reap_dead(); /* on the new thread's stack; a new thread does it in thread_begin */
}

void sched_begin(void)
{
	reap_dead();
}

void sched_start(struct thread *thread)
{
	thread->state = THREAD_RUNNABLE;
	list_append(queue_of(thread), &thread->run_link);
}

void thread_wake(struct thread *thread)
{
	thread->woken = true;
	if (thread->state == THREAD_SLEEPING)
		sched_start(thread);
}

void thread_yield(void)
{
	struct thread *self = thread_current();
	list_append(queue_of(self), &self->run_link);
	sched_switch();
}

void sched_preempt(const struct trapframe *frame)
{
	struct thread *self = thread_current(), *next = pick();
	if (next == &idle_thread)
		return;
	/* front goes before payloads at once when the network woke it; what a payload's own
	 * system call did (a byte down a pipe) can wait until it blocks or its slice is over. */
	bool urgent = next->process->job->front && !self->process->job->front &&
		      frame->vector != TRAP_SYSCALL;
	uint64_t now = clock_now_ns();
	if (urgent || now >= self->slice_end_ns)
		thread_yield();
	else if (!timer_is_set(&slice_timer))
		timer_set(&slice_timer, self->slice_end_ns);
}

_Noreturn void sched_idle(void)
{
	for (;;) {
		while (pick() == &idle_thread)
			cpu_idle();
		sched_switch();
	}
}

uint64_t sched_idle_ns(void)
{
	return idle_ns;
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
	struct thread *thread = container_of(self, struct thread, wait_timer);
	thread->timed_out = true;
	thread_wake(thread);
}

int wait_sleep(uint64_t deadline_ns)
{
	struct thread *self = thread_current();
	if (self->woken)
		return 0;
	if (wait_interrupted())
		return -EINTR;
	if (deadline_ns != WAIT_FOREVER && deadline_ns <= clock_now_ns())
		return -ETIMEDOUT;
	self->timed_out = false;
	if (deadline_ns != WAIT_FOREVER) {
		self->wait_timer.fire = wait_timed_out;
		timer_set(&self->wait_timer, deadline_ns);
	}
	self->state = THREAD_SLEEPING;
	sched_switch();
	timer_cancel(&self->wait_timer);
	if (self->timed_out)
		return -ETIMEDOUT;
	return wait_interrupted() ? -EINTR : 0;
}

int wait_on(struct waitq *q, uint64_t deadline_ns)
{
	struct thread_waiter w;
	thread_waiter_init(&w);
	wait_prepare();
	waitq_add(q, &w.waiter);
	int rc = wait_sleep(deadline_ns);
	waitq_remove(&w.waiter);
	return rc;
}

bool wait_interrupted(void)
{
	struct thread *self = thread_current();
	return thread_must_die(self) || signal_pending(self);
}

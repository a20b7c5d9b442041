/* wait.c: wait queues: sleeping until what is waited for, a time or a signal, and waking
 * who waits. */
#include "shim/proc/wait.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/proc/process.h"
#include "shim/proc/sched.h"
#include "shim/proc/thread.h"

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
	/* A woken waiter only becomes runnable, or passes the news on; none leaves q here
	 * but itself. */
	bool one_woken = false;
	list_for_each_safe(w, &q->waiters, struct waiter, link) {
		if (!w->exclusive)
			w->wake(w, events);
		else if (!one_woken)
			one_woken = w->wake(w, events);
	}
}

static bool wake_thread_waiter(struct waiter *self, uint32_t events)
{
	(void)events;
	thread_wake(container_of(self, struct thread_waiter, waiter)->thread);
	return true;
}

void thread_waiter_init(struct thread_waiter *w)
{
	list_init(&w->waiter.link);
	w->waiter.wake = wake_thread_waiter;
	w->waiter.exclusive = false;
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

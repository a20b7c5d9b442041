/* wait.h: sleeping until something happens.
 *
 * A waitq is a list of waiters; wake calls each waiter's function with the events that
 * happened (POLLIN and so on, 0: any). A sleeping thread is one kind of waiter, an epoll
 * item another. Under the kernel lock; wake functions must not sleep. */
#ifndef SHIM_PROC_WAIT_H
#define SHIM_PROC_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/lib/list.h"

struct waitq {
	struct list waiters;
};

struct waiter {
	struct list link; /* in waitq.waiters; empty when not waiting */
	/* Was somebody woken? Only asked of exclusive ones, of which waitq_wake wakes
	 * one. */
	bool (*wake)(struct waiter *self, uint32_t events);
	bool exclusive;
};

#define WAIT_FOREVER UINT64_MAX

void waitq_init(struct waitq *q);
void waitq_add(struct waitq *q, struct waiter *w);
void waitq_remove(struct waiter *w); /* harmless when it is not in a queue */
/* All that are not exclusive, and the first exclusive one that has somebody to wake. */
void waitq_wake(struct waitq *q, uint32_t events);

/* Puts the current thread to sleep on q until q is woken, deadline_ns of clock_now_ns()
 * comes, or a signal (or the end of its job) is pending: 0 after any of them. Without
 * sleeping -ETIMEDOUT when deadline_ns has passed, else -EINTR when something is pending.
 * So a caller tests its condition in a loop, and gives up only after a test that came
 * later than the reason to: what has happened goes before a signal, as in Linux. The
 * kernel lock is released while asleep, so everything not held by a reference may have
 * changed. */
int wait_on(struct waitq *q, uint64_t deadline_ns);

/* As wait_on, for ever, but only the end of the thread interrupts it: -EINTR. */
int wait_on_killable(struct waitq *q);

/* Waiting on several queues at once: wait_prepare(), add a thread_waiter to each queue,
 * test every condition, wait_sleep(), remove the waiters. */
struct thread;
struct thread_waiter {
	struct waiter waiter;
	struct thread *thread;
};
void thread_waiter_init(struct thread_waiter *w); /* for the current thread */
/* Sleeps until any waiter of this thread is woken since wait_prepare(); returns as
 * wait_on. */
void wait_prepare(void);
int wait_sleep(uint64_t deadline_ns);

/* Does the current thread have to leave the kernel: a signal to act on, or its end? */
bool wait_interrupted(void);

#endif

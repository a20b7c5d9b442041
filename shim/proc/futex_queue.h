/* futex_queue.h: the table of waiters, for futex*.c alone. */
#ifndef SHIM_PROC_FUTEX_QUEUE_H
#define SHIM_PROC_FUTEX_QUEUE_H

#include "shim/lib/list.h"
#include "shim/mm/page.h"
#include "shim/proc/futex.h"

struct futex_key {
	uint64_t space; /* a vmspace; 0: address is physical */
	uint64_t address;
	struct page *page;     /* held, so that the frame is nobody else's meanwhile */
	const struct job *job; /* of shared memory: pages of packed files are all jobs' */
};

static inline bool futex_key_equal(struct futex_key a, struct futex_key b)
{
	return a.space == b.space && a.address == b.address && a.job == b.job;
}

/* What a thread that waits hangs in the table; on its kernel stack. */
struct futex_waiter {
	struct list link;
	struct futex_key key;
	struct thread *thread;
	uint32_t bits;
	bool woken;
	bool pi;   /* waits for the lock; woken: has it */
	int owner; /* pi: the tid that holds the lock */
	struct list pi_link;
};

struct list *futex_bucket(struct futex_key key);
int futex_key_get(uaddr at, struct futex_key *key); /* 0, -EINVAL, -EFAULT */
void futex_key_put(struct futex_key *key);
void futex_enqueue(struct futex_waiter *w); /* for the current thread */
void futex_waiter_wake(struct futex_waiter *w);
void futex_dequeue(
	struct futex_waiter *w); /* out of the table, if in it; lets go of the key */
/* Once: 0 (look whether it was for this), -ETIMEDOUT, -EINTR. */
int futex_sleep(uint64_t deadline_ns);
/* Until woken, then dequeues. 0, -ETIMEDOUT, -ERESTART*. */
int futex_sleep_woken(struct futex_waiter *w, uint64_t deadline_ns);
/* futex_pi.c: passes the locks on that self holds and others wait for. */
void futex_pi_thread_exit(struct thread *self);

#endif

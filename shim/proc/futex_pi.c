/* futex_pi.c: locks whose word names the owner, and which the kernel passes on: to the
 * first waiter when they are unlocked, or when the owner ends with the lock held. */
#include "shim/lib/errno.h"
#include "shim/proc/futex_queue.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"

static struct list waiting = LIST_INIT(waiting); /* every pi waiter of the machine */

static struct futex_waiter *next_waiter(struct futex_key key,
					const struct futex_waiter *after)
{
	list_for_each(w, futex_bucket(key), struct futex_waiter, link)
		if (w->pi && w != after && futex_key_equal(w->key, key))
			return w;
	return NULL;
}

static bool tid_lives(int tid)
{
	list_for_each(process, &job_current()->processes, struct process, job_link)
		if (thread_find(process, tid))
			return true;
	return false;
}

/* Takes the lock when nobody has it, else sees to it that its owner will ask for waiters.
 * 1: taken; 0: *owner has it. */
static int take_or_mark(uaddr at, struct futex_key key, bool try_only, int *owner)
{
	uint32_t self = (uint32_t)thread_current()->tid, value, found;
	int rc = user_load32(&value, at);
	for (; rc == 0; value = found) {
		uint32_t tid = value & FUTEX_TID_MASK, wanted = value | FUTEX_WAITERS;
		if (tid == self)
			return -EDEADLK;
		if (tid == 0)
			wanted = self | (value & FUTEX_OWNER_DIED) |
				 (next_waiter(key, NULL) ? FUTEX_WAITERS : 0);
		else if (!tid_lives((int)tid))
			return -ESRCH;
		else if (try_only)
			return -EAGAIN;
		*owner = (int)tid;
		rc = user_cmpxchg32(at, value, wanted, &found);
		if (rc == 0 && found == value)
			return tid == 0;
	}
	return rc;
}

long futex_lock_pi(uaddr at, uint64_t deadline_ns, bool try_only)
{
	struct futex_waiter w = {.bits = FUTEX_ANY, .pi = true};
	int rc = futex_key_get(at, &w.key);
	if (rc < 0)
		return rc;
	rc = take_or_mark(at, w.key, try_only, &w.owner);
	if (rc != 0) {
		futex_key_put(&w.key);
		return rc > 0 ? 0 : rc;
	}
	futex_enqueue(&w);
	list_append(&waiting, &w.pi_link);
	rc = futex_sleep_woken(&w, deadline_ns);
	list_remove(&w.pi_link);
	return rc == -ERESTARTSYS || rc == -ERESTARTNOHAND ? -ERESTARTNOINTR : rc;
}

/* The lock is to's now. */
static void pass_on(struct futex_waiter *to)
{
	list_for_each(w, &waiting, struct futex_waiter, pi_link)
		if (futex_key_equal(w->key, to->key))
			w->owner = to->thread->tid;
	list_remove(&to->pi_link);
	futex_waiter_wake(to);
}

static uint32_t word_of_next(struct futex_waiter *next)
{
	return (uint32_t)next->thread->tid |
	       (next_waiter(next->key, next) ? FUTEX_WAITERS : 0);
}

long futex_unlock_pi(uaddr at)
{
	struct futex_key key;
	int rc = futex_key_get(at, &key);
	if (rc < 0)
		return rc;
	struct futex_waiter *next = next_waiter(key, NULL);
	uint32_t value, found;
	for (rc = user_load32(&value, at); rc == 0; value = found) {
		if ((value & FUTEX_TID_MASK) != (uint32_t)thread_current()->tid) {
			rc = -EPERM;
			break;
		}
		rc = user_cmpxchg32(at, value, next ? word_of_next(next) : 0, &found);
		if (rc == 0 && found == value) {
			if (next)
				pass_on(next);
			break;
		}
	}
	futex_key_put(&key);
	return rc;
}

/* Shared memory may be mapped nowhere in the dead thread's space by now: its frame is
 * known. */
static void word_store(struct futex_key key, uint32_t value)
{
	if (key.space)
		(void)user_store32((uaddr){key.address}, value);
	else
		__atomic_store_n((uint32_t *)phys_to_virt(key.address), value,
				 __ATOMIC_SEQ_CST);
}

void futex_pi_thread_exit(struct thread *self)
{
	bool passed = true;
	while (passed) {
		passed = false;
		list_for_each(w, &waiting, struct futex_waiter, pi_link) {
			if (w->owner != self->tid || w->thread->job != self->job)
				continue;
			struct futex_waiter *next = next_waiter(w->key, NULL);
			word_store(w->key, word_of_next(next) | FUTEX_OWNER_DIED);
			pass_on(next);
			passed = true;
			break; /* the list has changed */
		}
	}
}

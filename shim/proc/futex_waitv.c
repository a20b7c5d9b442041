/* futex_waitv.c: waiting for any of several words (futex_waitv(2)). */
#include "shim/lib/errno.h"
#include "shim/mm/kmem.h"
#include "shim/proc/futex_queue.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"

/* Linux names the last of those that were woken. */
static long last_woken(const struct futex_waiter *waiter, size_t count)
{
	long found = -1;
	for (size_t i = 0; i < count; i++)
		if (waiter[i].woken)
			found = (long)i;
	return found;
}

/* In the queue first, then the look: a wake-up between the two is not lost. */
static int enqueue_and_look(struct futex_waiter *w, const struct futex_wanted *wanted)
{
	int rc = futex_key_get(wanted->at, &w->key);
	if (rc < 0)
		return rc;
	w->bits = FUTEX_ANY;
	futex_enqueue(w);
	uint32_t found = 0;
	rc = user_load32(&found, wanted->at);
	return rc == 0 && found != wanted->expected ? -EAGAIN : rc;
}

long futex_wait_any(const struct futex_wanted *wanted, size_t count, uint64_t deadline_ns)
{
	struct futex_waiter *waiter =
		kzalloc(&job_current()->account, count * sizeof(*waiter));
	if (!waiter)
		return -ENOMEM;
	long rc = 0, woken;
	size_t queued = 0;
	for (; queued < count && rc == 0; queued++) {
		list_init(&waiter[queued].link);
		rc = enqueue_and_look(&waiter[queued], &wanted[queued]);
	}
	while ((woken = last_woken(waiter, queued)) < 0 && rc == 0)
		rc = futex_sleep(deadline_ns);
	for (size_t i = 0; i < queued; i++)
		futex_dequeue(&waiter[i]);
	kfree(waiter);
	if (woken >= 0)
		return woken;
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

/* futex.c: waiters hang in a hash table by the identity of the word they wait for. The
 * entry is on the sleeper's own kernel stack, so that waiting needs no memory. Locks that
 * the kernel hands over are in futex_pi.c, what a dead thread leaves behind in
 * futex_exit.c. */
#include "shim/proc/futex.h"

#include "shim/lib/errno.h"
#include "shim/mm/vm.h"
#include "shim/proc/futex_queue.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/sys/sys.h"

#define BUCKETS 256u
static struct list bucket[BUCKETS]; /* of futex_waiter; zeroed: not used yet */

struct list *futex_bucket(struct futex_key key)
{
	uint64_t hash = (key.space ^ key.address >> 2) * 0x9e3779b97f4a7c15ull;
	struct list *found = &bucket[hash >> 56];
	if (!found->next)
		list_init(found);
	return found;
}

/* Memory that processes share is known by its frame, other by space and address. Linux
 * tells private operations from others on private memory; that these meet here harms
 * nobody. */
int futex_key_get(uaddr at, struct futex_key *key)
{
	struct vmspace *vm = process_current()->vm;
	*key = (struct futex_key){(uint64_t)(uintptr_t)vm, at.va, NULL, NULL};
	if (at.va & 3)
		return -EINVAL;
	if (!vm_range_legal(at.va, sizeof(uint32_t)))
		return -EFAULT;
	struct vm_area *area = vm_find(vm, at.va, NULL);
	if (!area || area->start > at.va || !area->shared)
		return 0;
	paddr_t frame = vm_frame(vm, at.va);
	if (!frame)
		return -EFAULT;
	*key = (struct futex_key){0, frame, page_of_pa(frame), job_current()};
	page_get(key->page);
	return 0;
}

void futex_key_put(struct futex_key *key)
{
	if (key->page)
		page_put(key->page);
	key->page = NULL;
}

void futex_enqueue(struct futex_waiter *w)
{
	w->thread = thread_current();
	w->woken = false;
	list_append(futex_bucket(w->key), &w->link);
}

void futex_waiter_wake(struct futex_waiter *w)
{
	list_remove(&w->link);
	w->woken = true;
	thread_wake(w->thread);
}

void futex_dequeue(struct futex_waiter *w)
{
	list_remove(&w->link);
	futex_key_put(&w->key);
}

int futex_sleep(uint64_t deadline_ns)
{
	wait_prepare();
	int rc = wait_sleep(deadline_ns);
	return rc == -EINTR && signal_was_stop() ? 0 : rc;
}

int futex_sleep_woken(struct futex_waiter *w, uint64_t deadline_ns)
{
	int rc = 0;
	while (!w->woken && rc == 0)
		rc = futex_sleep(deadline_ns);
	futex_dequeue(w);
	if (w->woken || rc == -ETIMEDOUT)
		return w->woken ? 0 : rc;
	return deadline_ns == WAIT_FOREVER ? -ERESTARTSYS : -ERESTARTNOHAND;
}

long futex_wait(uaddr at, uint32_t expected, uint32_t bits, uint64_t deadline_ns)
{
	struct futex_waiter w = {.bits = bits};
	if (bits == 0)
		return -EINVAL;
	int rc = futex_key_get(at, &w.key);
	if (rc < 0)
		return rc;
	uint32_t found = 0;
	rc = user_load32(&found, at);
	if (rc == 0 && found != expected)
		rc = -EAGAIN;
	if (rc < 0) {
		futex_key_put(&w.key);
		return rc;
	}
	futex_enqueue(&w);
	return futex_sleep_woken(&w, deadline_ns);
}

/* At least one is woken where there is one, whatever count says: so Linux. */
static long wake_key(struct futex_key key, uint32_t count, uint32_t bits)
{
	long woken = 0;
	struct list *head = futex_bucket(key);
	list_for_each_safe(w, head, struct futex_waiter, link) {
		if (!futex_key_equal(w->key, key) || !(w->bits & bits))
			continue;
		if (w->pi)
			return -EINVAL;
		futex_waiter_wake(w);
		if (++woken >= (int32_t)count)
			break;
	}
	return woken;
}

long futex_wake(uaddr at, uint32_t count, uint32_t bits)
{
	struct futex_key key;
	if (bits == 0)
		return -EINVAL;
	int rc = futex_key_get(at, &key);
	if (rc < 0)
		return rc;
	long woken = wake_key(key, count, bits);
	futex_key_put(&key);
	return woken;
}

static void waiter_move(struct futex_waiter *w, struct futex_key to)
{
	list_remove(&w->link);
	futex_key_put(&w->key);
	w->key = to;
	if (to.page)
		page_get(to.page);
	list_append(futex_bucket(to), &w->link);
}

static long requeue_keys(struct futex_key from, struct futex_key to, uint32_t wake,
			 uint32_t move)
{
	uint64_t done = 0;
	if (futex_key_equal(from, to))
		move = 0; /* they stay where they are; Linux counts them as moved */
	list_for_each_safe(w, futex_bucket(from), struct futex_waiter, link) {
		if (!futex_key_equal(w->key, from))
			continue;
		if (w->pi)
			return -EINVAL;
		if (done >= (uint64_t)wake + move)
			break;
		if (done++ < wake)
			futex_waiter_wake(w);
		else
			waiter_move(w, to);
	}
	return (long)done;
}

long futex_requeue(uaddr from, uint32_t wake, uint32_t move, uaddr to, bool compare,
		   uint32_t expected)
{
	struct futex_key key, target;
	if ((int32_t)wake < 0 || (int32_t)move < 0)
		return -EINVAL;
	long rc = futex_key_get(from, &key);
	if (rc < 0)
		return rc;
	rc = futex_key_get(to, &target);
	if (rc < 0) {
		futex_key_put(&key);
		return rc;
	}
	uint32_t found = expected;
	if (compare)
		rc = user_load32(&found, from);
	if (rc == 0 && found != expected)
		rc = -EAGAIN;
	if (rc == 0)
		rc = requeue_keys(key, target, wake, move);
	futex_key_put(&target);
	futex_key_put(&key);
	return rc;
}

/* FUTEX_WAKE_OP's third word: op, comparison, and an argument for each (futex(2)). */
static bool operate(uint32_t operation, uint32_t value, uint32_t *result)
{
	uint32_t argument = (uint32_t)((int32_t)(operation << 8) >> 20);
	if (operation >> 28 & 8)
		argument = 1u << (argument & 31);
	switch (operation >> 28 & 7) {
	case 0:
		*result = argument;
		return true;
	case 1:
		*result = value + argument;
		return true;
	case 2:
		*result = value | argument;
		return true;
	case 3:
		*result = value & ~argument;
		return true;
	case 4:
		*result = value ^ argument;
		return true;
	}
	return false;
}

static int compare_old(uint32_t operation, uint32_t old)
{
	int32_t value = (int32_t)old, argument = (int32_t)(operation << 20) >> 20;
	switch (operation >> 24 & 15) {
	case 0:
		return value == argument;
	case 1:
		return value != argument;
	case 2:
		return value < argument;
	case 3:
		return value <= argument;
	case 4:
		return value > argument;
	case 5:
		return value >= argument;
	}
	return -ENOSYS;
}

static int operate_on_user(uaddr at, uint32_t operation, uint32_t *old)
{
	uint32_t wanted, found;
	int rc = user_load32(old, at);
	while (rc == 0) {
		if (!operate(operation, *old, &wanted))
			return -ENOSYS;
		rc = user_cmpxchg32(at, *old, wanted, &found);
		if (rc == 0 && found == *old)
			break;
		*old = found;
	}
	return rc;
}

long futex_wake_op(uaddr first, uint32_t wake, uint32_t wake_second, uaddr second,
		   uint32_t operation)
{
	struct futex_key key, other;
	long rc = futex_key_get(first, &key);
	if (rc < 0)
		return rc;
	rc = futex_key_get(second, &other);
	if (rc < 0) {
		futex_key_put(&key);
		return rc;
	}
	uint32_t old = 0;
	rc = operate_on_user(second, operation, &old);
	int met = rc == 0 ? compare_old(operation, old) : 0;
	if (met < 0)
		rc = met;
	if (rc == 0)
		rc = wake_key(key, wake, FUTEX_ANY);
	if (rc >= 0 && met > 0) {
		long more = wake_key(other, wake_second, FUTEX_ANY);
		rc = more < 0 ? more : rc + more;
	}
	futex_key_put(&other);
	futex_key_put(&key);
	return rc;
}

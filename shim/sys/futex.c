/* sys/futex.c: futex(2), futex_waitv(2) and the robust lists. What they do is
 * proc/futex*.c's. */
#include "shim/proc/futex.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"
#include "shim/sys/time.h"

enum {
	FUTEX_WAIT,
	FUTEX_WAKE,
	FUTEX_FD,
	FUTEX_REQUEUE,
	FUTEX_CMP_REQUEUE,
	FUTEX_WAKE_OP,
	FUTEX_LOCK_PI,
	FUTEX_UNLOCK_PI,
	FUTEX_TRYLOCK_PI,
	FUTEX_WAIT_BITSET,
	FUTEX_WAKE_BITSET,
	FUTEX_WAIT_REQUEUE_PI,
	FUTEX_CMP_REQUEUE_PI,
	FUTEX_LOCK_PI2,
	FUTEX_PRIVATE = 128,
	FUTEX_CLOCK_REALTIME = 256,
};

/* WAIT's timeout is from now on, the others' are points in time. */
static int deadline_get(uaddr at, int command, bool realtime, uint64_t *deadline_ns)
{
	uint64_t ns;
	*deadline_ns = WAIT_FOREVER;
	if (uaddr_is_null(at))
		return 0;
	int rc = time_get_timespec(at, &ns);
	if (rc < 0)
		return rc;
	uint64_t base = command == FUTEX_WAIT ? clock_now_ns() : 0;
	if (realtime)
		ns = time_realtime_to_monotonic(ns);
	*deadline_ns = time_add(base, ns);
	return 0;
}

static long futex_waiting(const struct sysargs *a, int command, bool realtime)
{
	uint64_t deadline_ns = WAIT_FOREVER;
	int rc = deadline_get(arg_user(a, 3), command, realtime, &deadline_ns);
	if (rc < 0)
		return rc;
	if (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2)
		return futex_lock_pi(arg_user(a, 0), deadline_ns, false);
	uint32_t bits = command == FUTEX_WAIT ? FUTEX_ANY : (uint32_t)a->arg[5];
	return futex_wait(arg_user(a, 0), (uint32_t)a->arg[2], bits, deadline_ns);
}

long sys_futex(const struct sysargs *a)
{
	uaddr at = arg_user(a, 0), other = arg_user(a, 4);
	int operation = (int)a->arg[1];
	int command = operation & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
	bool realtime = operation & FUTEX_CLOCK_REALTIME;
	uint32_t count = (uint32_t)a->arg[2], second = (uint32_t)a->arg[3];
	uint32_t last = (uint32_t)a->arg[5];
	if (realtime && command != FUTEX_WAIT_BITSET && command != FUTEX_LOCK_PI2)
		return -ENOSYS;
	switch (command) {
	case FUTEX_LOCK_PI:
		return futex_waiting(a, command, true);
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI2:
		return futex_waiting(a, command, realtime);
	case FUTEX_WAKE:
		return futex_wake(at, count, FUTEX_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(at, count, last);
	case FUTEX_REQUEUE:
		return futex_requeue(at, count, second, other, false, 0);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(at, count, second, other, true, last);
	case FUTEX_WAKE_OP:
		return futex_wake_op(at, count, second, other, last);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(at, WAIT_FOREVER, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(at);
	}
	return -ENOSYS;
}

#define WAITV_MAX 128u
#define FUTEX_32  2u /* the one size there is */

struct futex_waitv {
	uint64_t value, address;
	uint32_t flags, reserved;
};

static int waitv_get(struct futex_wanted *wanted, uaddr from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct futex_waitv row;
		int rc = copy_from_user(&row, uaddr_add(from, i * sizeof(row)),
					sizeof(row));
		if (rc < 0)
			return rc;
		if ((row.flags & ~(uint32_t)FUTEX_PRIVATE) != FUTEX_32 || row.reserved)
			return -EINVAL;
		wanted[i] = (struct futex_wanted){{row.address}, (uint32_t)row.value};
	}
	return 0;
}

long sys_futex_waitv(const struct sysargs *a)
{
	struct futex_wanted *wanted;
	size_t count = (uint32_t)a->arg[1];
	int clock = (int)a->arg[4];
	uint64_t deadline_ns = WAIT_FOREVER;
	if ((uint32_t)a->arg[2] || !count || count > WAITV_MAX ||
	    uaddr_is_null(arg_user(a, 0)))
		return -EINVAL;
	if (!uaddr_is_null(arg_user(a, 3))) {
		if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
			return -EINVAL;
		int rc = deadline_get(arg_user(a, 3), FUTEX_WAIT_BITSET,
				      clock == CLOCK_REALTIME, &deadline_ns);
		if (rc < 0)
			return rc;
	}
	wanted = kmalloc(&job_current()->account, count * sizeof(*wanted));
	if (!wanted)
		return -ENOMEM;
	long rc = waitv_get(wanted, arg_user(a, 0), count);
	if (rc == 0)
		rc = futex_wait_any(wanted, count, deadline_ns);
	kfree(wanted);
	return rc;
}

#define ROBUST_HEAD_SIZE 24

long sys_set_robust_list(const struct sysargs *a)
{
	if (a->arg[1] != ROBUST_HEAD_SIZE)
		return -EINVAL;
	thread_current()->robust_list = a->arg[0];
	return 0;
}

long sys_get_robust_list(const struct sysargs *a)
{
	int tid = (int)a->arg[0];
	struct thread *thread = tid ? NULL : thread_current();
	list_for_each(process, &job_current()->processes, struct process, job_link)
		if (!thread)
			thread = thread_find(process, tid);
	if (!thread)
		return -ESRCH;
	uint64_t size = ROBUST_HEAD_SIZE;
	int rc = copy_to_user(arg_user(a, 2), &size, sizeof(size));
	return rc < 0 ? rc
		      : copy_to_user(arg_user(a, 1), &thread->robust_list,
				     sizeof(thread->robust_list));
}

/* schedule.c: the sched_* calls, priorities, membarrier and rseq. Every thread here
 * has the same turns, whatever its policy; what asks for more is refused as Linux refuses
 * it to a program without CAP_SYS_NICE. */
#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/vm.h"
#include "shim/proc/process.h"
#include "shim/proc/sched.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"
#include "shim/sys/time.h"

enum { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5, SCHED_DEADLINE };
#define ATTR_RESET_ON_FORK 1u
#define RLIMIT_NICE        13

long sys_sched_yield(const struct sysargs *a)
{
	(void)a;
	thread_yield();
	return 0;
}

/* A thread of the job by its number; 0: the caller. */
static struct thread *thread_named(int tid)
{
	struct job *job = job_current();
	if (tid == 0)
		return thread_current();
	list_for_each(process, &job->processes, struct process, job_link) {
		struct thread *thread = thread_find(process, tid);
		if (thread)
			return thread;
	}
	return NULL;
}

static uint64_t all_cpus(void)
{
	unsigned count = cpu_count();
	return count >= 64 ? UINT64_MAX : (1ull << count) - 1;
}

long sys_sched_getaffinity(const struct sysargs *a)
{
	const struct thread *thread = thread_named((int)a->arg[0]);
	uint64_t mask = all_cpus();
	uint32_t size = (uint32_t)a->arg[1];
	if (size < sizeof(mask) || size % sizeof(mask))
		return -EINVAL;
	if (!thread)
		return -ESRCH;
	if (thread->affinity)
		mask = thread->affinity;
	return copy_to_user(arg_user(a, 2), &mask, sizeof(mask)) < 0 ? -EFAULT
								     : (long)sizeof(mask);
}

long sys_sched_setaffinity(const struct sysargs *a)
{
	uint64_t mask = 0;
	size_t size = (uint32_t)a->arg[1];
	if (copy_from_user(&mask, arg_user(a, 2),
			   size < sizeof(mask) ? size : sizeof(mask)) < 0)
		return -EFAULT;
	struct thread *thread = thread_named((int)a->arg[0]);
	if (!thread)
		return -ESRCH;
	mask &= all_cpus();
	if (!mask)
		return -EINVAL;
	thread->affinity = mask == all_cpus() ? 0 : mask;
	if (thread->running && thread != thread_current())
		cpu_interrupt(thread->cpu); /* to leave, if it must */
	return 0;
}

static bool is_policy(int policy)
{
	return (policy >= SCHED_OTHER && policy <= SCHED_BATCH) || policy == SCHED_IDLE ||
	       policy == SCHED_DEADLINE;
}

static long policy_set(struct thread *thread, int wanted, int priority)
{
	int policy = wanted & ~SCHED_RESET_ON_FORK;
	if (!is_policy(policy))
		return -EINVAL;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return priority < 1 || priority > 99 ? -EINVAL : -EPERM;
	if (policy == SCHED_DEADLINE)
		return -EPERM;
	if (priority)
		return -EINVAL;
	/* Idle counts as nicer than any nice. */
	const struct process *process = thread->process;
	if ((thread->policy & ~SCHED_RESET_ON_FORK) == SCHED_IDLE &&
	    policy != SCHED_IDLE &&
	    (uint64_t)(20 - process->nice) > process->rlimits[RLIMIT_NICE].soft)
		return -EPERM;
	if (thread->policy & ~wanted & SCHED_RESET_ON_FORK)
		return -EPERM;
	thread->policy = wanted;
	return 0;
}

long sys_sched_setscheduler(const struct sysargs *a)
{
	int32_t priority;
	if ((int)a->arg[0] < 0 || !a->arg[2])
		return -EINVAL;
	if (copy_from_user(&priority, arg_user(a, 2), sizeof(priority)) < 0)
		return -EFAULT;
	struct thread *thread = thread_named((int)a->arg[0]);
	return thread ? policy_set(thread, (int)a->arg[1], priority) : -ESRCH;
}

long sys_sched_getscheduler(const struct sysargs *a)
{
	if ((int)a->arg[0] < 0)
		return -EINVAL;
	const struct thread *thread = thread_named((int)a->arg[0]);
	return thread ? thread->policy : -ESRCH;
}

long sys_sched_setparam(const struct sysargs *a)
{
	int32_t priority;
	if ((int)a->arg[0] < 0 || !a->arg[1])
		return -EINVAL;
	if (copy_from_user(&priority, arg_user(a, 1), sizeof(priority)) < 0)
		return -EFAULT;
	struct thread *thread = thread_named((int)a->arg[0]);
	return thread ? policy_set(thread, thread->policy, priority) : -ESRCH;
}

long sys_sched_getparam(const struct sysargs *a)
{
	int32_t priority = 0;
	if ((int)a->arg[0] < 0 || !a->arg[1])
		return -EINVAL;
	if (!thread_named((int)a->arg[0]))
		return -ESRCH;
	return copy_to_user(arg_user(a, 1), &priority, sizeof(priority));
}

static long priority_bound(int policy, long realtime)
{
	if (!is_policy(policy))
		return -EINVAL;
	return policy == SCHED_FIFO || policy == SCHED_RR ? realtime : 0;
}

long sys_sched_get_priority_max(const struct sysargs *a)
{
	return priority_bound((int)a->arg[0], 99);
}

long sys_sched_get_priority_min(const struct sysargs *a)
{
	return priority_bound((int)a->arg[0], 1);
}

long sys_sched_rr_get_interval(const struct sysargs *a)
{
	if ((int)a->arg[0] < 0)
		return -EINVAL;
	if (!thread_named((int)a->arg[0]))
		return -ESRCH;
	return time_put_timespec(arg_user(a, 1), SCHED_SLICE_NS);
}

struct sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};
_Static_assert(sizeof(struct sched_attr) == 48, "Linux ABI, version 0");

#define NICE_MIN (-20)
#define NICE_MAX 19

static int nice_clamp(int nice)
{
	return nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
}

/* Being nicer is granted, and makes no difference; the way back needs CAP_SYS_NICE or
 * RLIMIT_NICE. */
static bool may_be_nice(const struct process *process, int nice)
{
	return nice >= process->nice ||
	       (uint64_t)(20 - nice) <= process->rlimits[RLIMIT_NICE].soft;
}

/* The structure says its own size; to who has another the known one is told. */
static int attr_get(struct sched_attr *attr, uaddr from)
{
	uint32_t size, known = sizeof(*attr);
	if (copy_from_user(&size, from, sizeof(size)) < 0)
		return -EFAULT;
	if (size == 0)
		size = known;
	int rc = size < known || size > PAGE_SIZE
			 ? -E2BIG
			 : copy_sized_from_user(attr, known, from, size);
	return rc == -E2BIG && copy_to_user(from, &known, sizeof(known)) < 0 ? -EFAULT
									     : rc;
}

long sys_sched_setattr(const struct sysargs *a)
{
	struct sched_attr attr;
	struct thread *thread;
	if ((int)a->arg[0] < 0 || !a->arg[1] || a->arg[2])
		return -EINVAL;
	long rc = attr_get(&attr, arg_user(a, 1));
	if (rc < 0)
		return rc;
	thread = thread_named((int)a->arg[0]);
	if (!thread)
		return -ESRCH;
	if (attr.flags & ~(uint64_t)ATTR_RESET_ON_FORK || attr.policy > SCHED_DEADLINE)
		return -EINVAL;
	if (!may_be_nice(thread->process, nice_clamp(attr.nice)))
		return -EPERM;
	rc = policy_set(thread, (int)attr.policy | (attr.flags ? SCHED_RESET_ON_FORK : 0),
			(int)attr.priority);
	if (rc < 0)
		return rc;
	thread->process->nice = nice_clamp(attr.nice);
	return 0;
}

long sys_sched_getattr(const struct sysargs *a)
{
	struct sched_attr attr = {.size = sizeof(attr)};
	if ((int)a->arg[0] < 0 || !a->arg[1] || (uint32_t)a->arg[2] < sizeof(attr) ||
	    a->arg[3])
		return -EINVAL;
	const struct thread *thread = thread_named((int)a->arg[0]);
	if (!thread)
		return -ESRCH;
	attr.policy = (uint32_t)thread->policy & ~(uint32_t)SCHED_RESET_ON_FORK;
	attr.flags = thread->policy & SCHED_RESET_ON_FORK ? ATTR_RESET_ON_FORK : 0;
	attr.nice = thread->process->nice;
	return copy_to_user(arg_user(a, 1), &attr, sizeof(attr));
}

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

/* Does a call about (which, who) mean this process? There is one user, 0. */
static bool priority_means(const struct process *process, int which, int who)
{
	const struct process *self = process_current();
	if (process->state != PROCESS_RUNNING)
		return false;
	switch (which) {
	case PRIO_PROCESS:
		return who ? process->pid == who ||
				       thread_find((struct process *)process, who)
			   : process == self;
	case PRIO_PGRP:
		return process->pgid == (who ? who : self->pgid);
	default:
		return who == 0;
	}
}

/* The best of them, as the call answers: 20 - nice, which is never negative. */
long sys_getpriority(const struct sysargs *a)
{
	int which = (int)a->arg[0], who = (int)a->arg[1];
	long best = -ESRCH;
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	list_for_each(process, &job_current()->processes, struct process, job_link)
		if (priority_means(process, which, who) && 20 - process->nice > best)
			best = 20 - process->nice;
	return best;
}

long sys_setpriority(const struct sysargs *a)
{
	int which = (int)a->arg[0], who = (int)a->arg[1],
	    nice = nice_clamp((int)a->arg[2]);
	long rc = -ESRCH;
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	list_for_each(process, &job_current()->processes, struct process, job_link) {
		if (!priority_means(process, which, who))
			continue;
		if (!may_be_nice(process, nice)) {
			rc = -EACCES;
			continue;
		}
		process->nice = nice;
		if (rc == -ESRCH)
			rc = 0;
	}
	return rc;
}

long sys_membarrier(const struct sysargs *a)
{
	enum { QUERY = 0, PRIVATE_EXPEDITED = 8, REGISTER_PRIVATE_EXPEDITED = 16 };
	if (a->arg[1])
		return -EINVAL;
	switch ((int)a->arg[0]) {
	case QUERY:
		return PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED;
	case REGISTER_PRIVATE_EXPEDITED:
		return 0;
	case PRIVATE_EXPEDITED:
		/* The interrupt of a shoot-down is a full barrier on every CPU that runs
		 * this program; entry and exit of the kernel are one here. */
		pt_flush(&process_current()->vm->pt, 0, USER_ADDRESS_END);
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_rseq(const struct sysargs *a)
{
	return rseq_register(a->arg[0], (uint32_t)a->arg[1], (uint32_t)a->arg[2],
			     (uint32_t)a->arg[3]);
}

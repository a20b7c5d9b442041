/* limits.c: resource limits and usage. */
#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/rusage.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"

#define RLIMIT_CPU  0
#define NS_PER_TICK 10000000ull /* AT_CLKTCK: 100 */

static int rlimit_get_set(struct process *process, unsigned resource,
			  const struct rlimit_pair *new, struct rlimit_pair *old)
{
	if (resource >= RLIMIT_COUNT)
		return -EINVAL;
	struct rlimit_pair *now = &process->rlimits[resource];
	if (old)
		*old = *now;
	if (!new)
		return 0;
	if (new->soft > new->hard)
		return -EINVAL;
	/* Nobody may go above what the job was given, whatever uid says. */
	if (new->hard > now->hard)
		return -EPERM;
	*now = *new;
	if (resource == RLIMIT_CPU && process->state == PROCESS_RUNNING)
		itimer_limit_changed(process);
	if (resource == RLIMIT_NOFILE_INDEX && process->fds)
		fdtable_limit_set(
			process->fds,
			(uint32_t)(new->soft < UINT32_MAX ? new->soft : UINT32_MAX));
	return 0;
}

long sys_getrlimit(const struct sysargs *a)
{
	struct rlimit_pair old;
	int rc = rlimit_get_set(process_current(), (unsigned)a->arg[0], NULL, &old);
	return rc < 0 ? rc : copy_to_user(arg_user(a, 1), &old, sizeof(old));
}

long sys_setrlimit(const struct sysargs *a)
{
	struct rlimit_pair new;
	if (copy_from_user(&new, arg_user(a, 1), sizeof(new)) < 0)
		return -EFAULT;
	return rlimit_get_set(process_current(), (unsigned)a->arg[0], &new, NULL);
}

long sys_prlimit64(const struct sysargs *a)
{
	struct process *self = process_current(), *process = self;
	struct rlimit_pair new, old;
	bool set = a->arg[2] != 0;
	if ((int)a->arg[0])
		process = process_find(self->job, (int)a->arg[0]);
	if (!process || process->state == PROCESS_ZOMBIE)
		return -ESRCH;
	if (set && copy_from_user(&new, arg_user(a, 2), sizeof(new)) < 0)
		return -EFAULT;
	int rc = rlimit_get_set(process, (unsigned)a->arg[1], set ? &new : NULL, &old);
	if (rc == 0 && a->arg[3])
		rc = copy_to_user(arg_user(a, 3), &old, sizeof(old));
	return rc;
}

void rusage_make(struct linux_rusage *out, uint64_t cpu_ns, const struct usage *usage)
{
	*out = (struct linux_rusage){
		.user = {(int64_t)(cpu_ns / 1000000000),
			 (int64_t)(cpu_ns / 1000 % 1000000)},
		.max_resident_kib = (int64_t)(usage->peak_pages * (PAGE_SIZE / 1024)),
		.minor_faults = (int64_t)usage->faults,
		.waits = (int64_t)usage->waits,
		.preemptions = (int64_t)usage->preemptions,
	};
}

long sys_getrusage(const struct sysargs *a)
{
	enum { SELF = 0, CHILDREN = -1, THREAD = 1 };
	const struct thread *self = thread_current();
	struct usage usage = process_usage(self->process);
	struct linux_rusage out;
	sched_charge_current();
	switch ((int)a->arg[0]) {
	case SELF:
		rusage_make(&out, self->process->cpu_ns, &usage);
		break;
	case CHILDREN:
		rusage_make(&out, self->process->children_cpu_ns,
			    &self->process->children_usage);
		break;
	case THREAD: {
		struct usage own = self->usage;
		own.peak_pages = usage.peak_pages; /* memory is the process' */
		rusage_make(&out, self->cpu_ns, &own);
		break;
	}
	default:
		return -EINVAL;
	}
	return copy_to_user(arg_user(a, 1), &out, sizeof(out));
}

long sys_times(const struct sysargs *a)
{
	struct process *self = process_current();
	sched_charge_current();
	uint64_t times[4] = {self->cpu_ns / NS_PER_TICK, 0,
			     self->children_cpu_ns / NS_PER_TICK, 0};
	if (a->arg[0] && copy_to_user(arg_user(a, 0), times, sizeof(times)) < 0)
		return -EFAULT;
	return (long)(clock_now_ns() / NS_PER_TICK);
}

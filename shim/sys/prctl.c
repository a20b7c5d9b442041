/* prctl.c: prctl(2) and arch_prctl(2). What a kernel without a feature refuses is refused
 * here as it is there. */
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/pagetable.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"

enum prctl_option {
	PR_SET_PDEATHSIG = 1,
	PR_GET_PDEATHSIG,
	PR_GET_DUMPABLE,
	PR_SET_DUMPABLE,
	PR_GET_KEEPCAPS = 7,
	PR_SET_KEEPCAPS,
	PR_GET_TIMING = 13,
	PR_SET_TIMING,
	PR_SET_NAME,
	PR_GET_NAME,
	PR_GET_SECCOMP = 21,
	PR_CAPBSET_READ = 23,
	PR_CAPBSET_DROP,
	PR_GET_TSC = 25,
	PR_GET_SECUREBITS = 27,
	PR_SET_TIMERSLACK = 29,
	PR_GET_TIMERSLACK,
	PR_SET_CHILD_SUBREAPER = 36,
	PR_GET_CHILD_SUBREAPER,
	PR_SET_NO_NEW_PRIVS,
	PR_GET_NO_NEW_PRIVS,
	PR_GET_TID_ADDRESS,
	PR_SET_THP_DISABLE,
	PR_GET_THP_DISABLE,
};
#define TIMERSLACK_NS   50000 /* Linux' default; timers here are exact */
#define CAPABILITY_LAST 40u
#define TSC_ENABLED     1

static long set_name(const struct sysargs *a)
{
	struct thread *self = thread_current();
	char name[COMM_MAX];
	long length = copy_string_from_user(name, arg_user(a, 1), sizeof(name));
	if (length < 0 && length != -ENAMETOOLONG)
		return length;
	name[sizeof(name) - 1] = '\0';
	memset(self->comm, 0, sizeof(self->comm));
	(void)strlcpy(self->comm, name, sizeof(self->comm));
	if (self->tid == self->process->pid)
		memcpy(self->process->comm, self->comm, sizeof(self->comm));
	return 0;
}

static long put_int(const struct sysargs *a, int32_t value)
{
	return copy_to_user(arg_user(a, 1), &value, sizeof(value));
}

static bool no_more_arguments(const struct sysargs *a, int from)
{
	for (int i = from; i < 5; i++)
		if (a->arg[i])
			return false;
	return true;
}

static long set_flag(const struct sysargs *a)
{
	struct process *self = process_current();
	switch (a->arg[0]) {
	case PR_SET_PDEATHSIG:
		if (a->arg[1] > SIGNAL_COUNT)
			return -EINVAL;
		self->death_signal = (int)a->arg[1];
		return 0;
	case PR_SET_DUMPABLE:
		if (a->arg[1] > 1)
			return -EINVAL;
		self->dumpable = a->arg[1] != 0;
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		if (a->arg[1] != 1 || !no_more_arguments(a, 2))
			return -EINVAL;
		self->no_new_privs = true;
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_prctl(const struct sysargs *a)
{
	struct thread *self = thread_current();
	switch (a->arg[0]) {
	case PR_SET_PDEATHSIG:
	case PR_SET_DUMPABLE:
	case PR_SET_NO_NEW_PRIVS:
		return set_flag(a);
	case PR_GET_PDEATHSIG:
		return put_int(a, self->process->death_signal);
	case PR_GET_DUMPABLE:
		return self->process->dumpable;
	case PR_GET_NO_NEW_PRIVS:
		return no_more_arguments(a, 1) ? self->process->no_new_privs : -EINVAL;
	case PR_SET_NAME:
		return set_name(a);
	case PR_GET_NAME:
		return copy_to_user(arg_user(a, 1), self->comm, sizeof(self->comm));
	case PR_GET_TID_ADDRESS:
		return copy_to_user(arg_user(a, 1), &self->clear_tid,
				    sizeof(self->clear_tid));
	case PR_CAPBSET_READ:
		return a->arg[1] <= CAPABILITY_LAST ? 0 : -EINVAL; /* nobody has any */
	case PR_CAPBSET_DROP:
		return a->arg[1] <= CAPABILITY_LAST ? -EPERM : -EINVAL;
	case PR_GET_TSC:
		return put_int(a, TSC_ENABLED);
	case PR_GET_TIMERSLACK:
		return TIMERSLACK_NS;
	case PR_GET_CHILD_SUBREAPER:
		return put_int(a, self->process->job->leader == self->process);
	case PR_GET_TIMING:
	case PR_GET_SECCOMP:
	case PR_GET_SECUREBITS:
	case PR_GET_THP_DISABLE:
	case PR_SET_TIMERSLACK:  /* a hint about lateness: always kept */
	case PR_SET_THP_DISABLE: /* there are none */
		return 0;
	case PR_GET_KEEPCAPS:
		return self->keep_caps;
	case PR_SET_KEEPCAPS:
		if (a->arg[1] > 1)
			return -EINVAL;
		self->keep_caps = a->arg[1];
		return 0;
	case PR_SET_TIMING:
		return a->arg[1] ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* arch_prctl(2): codes of asm/prctl.h. */
long sys_arch_prctl(const struct sysargs *a)
{
	enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS, GET_CPUID = 0x1011, SET_CPUID };
	struct thread *self = thread_current();
	uint64_t base = a->arg[1];
	switch (a->arg[0]) {
	case SET_FS:
	case SET_GS:
		if (base >= USER_ADDRESS_END)
			return -EPERM;
		if (a->arg[0] == SET_FS)
			arch_set_fs_base(&self->arch, base);
		else
			arch_set_gs_base(&self->arch, base);
		return 0;
	case GET_FS:
	case GET_GS:
		base = a->arg[0] == GET_FS ? arch_fs_base(&self->arch)
					   : arch_gs_base(&self->arch);
		return copy_to_user(arg_user(a, 1), &base, sizeof(base));
	case GET_CPUID:
		return 1;
	case SET_CPUID:
		return -ENODEV; /* CPUID faulting is not there */
	default:
		return -EINVAL;
	}
}

/* sys/signal.c: what a thread does about signals: actions, masks, waiting, stacks,
 * descriptors. Sending them is kill.c's. */
#include "shim/proc/signal.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/sys/time.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/signalfd.h"

#define MASK_SIZE 8u
static const uint64_t unblockable = 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1);

long sys_rt_sigaction(const struct sysargs *a)
{
	struct process *self = process_current();
	int signo = (int)a->arg[0];
	struct signal_action new, old;
	if (a->arg[3] != MASK_SIZE || signo < 1 || signo > SIGNAL_COUNT ||
	    (a->arg[1] && (signo == SIGKILL || signo == SIGSTOP)))
		return -EINVAL;
	if (a->arg[1] && copy_from_user(&new, arg_user(a, 1), sizeof(new)) < 0)
		return -EFAULT;
	old = self->actions->action[signo - 1];
	if (a->arg[1]) {
		new.mask.bits &= ~unblockable;
		self->actions->action[signo - 1] = new;
		/* POSIX 2.4.3: what is pending and is ignored now is forgotten. */
		if (signal_is_ignored(self, signo))
			signal_forget(self, signal_bit(signo));
	}
	return a->arg[2] ? copy_to_user(arg_user(a, 2), &old, sizeof(old)) : 0;
}

static int mask_read(const struct sysargs *a, int n, uint64_t size,
		     struct signal_mask *mask)
{
	if (size != MASK_SIZE)
		return -EINVAL;
	return copy_from_user(mask, arg_user(a, n), sizeof(*mask));
}

long sys_rt_sigprocmask(const struct sysargs *a)
{
	enum { BLOCK, UNBLOCK, SET };
	struct thread *self = thread_current();
	struct signal_mask old = self->mask, given;
	if (a->arg[3] != MASK_SIZE)
		return -EINVAL;
	if (a->arg[1]) {
		if (copy_from_user(&given, arg_user(a, 1), sizeof(given)) < 0)
			return -EFAULT;
		given.bits &= ~unblockable;
		switch ((int)a->arg[0]) {
		case BLOCK:
			self->mask.bits |= given.bits;
			break;
		case UNBLOCK:
			self->mask.bits &= ~given.bits;
			break;
		case SET:
			self->mask = given;
			break;
		default:
			return -EINVAL;
		}
	}
	return a->arg[2] ? copy_to_user(arg_user(a, 2), &old, sizeof(old)) : 0;
}

long sys_rt_sigreturn(const struct sysargs *a)
{
	return signal_frame_pop(a->frame);
}

long sys_rt_sigpending(const struct sysargs *a)
{
	struct thread *self = thread_current();
	struct signal_mask set = {
		(self->pending.pending.bits | self->process->pending.pending.bits) &
		self->mask.bits};
	if (a->arg[1] > MASK_SIZE)
		return -EINVAL;
	return copy_to_user(arg_user(a, 0), &set, a->arg[1]);
}

/* Until a signal comes that is acted on; its handler, if any, runs before the return. */
static long sleep_for_signal(void)
{
	struct waitq never;
	waitq_init(&never);
	while (wait_on(&never, WAIT_FOREVER) != -EINTR)
		;
	return -ERESTARTNOHAND;
}

long sys_pause(const struct sysargs *a)
{
	(void)a;
	return sleep_for_signal();
}

long sys_rt_sigsuspend(const struct sysargs *a)
{
	struct thread *self = thread_current();
	struct signal_mask mask;
	int rc = mask_read(a, 0, a->arg[1], &mask);
	if (rc < 0)
		return rc;
	self->saved_mask = self->mask;
	self->restore_mask = true;
	self->mask.bits = mask.bits & ~unblockable;
	return sleep_for_signal();
}

long sys_rt_sigtimedwait(const struct sysargs *a)
{
	struct thread *self = thread_current();
	struct signal_mask set;
	struct signal_info info;
	struct waitq never;
	uint64_t deadline = WAIT_FOREVER, timeout;
	int rc = mask_read(a, 0, a->arg[3], &set), signo;
	if (rc == 0 && a->arg[2]) {
		rc = time_get_timespec(arg_user(a, 2), &timeout);
		deadline = time_add(clock_now_ns(), timeout);
	}
	if (rc < 0)
		return rc;
	waitq_init(&never);
	set.bits &= ~unblockable;
	self->awaited = set;
	for (;;) {
		signo = signal_take(self, set, &info);
		if (signo || rc < 0)
			break;
		rc = wait_on(&never, deadline);
	}
	self->awaited.bits = 0;
	if (!signo)
		return rc == -ETIMEDOUT ? -EAGAIN : -EINTR;
	if (a->arg[1]) {
		struct siginfo_bytes bytes;
		signal_info_encode(&bytes, &info);
		if (copy_to_user(arg_user(a, 1), &bytes, sizeof(bytes)) < 0)
			return -EFAULT;
	}
	return signo;
}

#define STACK_SIZE_MIN 2048u /* MINSIGSTKSZ of the ABI */

struct stack_words {
	uint64_t base;
	uint32_t flags, padding;
	uint64_t size;
};

static struct stack_words altstack_get(const struct thread *self, uint64_t sp)
{
	const struct signal_stack *stack = &self->altstack;
	struct stack_words words = {.base = stack->base, .size = stack->size};
	words.flags = stack->flags & SS_AUTODISARM;
	if (!stack->size)
		words.flags |= SS_DISABLE;
	else if (signal_on_altstack(self, sp))
		words.flags |= SS_ONSTACK;
	return words;
}

long sys_sigaltstack(const struct sysargs *a)
{
	struct thread *self = thread_current();
	struct stack_words old = altstack_get(self, a->frame->rsp), new;
	if (a->arg[0]) {
		if (copy_from_user(&new, arg_user(a, 0), sizeof(new)) < 0)
			return -EFAULT;
		uint32_t mode = new.flags & ~SS_AUTODISARM;
		if (old.flags & SS_ONSTACK)
			return -EPERM;
		if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
			return -EINVAL;
		if (mode == SS_DISABLE)
			self->altstack =
				(struct signal_stack){0, 0, new.flags &SS_AUTODISARM};
		else if (new.size < STACK_SIZE_MIN)
			return -ENOMEM;
		else
			self->altstack = (struct signal_stack){new.base, new.size,
							       new.flags &SS_AUTODISARM};
	}
	return a->arg[1] ? copy_to_user(arg_user(a, 1), &old, sizeof(old)) : 0;
}

static long signalfd_call(const struct sysargs *a, unsigned flags)
{
	struct signal_mask mask;
	struct file *file;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	long rc = mask_read(a, 1, a->arg[2], &mask);
	if (rc < 0)
		return rc;
	mask.bits &= ~unblockable;
	if ((int)a->arg[0] == -1) {
		rc = signalfd_make(mask, flags & O_NONBLOCK, &file);
		return rc < 0 ? rc : descriptor_install(file, flags & O_CLOEXEC);
	}
	file = file_of(a, 0);
	if (!file)
		return -EBADF;
	rc = signalfd_set(file, mask);
	file_put(file);
	return rc < 0 ? rc : (int)a->arg[0];
}

long sys_signalfd(const struct sysargs *a)
{
	return signalfd_call(a, 0);
}

long sys_signalfd4(const struct sysargs *a)
{
	return signalfd_call(a, (unsigned)a->arg[3]);
}

long sys_restart_syscall(const struct sysargs *a)
{
	(void)a;
	return -EINTR; /* no call here leaves anything to take up again */
}

/* signal_deliver.c: acting on signals when a thread goes back to ring 3: handlers, whose
 * frame is signal_frame.c's, defaults, and the system call that was interrupted. */
#include "shim/proc/signal.h"

#include "shim/arch/x86_64/cpu.h"
#include "shim/proc/process.h"
#include "shim/proc/sched.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"

/* Redoes or ends a system call that a signal interrupted. */
static void restart_call(struct trapframe *frame, const struct signal_action *action)
{
	if (frame->vector != TRAP_SYSCALL)
		return;
	long result = (long)frame->rax;
	bool restart;
	if (result == -ERESTARTSYS)
		restart = !action || (action->flags & SA_RESTART);
	else if (result == -ERESTARTNOHAND)
		restart = !action;
	else if (result == -ERESTARTNOINTR)
		restart = true;
	else
		return;
	if (restart) {
		frame->rax = frame->error; /* the call's number */
		frame->rip -= 2;           /* the syscall instruction */
	} else {
		frame->rax = (uint64_t)-EINTR;
	}
}

static void run_handler(struct trapframe *frame, struct signal_action *action,
			const struct signal_info *info)
{
	struct thread *self = thread_current();
	struct signal_action copy = *action;
	restart_call(frame, &copy);
	if (copy.flags & SA_RESETHAND)
		action->handler = SIG_DFL;
	if (!rseq_signal(frame) || !signal_frame_push(frame, &copy, info)) {
		/* As Linux: SIGSEGV, which may have a stack of its own; its own frame's
		 * failure is the end. */
		struct signal_info fault = {.signo = SIGSEGV, .code = SI_KERNEL};
		if (info->signo == SIGSEGV)
			action->handler = SIG_DFL;
		signal_force(&fault);
		return;
	}
	self->restore_mask = false;
	self->mask.bits |= copy.mask.bits;
	if (!(copy.flags & SA_NODEFER))
		self->mask.bits |= signal_bit(info->signo).bits;
	self->mask.bits &= ~(signal_bit(SIGKILL).bits | signal_bit(SIGSTOP).bits);
}

/* POSIX: the terminal's stop signals do not stop a process group that nobody would
 * continue: one without a member whose parent is in another group of the same session. */
bool signal_group_is_orphaned(const struct process *process)
{
	list_for_each(member, &process->job->processes, struct process, job_link) {
		const struct process *parent = member->parent;
		if (member->pgid == process->pgid && member->state == PROCESS_RUNNING &&
		    parent && parent->pgid != process->pgid &&
		    parent->sid == process->sid)
			return false;
	}
	return true;
}

static void act_by_default(struct process *process, int signo)
{
	switch (signal_default(signo)) {
	case SIGNAL_TERMINATES:
		process_exit(signo);
	case SIGNAL_STOPS:
		if (signo == SIGSTOP || !signal_group_is_orphaned(process))
			signal_stop_process(process, signo);
		break;
	case SIGNAL_IGNORED:
	case SIGNAL_CONTINUES:
		break;
	}
}

/* SIGCONT and the end wake a stopped thread; whatever else does finds it here again. */
void signal_stay_stopped(struct thread *self)
{
	while (self->process->stopped && !thread_must_die(self)) {
		self->state = THREAD_SLEEPING;
		sched_switch();
	}
}

bool signal_was_stop(void)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	while (!thread_must_die(self)) {
		struct signal_mask open = {~self->mask.bits};
		struct signal_info info;
		signal_stay_stopped(self);
		uint64_t pending =
			(self->pending.pending.bits | process->pending.pending.bits) &
			open.bits;
		if (!pending)
			return !thread_must_die(self);
		int signo = __builtin_ctzll(pending) + 1;
		if (signal_default(signo) != SIGNAL_STOPS ||
		    process->actions->action[signo - 1].handler != SIG_DFL)
			return false;
		signal_take(self, open, &info);
		act_by_default(process, signo);
	}
	return false;
}

void signal_deliver(struct trapframe *frame)
{
	struct thread *self = thread_current();
	struct signal_info info;
	while (!self->process->stopped && !thread_must_die(self) &&
	       signal_take(self, (struct signal_mask){~self->mask.bits}, &info)) {
		struct signal_action *action =
			&self->process->actions->action[info.signo - 1];
		if (action->handler == SIG_IGN)
			continue;
		if (action->handler == SIG_DFL)
			act_by_default(self->process, info.signo);
		else
			run_handler(frame, action, &info);
	}
	if (self->process->stopped || thread_must_die(self))
		return; /* comes here again before it runs in ring 3 */
	restart_call(frame, NULL);
	if (self->restore_mask) {
		self->restore_mask = false;
		self->mask = self->saved_mask;
	}
}

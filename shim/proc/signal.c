/* signal.c: sending signals and deciding what becomes of them. The frame that a handler
 * runs on is signal_frame.c's. */
#include "shim/proc/signal.h"

#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/proc/sched.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"

struct signal_queued {
	struct list link;
	struct signal_info info;
};

/* Realtime signals queue as often as they are sent, up to this many a set (RLIMIT_SIGPENDING
 * would say); others once. */
#define QUEUE_MAX 256

enum default_act { TERMINATE, CORE, IGNORE, STOP, CONTINUE };

static const uint8_t defaults[32] = {
	[SIGQUIT] = CORE,    [SIGILL] = CORE,     [SIGTRAP] = CORE,  [SIGABRT] = CORE,
	[SIGBUS] = CORE,     [SIGFPE] = CORE,     [SIGSEGV] = CORE,  [SIGXCPU] = CORE,
	[SIGXFSZ] = CORE,    [SIGSYS] = CORE,     [SIGCHLD] = IGNORE, [SIGURG] = IGNORE,
	[SIGWINCH] = IGNORE, [SIGCONT] = CONTINUE, [SIGSTOP] = STOP, [SIGTSTP] = STOP,
	[SIGTTIN] = STOP,    [SIGTTOU] = STOP,
};

static enum default_act default_of(int signo)
{
	return signo < 32 ? (enum default_act)defaults[signo] : TERMINATE;
}

struct signal_actions *signal_actions_make(struct account *account)
{
	struct signal_actions *actions = kzalloc(account, sizeof(*actions));
	if (actions)
		actions->refs = 1;
	return actions;
}

struct signal_actions *signal_actions_copy(struct account *account,
					   const struct signal_actions *from)
{
	struct signal_actions *actions = signal_actions_make(account);
	if (actions)
		memcpy(actions->action, from->action, sizeof(actions->action));
	return actions;
}

void signal_actions_put(struct signal_actions *actions)
{
	if (actions && --actions->refs == 0)
		kfree(actions);
}

void signal_actions_reset(struct signal_actions *actions)
{
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		uint64_t handler = actions->action[i].handler;
		actions->action[i] = (struct signal_action){
			.handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL};
	}
}

bool signal_actions_ignore_children(const struct signal_actions *actions)
{
	const struct signal_action *action = &actions->action[SIGCHLD - 1];
	return action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT);
}

void signal_set_clear(struct signal_set *set)
{
	list_for_each_safe(queued, &set->queue, struct signal_queued, link) {
		list_remove(&queued->link);
		kfree(queued);
	}
	set->pending.bits = 0;
}

/* Would the process not even notice? Blocked signals are kept: the action may change. */
static bool is_ignored(const struct process *process, int signo)
{
	uint64_t handler = process->actions->action[signo - 1].handler;
	if (signo == SIGKILL)
		return false;
	return handler == SIG_IGN ||
	       (handler == SIG_DFL && (default_of(signo) == IGNORE ||
				       default_of(signo) == CONTINUE || default_of(signo) == STOP));
}

static void set_add(struct signal_set *set, struct process *process,
		    const struct signal_info *info)
{
	struct signal_mask bit = signal_bit(info->signo);
	bool realtime = info->signo >= SIGRTMIN;
	if ((set->pending.bits & bit.bits) && !realtime)
		return;
	unsigned queued_count = 0;
	list_for_each(it, &set->queue, struct signal_queued, link)
		queued_count++;
	if (queued_count < QUEUE_MAX) {
		struct signal_queued *queued = kmalloc(&process->job->account, sizeof(*queued));
		if (queued) {
			queued->info = *info;
			list_append(&set->queue, &queued->link);
		}
	}
	set->pending.bits |= bit.bits; /* without memory the signal comes, its details do not */
}

void signal_send_thread(struct thread *thread, const struct signal_info *info)
{
	struct process *process = thread->process;
	if (process->state == PROCESS_ZOMBIE || !process->actions)
		return;
	bool blocked = thread->mask.bits & signal_bit(info->signo).bits;
	if (!blocked && is_ignored(process, info->signo))
		return;
	set_add(&thread->pending, process, info);
	if (!blocked || info->signo == SIGKILL)
		thread_wake(thread);
}

void signal_send_process(struct process *process, const struct signal_info *info)
{
	if (process->state == PROCESS_ZOMBIE || !process->actions)
		return;
	struct thread *chosen = NULL;
	list_for_each(thread, &process->threads, struct thread, process_link)
		if (!chosen && !(thread->mask.bits & signal_bit(info->signo).bits))
			chosen = thread;
	if (chosen && is_ignored(process, info->signo))
		return;
	set_add(&process->pending, process, info);
	if (info->signo == SIGKILL)
		process_kill_threads(process, SIGKILL);
	else if (chosen)
		thread_wake(chosen);
}

bool signal_pending(struct thread *thread)
{
	uint64_t pending = thread->pending.pending.bits | thread->process->pending.pending.bits;
	return pending & ~thread->mask.bits;
}

static bool take_from(struct signal_set *set, int signo, struct signal_info *info)
{
	struct signal_mask bit = signal_bit(signo);
	if (!(set->pending.bits & bit.bits))
		return false;
	*info = (struct signal_info){.signo = signo};
	bool taken = false, more = false;
	list_for_each_safe(queued, &set->queue, struct signal_queued, link) {
		if (queued->info.signo != signo)
			continue;
		if (taken) {
			more = true;
			break;
		}
		*info = queued->info;
		taken = true;
		list_remove(&queued->link);
		kfree(queued);
	}
	if (!more)
		set->pending.bits &= ~bit.bits;
	return true;
}

int signal_take(struct thread *thread, struct signal_mask mask, struct signal_info *info)
{
	struct signal_set *sets[] = {&thread->pending, &thread->process->pending};
	for (int i = 0; i < 2; i++) {
		uint64_t ready = sets[i]->pending.bits & mask.bits;
		/* Faults first (SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS), then by number. */
		uint64_t faults = signal_bit(SIGILL).bits | signal_bit(SIGTRAP).bits |
				  signal_bit(SIGBUS).bits | signal_bit(SIGFPE).bits |
				  signal_bit(SIGSEGV).bits | signal_bit(SIGSYS).bits;
		if (ready & faults)
			ready &= faults;
		if (ready) {
			int signo = __builtin_ctzll(ready) + 1;
			take_from(sets[i], signo, info);
			return signo;
		}
	}
	return 0;
}

void signal_force(const struct signal_info *info)
{
	struct thread *self = thread_current();
	struct signal_action *action = &self->process->actions->action[info->signo - 1];
	struct signal_mask bit = signal_bit(info->signo);
	if ((self->mask.bits & bit.bits) || action->handler == SIG_IGN) {
		self->mask.bits &= ~bit.bits;
		action->handler = SIG_DFL;
	}
	set_add(&self->pending, self->process, info);
}

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
	if (!signal_frame_push(frame, &copy, info))
		process_exit(SIGSEGV | 0x80);
	self->restore_mask = false;
	self->mask.bits |= copy.mask.bits;
	if (!(copy.flags & SA_NODEFER))
		self->mask.bits |= signal_bit(info->signo).bits;
	self->mask.bits &= ~(signal_bit(SIGKILL).bits | signal_bit(SIGSTOP).bits);
}

void signal_deliver(struct trapframe *frame)
{
	struct thread *self = thread_current();
	struct signal_info info;
	bool handled = false;
	while (signal_take(self, (struct signal_mask){~self->mask.bits}, &info)) {
		struct signal_action *action = &self->process->actions->action[info.signo - 1];
		if (info.signo == SIGKILL)
			process_exit(SIGKILL);
		if (action->handler == SIG_IGN)
			continue;
		if (action->handler != SIG_DFL) {
			run_handler(frame, action, &info);
			handled = true;
			break;
		}
		enum default_act act = default_of(info.signo);
		if (act == TERMINATE || act == CORE)
			process_exit(info.signo | (act == CORE ? 0x80 : 0));
	}
	if (handled)
		return;
	restart_call(frame, NULL);
	if (self->restore_mask) {
		self->restore_mask = false;
		self->mask = self->saved_mask;
	}
}

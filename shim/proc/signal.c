/* signal.c: actions, and sending signals: what they do at once, and what is kept. Acting
 * on what was kept is signal_deliver.c's. */
#include "shim/proc/signal.h"

#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/posix_timer.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"

struct signal_queued {
	struct list link;
	struct signal_info info;
};

/* Realtime signals queue as often as they are sent, up to this many a set
 * (RLIMIT_SIGPENDING would say); others once. */
#define QUEUE_MAX 256

static const uint8_t defaults[32] = {
	[SIGCHLD] = SIGNAL_IGNORED,  [SIGURG] = SIGNAL_IGNORED,
	[SIGWINCH] = SIGNAL_IGNORED, [SIGCONT] = SIGNAL_CONTINUES,
	[SIGSTOP] = SIGNAL_STOPS,    [SIGTSTP] = SIGNAL_STOPS,
	[SIGTTIN] = SIGNAL_STOPS,    [SIGTTOU] = SIGNAL_STOPS,
};

/* Reports of the CPU about the thread itself, which go before others. */
static const struct signal_mask faults = {1ull << (SIGILL - 1) | 1ull << (SIGTRAP - 1) |
					  1ull << (SIGBUS - 1) | 1ull << (SIGFPE - 1) |
					  1ull << (SIGSEGV - 1) | 1ull << (SIGSYS - 1)};
static const struct signal_mask stops = {1ull << (SIGSTOP - 1) | 1ull << (SIGTSTP - 1) |
					 1ull << (SIGTTIN - 1) | 1ull << (SIGTTOU - 1)};

enum signal_default_act signal_default(int signo)
{
	return signo < 32 ? (enum signal_default_act)defaults[signo] : SIGNAL_TERMINATES;
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

static void set_forget(struct signal_set *set, struct signal_mask which)
{
	set->pending.bits &= ~which.bits;
	list_for_each_safe(queued, &set->queue, struct signal_queued, link) {
		if (signal_bit(queued->info.signo).bits & which.bits) {
			list_remove(&queued->link);
			kfree(queued);
		}
	}
}

void signal_forget(struct process *process, struct signal_mask which)
{
	set_forget(&process->pending, which);
	list_for_each(thread, &process->threads, struct thread, process_link)
		set_forget(&thread->pending, which);
}

bool signal_is_ignored(const struct process *process, int signo)
{
	uint64_t handler = process->actions->action[signo - 1].handler;
	if (signo == SIGKILL || signo == SIGSTOP)
		return false;
	return handler == SIG_IGN ||
	       (handler == SIG_DFL && (signal_default(signo) == SIGNAL_IGNORED ||
				       signal_default(signo) == SIGNAL_CONTINUES));
}

/* Blocked signals are kept even when they would be ignored: the action may change. */
static bool is_kept(const struct thread *thread, int signo)
{
	return (thread->mask.bits | thread->awaited.bits) & signal_bit(signo).bits;
}

static bool is_wanted(const struct thread *thread, int signo)
{
	uint64_t bit = signal_bit(signo).bits;
	return !(thread->mask.bits & bit) || (thread->awaited.bits & bit);
}

/* Is info queued? Timers' signals are, each timer's once, whatever their number. */
static bool set_add(struct signal_set *set, struct process *process,
		    const struct signal_info *info)
{
	struct signal_mask bit = signal_bit(info->signo);
	bool many = info->signo >= SIGRTMIN || info->from_timer, added = false;
	if ((set->pending.bits & bit.bits) && !many)
		return false;
	unsigned queued_count = 0;
	list_for_each(it, &set->queue, struct signal_queued, link)
		queued_count++;
	if (queued_count < QUEUE_MAX) {
		struct signal_queued *queued =
			kmalloc(&process->job->account, sizeof(*queued));
		if (queued) {
			queued->info = *info;
			list_append(&set->queue, &queued->link);
			added = true;
		}
	}
	set->pending.bits |=
		bit.bits; /* without memory the signal comes, its details do not */
	waitq_wake(&process->job->signalled, 0);
	return added;
}

/* SIGCHLD about a stop or a going on; the parent's wait sees it too. */
static void tell_parent_of_change(struct process *process, int code, int status)
{
	struct process *parent = process->parent;
	if (!parent || !parent->actions)
		return;
	waitq_wake(&parent->child_changed, 0);
	if (parent->actions->action[SIGCHLD - 1].flags & SA_NOCLDSTOP)
		return;
	struct signal_info info = {
		.signo = SIGCHLD, .code = code, .pid = process->pid, .status = status};
	signal_send_process(parent, &info);
}

static void wake_all(struct process *process)
{
	list_for_each(thread, &process->threads, struct thread, process_link)
		thread_wake(thread);
}

void signal_stop_process(struct process *process, int signo)
{
	if (process->stopped || process->exiting)
		return;
	process->stopped = true;
	process->stop_signal = signo;
	process->stop_untold = true;
	process->continue_untold = false;
	wake_all(process);
	tell_parent_of_change(process, CLD_STOPPED, signo);
}

static void process_continue(struct process *process)
{
	if (!process->stopped)
		return;
	process->stopped = false;
	process->stop_untold = false;
	process->continue_untold = true;
	wake_all(process);
	tell_parent_of_change(process, CLD_CONTINUED, SIGCONT);
}

/* What a signal does already by being sent. False: nothing more is to be done. */
static bool send_effects(struct process *process, int signo)
{
	if (process->state == PROCESS_ZOMBIE || !process->actions)
		return false;
	if (signo == SIGKILL) {
		process_kill_threads(process, SIGKILL);
		return false;
	}
	if (signo == SIGCONT) {
		signal_forget(process, stops);
		process_continue(process);
	} else if (signal_bit(signo).bits & stops.bits) {
		signal_forget(process, signal_bit(SIGCONT));
	}
	return true;
}

bool signal_send_thread(struct thread *thread, const struct signal_info *info)
{
	struct process *process = thread->process;
	if (!process || !send_effects(process, info->signo))
		return false;
	if (!is_kept(thread, info->signo) && signal_is_ignored(process, info->signo))
		return false;
	bool queued = set_add(&thread->pending, process, info);
	if (is_wanted(thread, info->signo))
		thread_wake(thread);
	return queued;
}

bool signal_send_process(struct process *process, const struct signal_info *info)
{
	if (!send_effects(process, info->signo))
		return false;
	struct thread *chosen = NULL;
	bool kept = true;
	list_for_each(thread, &process->threads, struct thread, process_link) {
		kept = kept && is_kept(thread, info->signo);
		if (!chosen && is_wanted(thread, info->signo))
			chosen = thread;
	}
	if (!kept && signal_is_ignored(process, info->signo))
		return false;
	bool queued = set_add(&process->pending, process, info);
	if (chosen)
		thread_wake(chosen);
	return queued;
}

bool signal_send_group(struct job *job, int pgid, const struct signal_info *info)
{
	bool any = false;
	list_for_each_safe(process, &job->processes, struct process, job_link) {
		if (process->pgid != pgid)
			continue;
		any = true;
		if (info->signo)
			signal_send_process(process, info);
	}
	return any;
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
		if (ready & faults.bits)
			ready &= faults.bits;
		if (ready) {
			int signo = __builtin_ctzll(ready) + 1;
			take_from(sets[i], signo, info);
			if (info->from_timer)
				posix_timer_signal_taken(thread->process, info);
			return signo;
		}
	}
	return 0;
}

void signal_force(const struct signal_info *info)
{
	struct thread *self = thread_current();
	struct signal_action *action = &self->process->actions->action[info->signo - 1];
	if (thread_must_die(self))
		return;
	struct signal_mask bit = signal_bit(info->signo);
	if ((self->mask.bits & bit.bits) || action->handler == SIG_IGN) {
		self->mask.bits &= ~bit.bits;
		action->handler = SIG_DFL;
	}
	set_add(&self->pending, self->process, info);
}

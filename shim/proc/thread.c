/* thread.c: how threads and processes come to be, end, and are taken apart. Copying them
 * (fork, clone) is clone.c's, replacing their program exec.c's. */
#include "shim/proc/thread.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"
#include "shim/proc/futex.h"
#include "shim/proc/posix_timer.h"
#include "shim/proc/sched.h"
#include "shim/proc/signal_state.h"
#include "shim/vfs/file.h"
#include "shim/vfs/pidfd.h"
#include "shim/vfs/tty.h"

#define PID_MAX        4194304 /* as Linux on 64 bits */
#define PID_REUSE_FROM 300

static bool pid_is_taken(struct job *job, int pid)
{
	list_for_each(process, &job->processes, struct process, job_link) {
		if (process->pid == pid || process->pgid == pid || process->sid == pid ||
		    thread_find(process, pid))
			return true;
	}
	return false;
}

int pid_allocate(struct job *job)
{
	for (;;) {
		int pid = job->next_pid++;
		if (job->next_pid >= PID_MAX) {
			job->next_pid = PID_REUSE_FROM;
			job->pids_wrapped = true;
		}
		if (!job->pids_wrapped || !pid_is_taken(job, pid))
			return pid;
	}
}

struct process *process_make(struct job *job, struct process *parent)
{
	struct process *process = kzalloc(&job->account, sizeof(*process));
	if (!process)
		return NULL;
	process->job = job;
	process->parent = parent;
	process->pid = pid_allocate(job);
	process->dumpable = true;
	process->start_ns = clock_now_ns();
	list_init(&process->children);
	list_init(&process->siblings);
	list_init(&process->threads);
	list_init(&process->pending.queue);
	list_init(&process->pidfds);
	waitq_init(&process->child_changed);
	waitq_init(&process->released);
	list_append(&job->processes, &process->job_link);
	if (parent)
		list_append(&parent->children, &process->siblings);
	job_get(job);
	return process;
}

struct process *process_find(struct job *job, int pid)
{
	list_for_each(process, &job->processes, struct process, job_link)
		if (process->pid == pid)
			return process;
	return NULL;
}

struct process *process_with(struct job *job, int pid)
{
	struct process *found = process_find(job, pid);
	if (found)
		return found;
	list_for_each(process, &job->processes, struct process, job_link)
		if (thread_find(process, pid))
			return process;
	return NULL;
}

struct thread *thread_find(struct process *process, int tid)
{
	list_for_each(thread, &process->threads, struct thread, process_link)
		if (thread->tid == tid)
			return thread;
	return NULL;
}

/* Where a new thread begins, on its own kernel stack. */
static void thread_begin(void *argument)
{
	struct thread *self = argument;
	sched_begin();
	user_return(self->arch.frame);
	arch_enter_user(&self->arch);
}

int thread_make(struct process *process, struct thread **out)
{
	struct job *job = process->job;
	if (job->process_count >= job->limits.processes)
		return -EAGAIN;
	struct thread *thread = kzalloc(&job->account, sizeof(*thread));
	if (!thread)
		return -ENOMEM;
	if (arch_thread_init(&thread->arch, &job->account, thread_begin, thread) < 0) {
		kfree(thread);
		return -ENOMEM;
	}
	thread->process = process;
	thread->job = job;
	thread->state = THREAD_SLEEPING;
	if (thread_current()->job == job)
		thread->affinity = thread_current()->affinity;
	thread->tid = process->thread_count ? pid_allocate(job) : process->pid;
	memcpy(thread->comm, process->comm, sizeof(thread->comm));
	list_init(&thread->run_link);
	list_init(&thread->pending.queue);
	list_append(&process->threads, &thread->process_link);
	process->thread_count++;
	job->process_count++;
	*out = thread;
	return 0;
}

void process_vfork_done(struct process *process)
{
	struct vfork_wait *wait = process->vfork;
	process->vfork = NULL;
	if (wait) {
		wait->done = true;
		waitq_wake(&wait->queue, 0);
	}
}

/* Lets go of what a process holds while it runs; what is left is for its parent to read.
 */
void usage_add(struct usage *sum, const struct usage *more)
{
	sum->faults += more->faults;
	sum->waits += more->waits;
	sum->preemptions += more->preemptions;
	if (sum->peak_pages < more->peak_pages)
		sum->peak_pages = more->peak_pages;
}

struct usage process_usage(const struct process *process)
{
	struct usage sum = process->usage;
	if (process->vm)
		usage_add(&sum,
			  &(struct usage){.peak_pages = vm_resident_peak(process->vm)});
	return sum;
}

static void process_release(struct process *process)
{
	struct vmspace *vm = process->vm;
	struct fdtable *fds = process->fds;
	struct fs_state *fs = process->fs;
	itimers_cancel(process);
	posix_timers_remove_all(process);
	process->usage = process_usage(process);
	process->vm = NULL;
	process->fds = NULL;
	process->fs = NULL;
	sched_space_changed();
	vm_put(vm);
	process_vfork_done(process);
	if (fds)
		fdtable_put(fds);
	fs_state_put(fs);
	tty_process_ended(process);
	signal_actions_put(process->actions);
	process->actions = NULL;
	signal_set_clear(&process->pending);
	kfree(process->exe_path);
	process->exe_path = NULL;
}

/* POSIX 3.2.2.2: a group that nobody can continue any more is told, if a member is
 * stopped. was: did the process that is gone link it to its session? */
static void hang_up_orphaned(const struct process *member, bool was)
{
	struct job *job = member->job;
	bool stopped = false;
	list_for_each(process, &job->processes, struct process, job_link)
		stopped |= process->pgid == member->pgid && process->stopped;
	if (!was || !stopped || !signal_group_is_orphaned(member))
		return;
	struct signal_info hup = {.signo = SIGHUP, .code = SI_KERNEL};
	struct signal_info cont = {.signo = SIGCONT, .code = SI_KERNEL};
	signal_send_group(job, member->pgid, &hup);
	signal_send_group(job, member->pgid, &cont);
}

/* Is parent one that keeps process' group from being an orphan? */
static bool links_group(const struct process *parent, const struct process *process)
{
	return parent && parent->pgid != process->pgid && parent->sid == process->sid;
}

/* The children of a dead process become the leader's, as of an init; when that is the one
 * that died, the job ends with it. */
static void process_orphan_children(struct process *process)
{
	struct process *leader = process->job->leader;
	if (leader == process)
		leader = NULL;
	list_for_each_safe(child, &process->children, struct process, siblings) {
		list_remove(&child->siblings);
		child->parent = leader;
		if (leader)
			list_append(&leader->children, &child->siblings);
		hang_up_orphaned(child, links_group(process, child));
		if (child->death_signal && child->state == PROCESS_RUNNING) {
			struct signal_info info = {.signo = child->death_signal,
						   .pid = process->pid};
			signal_send_process(child, &info);
		}
		if (child->state == PROCESS_ZOMBIE)
			process_tell_parent(child);
	}
}

void process_tell_parent(struct process *process)
{
	struct process *parent = process->parent;
	bool alone = !parent || parent->state == PROCESS_ZOMBIE;
	/* Linux forgets a child at once only when its end would be told by SIGCHLD and
	 * the parent does not want that; any other stays for a wait with __WALL. */
	bool forget = alone || (process->exit_signal == SIGCHLD &&
				signal_actions_ignore_children(parent->actions));
	if (process->exit_signal && !alone) {
		int how = process->exit_status & 0x7f;
		struct signal_info info = {
			.signo = process->exit_signal,
			.code = how ? CLD_KILLED : CLD_EXITED,
			.pid = process->pid,
			.status = how ? how : process->exit_status >> 8,
		};
		signal_send_process(parent, &info);
	}
	if (!alone)
		waitq_wake(&parent->child_changed, 0);
	if (forget)
		process_free(process);
}

static void process_died(struct process *process)
{
	struct job *job = process->job;
	process_release(process);
	process_orphan_children(process);
	process->state = PROCESS_ZOMBIE;
	hang_up_orphaned(process, links_group(process->parent, process));
	pidfd_process_ended(process);
	if (process == job->leader)
		job_leader_exited(job, process->exit_status);
	else
		process_tell_parent(process);
}

_Noreturn void thread_exit(int status)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	futex_thread_exit(self);
	sched_charge_current();
	timer_cancel(&self->wait_timer);
	signal_set_clear(&self->pending);
	list_remove(&self->process_link);
	if (--process->thread_count == 0) {
		if (!process->exiting)
			process->exit_status = status;
		process_died(process);
	} else {
		waitq_wake(&process->released, 0); /* exec waits to be alone */
	}
	/* The process may be freed already; the CPU belongs to the job for the last
	 * steps. */
	self->process = NULL;
	self->state = THREAD_DEAD;
	sched_switch();
	panic("a dead thread ran");
}

void process_kill_threads(struct process *process, int status)
{
	if (process->exiting || process->state == PROCESS_ZOMBIE)
		return;
	process->stopped = false;
	process->exiting = true;
	process->exit_status = status;
	list_for_each(thread, &process->threads, struct thread, process_link)
		thread_wake(thread);
}

_Noreturn void process_exit(int status)
{
	process_kill_threads(process_current(), status);
	thread_exit(status);
}

int process_become_single_threaded(void)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	if (thread_must_die(self))
		return -EINTR; /* a sibling was first */
	list_for_each(thread, &process->threads, struct thread, process_link) {
		if (thread != self) {
			thread->killed = true;
			thread_wake(thread);
		}
	}
	while (process->thread_count > 1) {
		if (wait_on_killable(&process->released) < 0)
			return -EINTR;
	}
	self->tid = process->pid;
	return 0;
}

void thread_reap(struct thread *thread)
{
	struct job *job = thread->job;
	arch_thread_free(&thread->arch);
	kfree(thread);
	job->process_count--;
	job_thread_gone(job);
}

void process_unmake(struct process *process)
{
	itimers_cancel(process);
	list_for_each_safe(thread, &process->threads, struct thread, process_link) {
		arch_thread_free(&thread->arch);
		kfree(thread);
		process->job->process_count--;
	}
	vm_put(process->vm);
	if (process->fds)
		fdtable_put(process->fds);
	fs_state_put(process->fs);
	if (process->tty)
		tty_put(process->tty);
	signal_actions_put(process->actions);
	kfree(process->exe_path);
	process->state = PROCESS_ZOMBIE;
	process_free(process);
}

struct path_context process_paths(struct process *process)
{
	return (struct path_context){.root = process->job->rootfs,
				     .cwd = process->fs->cwd};
}

void process_free(struct process *process)
{
	struct job *job = process->job;
	KASSERT(process->state == PROCESS_ZOMBIE);
	pidfd_process_freed(process);
	list_remove(&process->siblings);
	list_remove(&process->job_link);
	kfree(process);
	job_put(job);
}

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
#include "shim/proc/sched.h"
#include "shim/proc/signal_state.h"
#include "shim/vfs/file.h"

struct process *process_make(struct job *job, struct process *parent)
{
	struct process *process = kzalloc(&job->account, sizeof(*process));
	if (!process)
		return NULL;
	process->job = job;
	process->parent = parent;
	process->pid = job->next_pid++;
	process->start_ns = clock_now_ns();
	list_init(&process->children);
	list_init(&process->siblings);
	list_init(&process->threads);
	list_init(&process->pending.queue);
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
	thread->tid = process->thread_count ? job->next_pid++ : process->pid;
	list_init(&thread->run_link);
	list_init(&thread->pending.queue);
	list_append(&process->threads, &thread->process_link);
	process->thread_count++;
	job->process_count++;
	*out = thread;
	return 0;
}

bool thread_must_die(const struct thread *thread)
{
	return thread->process->exiting || thread->killed;
}

/* Lets go of what a process holds while it runs; what is left is for its parent to read. */
static void process_release(struct process *process)
{
	timer_cancel(&process->alarm);
	pt_load_kernel();
	struct vmspace *vm = process->vm;
	struct fdtable *fds = process->fds;
	process->vm = NULL;
	process->fds = NULL;
	sched_space_changed();
	vm_put(vm);
	if (fds)
		fdtable_put(fds);
	if (process->cwd)
		vnode_put(process->cwd);
	process->cwd = NULL;
	signal_actions_put(process->actions);
	process->actions = NULL;
	signal_set_clear(&process->pending);
	kfree(process->exe_path);
	process->exe_path = NULL;
}

/* The children of a dead process become the leader's, as of an init; zombies that nobody
 * will wait for are freed. */
static void process_orphan_children(struct process *process)
{
	struct process *leader = process->job->leader;
	list_for_each_safe(child, &process->children, struct process, siblings) {
		list_remove(&child->siblings);
		child->parent = leader == process ? NULL : leader;
		if (child->parent)
			list_append(&child->parent->children, &child->siblings);
		if (child->death_signal && child->state == PROCESS_RUNNING) {
			struct signal_info info = {.signo = child->death_signal};
			signal_send_process(child, &info);
		}
	}
}

static void tell_parent(struct process *process)
{
	struct process *parent = process->parent;
	if (!parent)
		return;
	if (process->exit_signal) {
		int how = process->exit_status & 0x7f;
		struct signal_info info = {
			.signo = process->exit_signal,
			.code = !how ? 1 : process->exit_status & 0x80 ? 3 : 2, /* CLD_* */
			.pid = process->pid,
			.status = how ? how : process->exit_status >> 8,
		};
		signal_send_process(parent, &info);
	}
	waitq_wake(&parent->child_changed, 0);
	if (!process->exit_signal || signal_actions_ignore_children(parent->actions))
		process_free(process);
}

static void process_died(struct process *process)
{
	struct job *job = process->job;
	process_release(process);
	process_orphan_children(process);
	process->state = PROCESS_ZOMBIE;
	waitq_wake(&process->released, 0);
	if (process == job->leader)
		job_leader_exited(job, process->exit_status);
	else
		tell_parent(process);
}

_Noreturn void thread_exit(int status)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	futex_thread_exit(self);
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
	self->state = THREAD_DEAD;
	sched_switch();
	panic("a dead thread ran");
}

void process_kill_threads(struct process *process, int status)
{
	if (process->exiting || process->state == PROCESS_ZOMBIE)
		return;
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
	list_for_each(thread, &process->threads, struct thread, process_link) {
		if (thread != self) {
			thread->killed = true;
			thread_wake(thread);
		}
	}
	while (process->thread_count > 1) {
		if (thread_must_die(self))
			return -EINTR;
		wait_on(&process->released, WAIT_FOREVER);
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

void process_free(struct process *process)
{
	struct job *job = process->job;
	KASSERT(process->state == PROCESS_ZOMBIE);
	list_remove(&process->siblings);
	list_remove(&process->job_link);
	kfree(process);
	job_put(job);
}

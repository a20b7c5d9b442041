/* thread.h: making and ending threads and processes. process.h has the structures. */
#ifndef SHIM_PROC_THREAD_H
#define SHIM_PROC_THREAD_H

#include "shim/proc/process.h"

/* A process of the job with no thread yet; parent may be NULL (a job's first). Copies
 * nothing. NULL without memory. */
struct process *process_make(struct job *job, struct process *parent);
/* Takes apart a process that never ran, with its thread if it has one. */
void process_unmake(struct process *process);
struct process *process_find(struct job *job, int pid);
/* By its number or that of one of its threads, as kill(2) has it. */
struct process *process_with(struct job *job, int pid);
/* A thread of the process that starts in ring 3 with its arch.frame; not runnable yet.
 * -EAGAIN at the job's limit, -ENOMEM. */
int thread_make(struct process *process, struct thread **out);
struct thread *thread_find(struct process *process, int tid);

/* Must this thread leave for good at the next chance? */
static inline bool thread_must_die(const struct thread *thread)
{
	return !thread->process || thread->process->exiting || thread->killed;
}
/* Is there a signal that this thread would act on, or waits for? */
static inline bool signal_pending(const struct thread *thread)
{
	uint64_t pending =
		thread->pending.pending.bits | thread->process->pending.pending.bits;
	return pending & (~thread->mask.bits | thread->awaited.bits);
}
/* Ends the current thread; the last one of a process ends that with status (wait's form).
 */
_Noreturn void thread_exit(int status);
/* exit_group and fatal signals: ends every thread of the current process. */
_Noreturn void process_exit(int status);
/* Asks every other thread of a process to leave; with exec waits until they have. */
void process_kill_threads(struct process *process, int status);
int process_become_single_threaded(void);
/* Frees a dead thread; called by the scheduler from another stack. */
void thread_reap(struct thread *thread);
/* Tells the parent of a zombie that it is one; frees it when the parent will not wait. */
void process_tell_parent(struct process *process);
enum { CLD_EXITED = 1, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED };
/* Frees a zombie that was waited for. */
void process_free(struct process *process);
/* Up to now, with the memory that it has. */
struct usage process_usage(const struct process *process);
void usage_add(struct usage *sum, const struct usage *more);

/* A number that no process, group, session or thread of the job has. */
int pid_allocate(struct job *job);
/* On the stack of a parent in vfork: its child uses its memory until done. */
struct vfork_wait {
	bool done;
	struct waitq queue;
};
/* The new memory of a process, or its end: lets a parent in vfork go on. */
void process_vfork_done(struct process *process);

/* Job's side: a thread is gone; the process ended. */
void job_thread_gone(struct job *job);

/* sched.c: reload the address space after exec; finish a switch on a new thread's stack.
 */
void sched_space_changed(void);
void sched_begin(void);
/* Brings the running thread's cpu_ns, and its process' and job's, up to this moment. */
void sched_charge_current(void);

#endif

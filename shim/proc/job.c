/* job.c: jobs from their making to the check that nothing of them is left.
 *
 *   job_make -> (files come in) -> started -> ending -> ended -> destroyed
 *
 * Ending settles the outcome and asks every thread to leave; ended is when the last one
 * has. The object itself lives as long as somebody refers to it: its holder, its
 * processes, and itself while it runs. */
#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/exec.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/vfs/async.h"
#include "shim/vfs/devfs.h"
#include "shim/vfs/unix_socket.h"

/* The first program's number. 1 is left to an init that is not seen, so that programs
 * that behave differently as pid 1 do not. */
#define FIRST_PID 2

static uint64_t started_count, running_count, leaked_pages;
static uint32_t next_id = 1;

static void deadline_passed(struct timer *self)
{
	job_end(container_of(self, struct job, deadline), JOB_TIMEOUT, SIGKILL);
}

struct job *job_make(const struct job_limits *limits, const void *erofs,
		     size_t erofs_size)
{
	struct job *job = kzalloc(&kernel_account, sizeof(*job));
	if (!job)
		return NULL;
	uint64_t pages = limits->memory_bytes == UINT64_MAX
				 ? UINT64_MAX
				 : limits->memory_bytes / PAGE_SIZE;
	account_init(&job->account, "job", pages);
	job->id = next_id++;
	job->limits = *limits;
	job->next_pid = FIRST_PID;
	job->refs = 1;
	list_init(&job->processes);
	list_init(&job->link);
	waitq_init(&job->changed);
	waitq_init(&job->signalled);
	job->deadline.fire = deadline_passed;
	job->rootfs = rootfs_make(&job->account, erofs, erofs_size, limits->file_bytes);
	if (!job->rootfs) {
		kfree(job);
		return NULL;
	}
	return job;
}

void job_get(struct job *job)
{
	job->refs++;
}

void job_put(struct job *job)
{
	if (--job->refs)
		return;
	/* Pages that leaked still name this account. */
	if (job->account.used_pages == 0)
		kfree(job);
}

/* The loader calls this when the program's first thread is ready. */
void job_started(struct job *job, struct process *leader)
{
	job->leader = leader;
	job->started = true;
	job->start_ns = clock_now_ns();
	started_count++;
	running_count++;
	job_get(job);
	if (job->has_console)
		console_adopt(leader);
	if (job->limits.wall_ns && job->limits.wall_ns < UINT64_MAX - job->start_ns)
		timer_set(&job->deadline, job->start_ns + job->limits.wall_ns);
}

void job_end(struct job *job, enum job_outcome outcome, int code_or_signal)
{
	if (!job->started || job->ending)
		return;
	job->ending = true;
	job->result.outcome = outcome;
	if (outcome == JOB_EXITED)
		job->result.exit_code = code_or_signal;
	else
		job->result.signal = code_or_signal;
	timer_cancel(&job->deadline);
	list_for_each(process, &job->processes, struct process, job_link)
		process_kill_threads(process, SIGKILL);
}

void job_leader_exited(struct job *job, int status)
{
	int signo = status & 0x7f;
	if (signo)
		job_end(job, JOB_SIGNALED, signo);
	else
		job_end(job, JOB_EXITED, status >> 8 & 0xff);
}

static void job_finish(struct job *job)
{
	job->ended = true;
	job->end_ns = clock_now_ns();
	job->result.wall_ns = job->end_ns - job->start_ns;
	job->result.cpu_ns = job->cpu_ns;
	job->result.peak_bytes = job->account.peak_pages * PAGE_SIZE;
	running_count--;
	list_for_each_safe(process, &job->processes, struct process, job_link)
		process_free(process);
	job->leader = NULL;
	waitq_wake(&job->changed, 0);
	if (job->abandoned)
		job_destroy(job);
	job_put(job);
}

void job_thread_gone(struct job *job)
{
	if (job->process_count == 0 && job->started && !job->ended)
		job_finish(job);
}

void job_abandon(struct job *job)
{
	job->abandoned = true;
	job_end(job, JOB_CANCELLED, SIGKILL);
	if (!job->started || job->ended)
		job_destroy(job);
}

void job_destroy(struct job *job)
{
	KASSERT(list_empty(&job->processes));
	if (job->destroyed)
		return;
	job->destroyed = true;
	async_job_ended(job);
	unix_job_ended(job);
	rootfs_destroy(job->rootfs);
	job->rootfs = NULL;
	if (job->account.used_pages == 0)
		return;
	leaked_pages += job->account.used_pages;
	kprint("elfpack: job %u: ended with %llu pages still charged to it\n", job->id,
	       (unsigned long long)job->account.used_pages);
}

uint64_t job_count_started(void)
{
	return started_count;
}

uint64_t job_count_running(void)
{
	return running_count;
}

uint64_t job_pages_leaked(void)
{
	return leaked_pages;
}

/* process.h: jobs, processes and threads, as the rest of the kernel sees them.
 *
 *   job ── processes ── threads        one job is one tree of processes; front is job 0
 *    │        ├ vmspace  (mm/vm.h)     shared by CLONE_VM
 *    │        ├ fdtable  (vfs/file.h)
 *    │        ├ fs_state (proc/fs_state.h)
 *    │        └ signals  (proc/signal.h)
 *    ├ rootfs  (vfs/vnode.h)
 *    └ account (mm/account.h)          everything above is charged to it
 *
 * Under the kernel lock but for a thread's own kernel stack. */
#ifndef SHIM_PROC_PROCESS_H
#define SHIM_PROC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/abi/job.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/list.h"
#include "shim/mm/account.h"
#include "shim/proc/fs_state.h"
#include "shim/proc/itimer.h"
#include "shim/proc/rseq.h"
#include "shim/proc/signal.h"
#include "shim/proc/timer.h"
#include "shim/proc/wait.h"
#include "shim/vfs/vnode.h"

struct tty;

#define RLIMIT_COUNT 16
#define COMM_MAX     16

struct job {
	struct account account;
	uint32_t id;
	struct job_limits limits;
	struct rootfs *rootfs;
	struct list processes;
	uint32_t process_count; /* threads count, as RLIMIT_NPROC has it */
	int next_pid;
	bool pids_wrapped;      /* numbers have come round: the next may be taken */
	struct process *leader; /* pid 1's like of the job: its end ends the job */
	bool front;             /* may make job calls */
	bool listens;     /* may make inet sockets: front, and the program of --serve */
	bool has_console; /* the machine's first job: others find no device there */
	bool started;
	bool ending;    /* its outcome is settled; what still runs is being ended */
	bool ended;     /* no thread is left */
	bool abandoned; /* nobody will ask: destroy it as soon as it has ended */
	bool destroyed;
	uint64_t unknown_logged[8]; /* bit n: unknown call n was logged for this job */
	bool sockets_logged;        /* said once that it may have no network sockets */
	uint64_t start_ns, end_ns, cpu_ns;
	uint64_t switches; /* times that a thread of it left a CPU */
	struct job_result result;
	struct timer deadline;
	struct waitq changed;   /* woken when it has ended */
	struct waitq signalled; /* woken when a signal is pending in it: signalfd */
	uint32_t refs;
	struct list link; /* all jobs */
};

/* For getrusage(2) and /proc. */
struct usage {
	uint64_t faults;             /* of pages; none ever waits for a disk */
	uint64_t waits, preemptions; /* times it left a CPU: to sleep, for others */
	uint64_t peak_pages;         /* resident; of a process, in memory that it left */
};

struct rlimit_pair {
	uint64_t soft, hard;
};

enum process_state { PROCESS_RUNNING, PROCESS_ZOMBIE };

struct process {
	struct job *job;
	struct process *parent;
	struct list siblings, children; /* link in parent->children; head of own */
	struct list job_link;           /* in job->processes */
	struct list threads;
	uint32_t thread_count;
	int pid, pgid, sid;
	struct tty *tty;   /* the controlling terminal, counted; NULL: none */
	int hung_up_group; /* of a leader that lost it: who is told at its end */
	enum process_state state;
	struct vmspace *vm;
	struct fdtable *fds;
	struct fs_state *fs;            /* shared by CLONE_FS; NULL: it has ended */
	struct signal_actions *actions; /* proc/signal.h, shared by CLONE_SIGHAND */
	struct signal_set pending;      /* sent to the process as a whole */
	struct rlimit_pair rlimits[RLIMIT_COUNT];
	char comm[COMM_MAX];
	char *exe_path; /* /proc/self/exe; in the account */
	uint64_t start_ns, cpu_ns, children_cpu_ns;
	struct usage usage, children_usage; /* of its threads; of who was waited for */
	int nice;                           /* setpriority(2): kept, without effect */
	int exit_status;                    /* wait(2) encoding */
	bool exiting;                       /* exit_group: every thread leaves */
	int exit_signal;  /* to the parent; 0: none, and no zombie is kept */
	int death_signal; /* PR_SET_PDEATHSIG */
	bool no_new_privs, dumpable;
	uint32_t personality; /* ADDR_NO_RANDOMIZE alone has an effect */
	bool stopped;         /* by a signal: no thread runs in ring 3 until SIGCONT */
	bool stop_untold, continue_untold; /* for WUNTRACED and WCONTINUED */
	int stop_signal;
	struct list pidfds;         /* vfs/pidfd.c: files that name it */
	struct vfork_wait *vfork;   /* clone.c: whom to tell that the memory is free */
	struct waitq child_changed; /* for wait4 in this process */
	struct waitq released;      /* a thread left: exec waits to be alone */
	bool execed;                /* since its fork */
	bool shares_files;          /* has shared fds or actions with another process */
	struct timer alarm;         /* ITIMER_REAL */
	uint64_t alarm_interval_ns;
	struct cpu_itimer cpu_itimers[2]; /* ITIMER_VIRTUAL, ITIMER_PROF */
	struct cpu_itimer cpu_limit;      /* RLIMIT_CPU */
	struct posix_timer *posix_timers; /* posix_timer.c */
	int next_posix_timer;
	/* What /proc/self/{cmdline,environ,auxv} show: user addresses, set by exec. */
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t auxv[48];
	uint32_t auxv_bytes;
};

#define ADDR_NO_RANDOMIZE 0x0040000u

enum thread_state { THREAD_RUNNABLE, THREAD_SLEEPING, THREAD_DEAD };

struct thread {
	struct arch_thread
		arch; /* kernel stack, saved context, FS base, FPU area: cpu.h */
	struct process
		*process; /* NULL: the idle thread, and one that is leaving for good */
	struct job *job;  /* outlives process when this one dies last */
	struct list process_link;
	bool killed;          /* exec by a sibling: leave */
	struct list run_link; /* in the run queue while runnable and not running */
	int tid;
	enum thread_state state;
	bool woken; /* wait.h: since wait_prepare */
	struct timer wait_timer;
	struct signal_set pending; /* sent to this thread */
	struct signal_mask mask;
	struct signal_mask
		awaited; /* sigtimedwait: wakes for these though they are blocked */
	struct signal_mask saved_mask;
	bool restore_mask; /* put saved_mask back at the return to ring 3 */
	struct signal_stack altstack;
	char comm[COMM_MAX]; /* its own name; the leader's is the process' too */
	bool keep_caps;      /* PR_SET_KEEPCAPS: kept for who asks; nobody has any */
	uint64_t fault_vector, fault_error,
		fault_address; /* the last: for signal frames */
	uint64_t clear_tid;    /* user address: set_tid_address */
	uint64_t robust_list, robust_list_size;
	struct rseq_state rseq;
	uint64_t cpu_ns, ran_at_ns;
	struct usage usage;
	uint64_t slice_end_ns;
	bool running;      /* on cpu, now */
	unsigned cpu;      /* where it runs or ran last */
	uint64_t affinity; /* CPUs it may run on, a bit each; 0: all */
	int policy;        /* of scheduling: kept, and told again */
};

/* A flag with a policy, which children do not have. */
#define SCHED_RESET_ON_FORK 0x40000000

static inline struct thread *thread_current(void)
{
	return cpu_current_thread();
}
static inline struct process *process_current(void)
{
	return thread_current()->process;
}
static inline struct job *job_current(void)
{
	return thread_current()->process->job;
}

/* Path lookup for the current process. */
struct path_context process_paths(struct process *process);

void thread_wake(struct thread *thread);
/* Gives up the CPU; returns when it is this thread's turn again. */
void thread_yield(void);

/* The outside of a job, for sys/job.c and kmain. */
/* A job over a packed file system, not started. NULL without memory. */
struct job *job_make(const struct job_limits *limits, const void *erofs,
		     size_t erofs_size);
void job_get(struct job *job);
void job_put(struct job *job);
/* Settles the outcome, unless it is, and asks every thread to leave. */
void job_end(struct job *job, enum job_outcome outcome, int code_or_signal);
/* Frees everything but the object itself, once ended; then checks the account. */
void job_destroy(struct job *job);
void job_leader_exited(struct job *job, int status);
/* Loads the program at path of the job's tree and lets it run; once a job. stdio become
 * 0, 1 and 2; an element NULL: /dev/null; stdio NULL: the console, for all three. All
 * pointers are the kernel's. 0 or execve's -errno. */
int job_start_program(struct job *job, const char *path, char *const argv[],
		      char *const envp[], const char *cwd, struct file *stdio[3]);
/* Says that nobody holds the job any more: it is ended, and destroyed when that is done.
 */
void job_abandon(struct job *job);
uint64_t job_count_started(void);
uint64_t job_count_running(void);
uint64_t job_pages_leaked(void);

#endif

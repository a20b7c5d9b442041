/* signal.h: POSIX signals as Linux has them on x86-64. */
#ifndef SHIM_PROC_SIGNAL_H
#define SHIM_PROC_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/lib/list.h"

#define SIGNAL_COUNT 64 /* 1..64 */

enum {
	SIGHUP = 1,
	SIGINT,
	SIGQUIT,
	SIGILL,
	SIGTRAP,
	SIGABRT,
	SIGBUS,
	SIGFPE,
	SIGKILL,
	SIGUSR1,
	SIGSEGV,
	SIGUSR2,
	SIGPIPE,
	SIGALRM,
	SIGTERM,
	SIGSTKFLT,
	SIGCHLD,
	SIGCONT,
	SIGSTOP,
	SIGTSTP,
	SIGTTIN,
	SIGTTOU,
	SIGURG,
	SIGXCPU,
	SIGXFSZ,
	SIGVTALRM,
	SIGPROF,
	SIGWINCH,
	SIGIO,
	SIGPWR,
	SIGSYS,
	SIGRTMIN = 32,
	SIGRTMAX = 64,
};

struct signal_mask {
	uint64_t bits; /* bit n - 1: signal n, as sigset_t on the wire */
};

/* What a handler's siginfo_t says; 128 bytes as Linux lays it out are made from it. */
struct signal_info {
	int signo, code, error;
	int pid;
	uint32_t uid;
	int status;       /* SIGCHLD */
	uint64_t value;   /* si_value, or the address of a fault */
	bool from_file;   /* vfs/async.c: value is the band, status the descriptor */
	bool from_timer;  /* posix_timer.c: pid is the timer's number */
	uint32_t setting; /* which of the timer's */
};

struct signal_set {
	struct signal_mask pending;
	struct list queue; /* of struct signal_queued, for siginfo and realtime order */
};

struct signal_stack {
	uint64_t base, size;
	uint32_t flags;
};

struct signal_actions;
struct process;
struct thread;
struct job;

enum signal_code {
	SI_USER = 0,
	SI_KERNEL = 0x80,
	SI_QUEUE = -1,
	SI_TIMER = -2,
	SI_TKILL = -6
};

/* Sends; never sleeps. A process that is gone is no error. Is info queued, to be taken?
 */
bool signal_send_process(struct process *process, const struct signal_info *info);
bool signal_send_thread(struct thread *thread, const struct signal_info *info);
/* To every process of the group; false: there is none. signo 0 only asks. */
bool signal_send_group(struct job *job, int pgid, const struct signal_info *info);
/* POSIX: has the process' group no member whose parent is of another group of its
 * session? */
bool signal_group_is_orphaned(const struct process *process);

#endif

/* itimer.h: the interval timers of a process (setitimer(2)): ITIMER_REAL by the clock,
 * ITIMER_VIRTUAL and ITIMER_PROF by the time its threads ran (both count all of it: time
 * in ring 0 is not told apart). */
#ifndef SHIM_PROC_ITIMER_H
#define SHIM_PROC_ITIMER_H

#include <stdint.h>

#include "shim/proc/timer.h"

struct process;
struct thread;

enum itimer_kind { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

struct itimer_value {
	uint64_t left_ns; /* 0: not set */
	uint64_t interval_ns;
};

struct cpu_itimer {
	struct timer timer;
	struct process *process;
	uint64_t expires_ns, interval_ns; /* of process_cpu_ns() */
};

struct itimer_value itimer_get(struct process *process, enum itimer_kind kind);
void itimer_set(struct process *process, enum itimer_kind kind,
		struct itimer_value value);
/* After a change of RLIMIT_CPU: SIGXCPU at the soft limit and each second beyond it,
 * SIGKILL at the hard one. */
void itimer_limit_changed(struct process *process);
void itimers_cancel(struct process *process);

/* Time run so far, the running turn included. */
uint64_t thread_cpu_ns(const struct thread *thread);
uint64_t process_cpu_ns(const struct process *process);
/* When to look again for left_ns more of the process' time: it passes no faster than the
 * clock on each CPU that the process can be on; but no more often than there would be
 * ticks. */
uint64_t process_cpu_wait_ns(const struct process *process, uint64_t left_ns);

#endif

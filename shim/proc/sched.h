/* sched.h: which thread runs. Two run queues, front's before the payloads'; within one,
 * turns of SCHED_SLICE_NS. A thread runs in ring 0 until it sleeps or leaves. */
#ifndef SHIM_PROC_SCHED_H
#define SHIM_PROC_SCHED_H

#include <stdbool.h>
#include <stdint.h>

struct thread;
struct trapframe;
struct vmspace;

#define SCHED_SLICE_NS  4000000ull
/* How much longer one may run after it, or an interrupt, woke another; and how long what
 * could run elsewhere waits for that. */
#define SCHED_WAKE_NS   100000ull
/* The same where front was woken and no CPU is idle: mostly somebody has written a
 * result, and ends; so that front comes once, not twice. */
#define SCHED_RESULT_NS 2000000ull

/* Once, before anything sleeps; makes the boot context the first CPU's idle thread. */
void sched_init(void);
/* The same for the context of every other CPU. Under the kernel lock. */
void sched_init_cpu(void);
/* Hands the CPU to the next runnable thread; the caller has set its own state. Returns
 * when the thread is chosen again; a dead one's never does. */
void sched_switch(void);
/* Makes a new thread runnable. */
void sched_start(struct thread *thread);
/* At a return to ring 3: lets another thread go first where that is due. Has it? */
bool sched_preempt(const struct trapframe *frame);
/* CPUs that have nothing to run keep vm loaded: the way from there to its threads and
 * back then needs no change of page tables. vm is never freed after that. */
void sched_rest_in(struct vmspace *vm);
/* The idle loop, on the boot stack. */
_Noreturn void sched_idle(void);
uint64_t sched_idle_ns(void); /* of all CPUs */
uint64_t sched_cpu_idle_ns(unsigned id);

#endif

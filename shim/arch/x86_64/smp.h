/* smp.h: the other CPUs: starting them, and what they ask of each other.
 *
 * A CPU waits for another in two ways: for the kernel lock, and, with it held, for the
 * others to drop stale translations (smp_flush). Whoever that is for answers at once: in
 * ring 3 and in smp_halt by interrupt, while it spins for the lock by looking. Who holds
 * the lock waits for nothing else, so there is no circle. Whoever waits for the lock is
 * seldom asked at all: it touches no user memory, so it may drop what is stale when it
 * has the lock. */
#ifndef SHIM_ARCH_X86_64_SMP_H
#define SHIM_ARCH_X86_64_SMP_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/arch/x86_64/percpu.h"

/* Sends INIT to the CPUs that the firmware names. They need 10 ms; kmain goes on
 * meanwhile. */
void smp_prepare(void);

/* For so long a CPU spins that waits for another, then it halts. */
#define SMP_SPIN_NS 20000ull
/* Halts until another CPU interrupts this one (cpu_interrupt, smp_flush); what devices
 * and the timer want waits. Called with interrupts off, after a look whether there is
 * still a reason to wait. */
void smp_halt(void);

/* Drops translations of [start, end) of the space with this root on the other CPUs that
 * have it loaded; returns when they have, or, but for those that tables were freed of,
 * wait for the kernel lock and will before they have it. */
void smp_flush(uint64_t root, uint64_t start, uint64_t end, bool tables_freed);
/* kernel_lock.c, when it begins to wait and when it has the lock. */
void smp_lock_wait(void);
void smp_lock_taken(void);
/* pagetable.c: this CPU's, if it has the root loaded. */
void pt_flush_local(uint64_t root, uint64_t start, uint64_t end);
/* Does what smp_flush of another CPU asks of this one, if it does. Needs no lock. */
void smp_flush_answer(void);
/* Is a root loaded on any CPU? */
bool smp_root_is_loaded(uint64_t root);

/* Stops the other CPUs for good, wherever they are: by NMI. */
void smp_stop_others(void);
bool smp_is_stopping(void);

/* The running CPUs by number, cpu_count() of them. */
extern struct percpu *smp_percpu[CPUS_MAX];

#endif

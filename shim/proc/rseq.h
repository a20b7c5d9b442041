/* rseq.h: restartable sequences, rseq(2) as of Linux 6.1: a thread registers an area in
 * which the kernel keeps the number of the CPU it runs on, and in which it names short
 * runs of code that are to be aborted when it leaves that CPU, or takes a signal, in the
 * middle of them. */
#ifndef SHIM_PROC_RSEQ_H
#define SHIM_PROC_RSEQ_H

#include <stdbool.h>
#include <stdint.h>

struct thread;
struct trapframe;

struct rseq_state {
	uint64_t area; /* user address; 0: not registered */
	uint32_t signature;
	unsigned cpu; /* whose number stands there, unless due */
	bool due;     /* it left a CPU since, or takes a signal */
};

/* The system call, for the current thread. Returns 0 or -errno. */
int rseq_register(uint64_t area, uint64_t size, uint32_t flags, uint32_t signature);

/* A thread comes to a CPU. */
void rseq_moved(struct thread *thread);
/* Before a return of the current thread to ring 3: aborts the sequence that frame stands
 * in, and tells the thread its CPU. False: that cannot be done, which is a SIGSEGV. */
bool rseq_resume(struct trapframe *frame);
/* The same before a signal gets its frame. */
bool rseq_signal(struct trapframe *frame);

#endif

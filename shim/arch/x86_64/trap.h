/* trap.h: entry.S's C side, and interrupts' dispatch. */
#ifndef SHIM_ARCH_X86_64_TRAP_H
#define SHIM_ARCH_X86_64_TRAP_H

struct trapframe;

void trap_frame_init(
	struct trapframe *frame); /* of a thread that has not been in ring 3 */
void trap_from_user(struct trapframe *frame);
void trap_from_kernel(struct trapframe *frame);
void trap_on_ist(struct trapframe *frame);
/* Last before ring 3: makes the frame one that IRETQ and SYSRET take, leaves the lock. */
void trap_leave(struct trapframe *frame);

/* irq.c: an interrupt's handler and its end. */
void irq_dispatch(unsigned vector);
/* The same of vectors from VECTOR_LOCKLESS on; needs no lock, and must not wait for it.
 */
void irq_dispatch_lockless(unsigned vector);

#endif

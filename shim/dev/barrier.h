/* barrier.h: order between our stores and what a device has stored meanwhile. */
#ifndef SHIM_DEV_BARRIER_H
#define SHIM_DEV_BARRIER_H

#include "shim/arch/x86_64/features.h"

/* Orders our stores before our later loads, which x86 alone does not: who tells a device
 * what it waits for and then looks whether that has come must use it.
 *
 * QEMU's emulator drops MFENCE and LOCK where a machine has one CPU (fixed in 8.0),
 * though its devices run beside that CPU: about one interrupt in 200,000 is lost. POPF
 * makes it look for interrupts, by an exchange in memory, which orders
 * (cpu_handle_interrupt); a port access would too, but waits for the lock that the
 * devices hold. */
static inline void full_barrier(void)
{
	__asm__ volatile("mfence" : : : "memory");
	if (cpu_features.drops_fences)
		__asm__ volatile("pushfq; popfq" : : : "memory", "cc");
}

#endif

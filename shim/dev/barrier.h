/* barrier.h: order between our stores and what a device has stored meanwhile. */
#ifndef SHIM_DEV_BARRIER_H
#define SHIM_DEV_BARRIER_H

#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/insn.h"

#define PORT_POST 0x80 /* power-on self-test codes: a write does nothing */

/* Orders our stores before our later loads, which x86 alone does not: who tells a device
 * what it waits for and then looks whether that has come must use it.
 *
 * QEMU's emulator drops MFENCE and LOCK where a machine has one CPU (fixed in 8.0),
 * though its devices run beside that CPU: about one interrupt in 200,000 is lost. A port
 * access takes the lock that its devices hold, which orders. */
static inline void full_barrier(void)
{
	if (cpu_features.drops_fences)
		out8(PORT_POST, 0);
	else
		__asm__ volatile("mfence" : : : "memory");
}

#endif

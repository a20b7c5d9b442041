/* clock_setup.h: finding out how fast the TSC runs, and the time of day. */
#ifndef SHIM_ARCH_X86_64_CLOCK_SETUP_H
#define SHIM_ARCH_X86_64_CLOCK_SETUP_H

#include <stdbool.h>
#include <stdint.h>

/* entry_tsc, of the loader's first instruction where there is one, becomes time 0. */
void clock_setup(uint64_t entry_tsc, uint64_t kernel_entry_tsc);
void clock_setup_cpu(void); /* the timer of each CPU after the first */

/* tsc_rate.c: ticks a second; 0: nothing here can tell. */
uint64_t tsc_rate_find(void);

/* wall_clock.c: nanoseconds since 1970 now; 0: no clock tells. */
uint64_t wall_clock_read(void);

/* kvm_clock.c. The hypervisor's paravirtual clock (Linux
 * Documentation/virt/kvm/x86/msr.rst). */
uint64_t kvm_clock_tsc_rate(void); /* 0: not there */
uint64_t kvm_clock_wall(void);     /* ns since 1970 now, 0: not there */

#endif

/* clock.h: time. Monotonic nanoseconds since boot from the TSC, scaled by the KVM clock,
 * CPUID 15h/16h, HPET or the PM timer, whichever is first there; one-shot wake-ups from
 * the local APIC (TSC deadline where the CPU has it). */
#ifndef SHIM_ARCH_X86_64_CLOCK_H
#define SHIM_ARCH_X86_64_CLOCK_H

#include <stdint.h>

uint64_t clock_now_ns(void);
/* When the kernel's first instruction ran: the time that the loader took. */
uint64_t clock_kernel_entry_ns(void);
/* CLOCK_REALTIME minus CLOCK_MONOTONIC, ns; from the KVM wall clock or the RTC at boot.
 */
uint64_t clock_realtime_offset_ns(void);
/* An interrupt at deadline_ns of clock_now_ns() (at once when past); replaces the
 * earlier. */
void clock_arm(uint64_t deadline_ns);
/* For the vDSO: ns = ((tsc - base_tsc) * mult >> shift) + base_ns. */
struct clock_scale {
	uint64_t base_tsc, base_ns;
	uint32_t mult, shift;
};
const struct clock_scale *clock_scale_get(void);

#endif

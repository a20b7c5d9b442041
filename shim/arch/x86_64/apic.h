/* apic.h: the local APIC and the I/O APICs, for arch. */
#ifndef SHIM_ARCH_X86_64_APIC_H
#define SHIM_ARCH_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

void interrupts_setup(void); /* irq.c: 8259s, local APIC of the boot CPU, I/O APICs */

void apic_setup(void); /* every CPU */
uint32_t apic_id(void);
bool apic_is_x2apic(void); /* IDs above 254 can be reached */
void apic_end_of_interrupt(void);
/* The timer, one-shot. A count is in ticks of the APIC's own clock. */
void apic_timer_start(uint32_t count);
uint32_t apic_timer_count(void);
void apic_timer_use_deadline(void); /* TSC deadline mode from now on */
void apic_send(uint32_t target_apic_id, uint32_t command); /* ICR's low half */

void ioapic_setup(void);
/* -ENOENT: no I/O APIC has the line. */
int ioapic_route(uint32_t gsi, unsigned vector, uint32_t target, bool level,
		 bool active_low);

#endif

/* irq_isa.h: interrupts by their ISA number (COM1 is 4), where the MADT says they go. */
#ifndef SHIM_ARCH_X86_64_IRQ_ISA_H
#define SHIM_ARCH_X86_64_IRQ_ISA_H

int irq_route_isa(unsigned line, int vector); /* as irq_route_gsi */

#endif

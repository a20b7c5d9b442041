/* features.h: what CPUID says, asked once. Nothing that a CPU may lack is used without
 * its bit here (setting a reserved CR bit is #GP). */
#ifndef SHIM_ARCH_X86_64_FEATURES_H
#define SHIM_ARCH_X86_64_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_features {
	bool nx, smep, smap, umip, fsgsbase, gib_pages, x2apic, tsc_deadline, xsave,
		xsaveopt;
	bool invariant_tsc, hypervisor, rdtscp;
	bool drops_fences; /* QEMU's emulator; see dev/barrier.h */
	uint32_t hwcap, hwcap2;
	uint32_t highest, highest_hypervisor; /* CPUID leaves */
};
extern struct cpu_features cpu_features;

void cpu_features_read(void);

#endif

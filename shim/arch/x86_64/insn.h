/* insn.h: the instructions that C has no words for. */
#ifndef SHIM_ARCH_X86_64_INSN_H
#define SHIM_ARCH_X86_64_INSN_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/arch/x86_64/port.h"

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;
	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* After all earlier loads: for time that must not run backwards between CPUs. */
static inline uint64_t rdtsc_ordered(void)
{
	uint32_t low, high;
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

/* For MSRs that a CPU may lack: false, and *value 0, when it answers #GP (copy_user.S).
 */
bool rdmsr_safe(uint32_t msr, uint64_t *value);
bool wrmsr_safe(uint32_t msr, uint64_t value);

static inline uint64_t read_cr0(void)
{
	uint64_t value;
	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline void write_cr0(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t read_cr2(void)
{
	uint64_t value;
	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr3(void)
{
	uint64_t value;
	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

/* The task priority: interrupts of classes up to it wait. */
static inline void write_cr8(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr8" : : "r"(value) : "memory");
}

static inline uint64_t read_cr4(void)
{
	uint64_t value;
	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
	__asm__ volatile("xsetbv"
			 :
			 : "c"(index), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32)));
}

static inline void invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline uint64_t rdfsbase(void)
{
	uint64_t value;
	__asm__ volatile("rdfsbase %0" : "=r"(value));
	return value;
}

static inline void wrfsbase(uint64_t value)
{
	__asm__ volatile("wrfsbase %0" : : "r"(value));
}

/* Ring 3's GS base, which is in the other of the two registers while ring 0 runs. Nothing
 * may use %gs in between, so it is one piece. */
static inline uint64_t rdgsbase_user(void)
{
	uint64_t value;
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(value) : : "memory");
	return value;
}

static inline void wrgsbase_user(uint64_t value)
{
	__asm__ volatile("swapgs; wrgsbase %0; swapgs" : : "r"(value) : "memory");
}

/* This CPU's struct percpu, while ring 0 runs. */
static inline void wrgsbase(uint64_t value)
{
	__asm__ volatile("wrgsbase %0" : : "r"(value) : "memory");
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

__extension__ enum msr { /* ISO C 11 knows no enumerators above INT_MAX */
			 MSR_APIC_BASE = 0x1b,
			 MSR_ARCH_CAPABILITIES = 0x10a,
			 MSR_TSC_DEADLINE = 0x6e0,
			 MSR_PAT = 0x277,
			 MSR_X2APIC = 0x800, /* + register offset / 16 */
			 MSR_EFER = 0xc0000080,
			 MSR_STAR = 0xc0000081,
			 MSR_LSTAR = 0xc0000082,
			 MSR_CSTAR = 0xc0000083,
			 MSR_FMASK = 0xc0000084,
			 MSR_FS_BASE = 0xc0000100,
			 MSR_GS_BASE = 0xc0000101,
			 MSR_KERNEL_GS_BASE = 0xc0000102,
			 MSR_TSC_AUX = 0xc0000103,
			 MSR_SYSENTER_CS = 0x174,
			 MSR_KVM_WALL_CLOCK = 0x4b564d00,
			 MSR_KVM_SYSTEM_TIME = 0x4b564d01,
};

#endif

/* mtrr.c: repeats the boot CPU's memory types on the others; firmware does, where there
 * is one, but not every hypervisor. */
#include "shim/arch/x86_64/mtrr.h"

#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/insn.h"

enum {
	MTRR_CAP = 0xfe,
	MTRR_BASE = 0x200, /* pairs of base and mask */
	MTRR_DEFAULT = 0x2ff,
	MTRR_ENABLE = 1 << 11,
	CAP_FIXED = 1 << 8,
	HWCAP_MTRR = 1 << 12, /* CPUID 1 edx */
	VARIABLE_MAX = 16,
};

static const uint16_t fixed_msr[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
				     0x26b, 0x26c, 0x26d, 0x26e, 0x26f};
#define FIXED_COUNT (sizeof(fixed_msr) / sizeof(fixed_msr[0]))

static struct {
	bool has;
	unsigned fixed_count, variable_count;
	uint64_t type, fixed[FIXED_COUNT], variable[2 * VARIABLE_MAX];
} kept;

void mtrr_remember(void)
{
	if (!(cpu_features.hwcap & HWCAP_MTRR))
		return;
	uint64_t cap = rdmsr(MTRR_CAP);
	unsigned variable = cap & 0xff;
	kept.has = true;
	kept.fixed_count = cap & CAP_FIXED ? FIXED_COUNT : 0;
	kept.variable_count = 2 * (variable < VARIABLE_MAX ? variable : VARIABLE_MAX);
	kept.type = rdmsr(MTRR_DEFAULT);
	for (unsigned i = 0; i < kept.fixed_count; i++)
		kept.fixed[i] = rdmsr(fixed_msr[i]);
	for (unsigned i = 0; i < kept.variable_count; i++)
		kept.variable[i] = rdmsr(MTRR_BASE + i);
}

static bool are_right(void)
{
	if (rdmsr(MTRR_DEFAULT) != kept.type)
		return false;
	for (unsigned i = 0; i < kept.fixed_count; i++)
		if (rdmsr(fixed_msr[i]) != kept.fixed[i])
			return false;
	for (unsigned i = 0; i < kept.variable_count; i++)
		if (rdmsr(MTRR_BASE + i) != kept.variable[i])
			return false;
	return true;
}

void mtrr_repeat(void)
{
	if (!kept.has || are_right())
		return;
	__asm__ volatile("wbinvd" : : : "memory");
	write_cr3(read_cr3());
	wrmsr(MTRR_DEFAULT, kept.type & ~(uint64_t)MTRR_ENABLE);
	for (unsigned i = 0; i < kept.fixed_count; i++)
		wrmsr(fixed_msr[i], kept.fixed[i]);
	for (unsigned i = 0; i < kept.variable_count; i++)
		wrmsr(MTRR_BASE + i, kept.variable[i]);
	wrmsr(MTRR_DEFAULT, kept.type);
	__asm__ volatile("wbinvd" : : : "memory");
	write_cr3(read_cr3());
}

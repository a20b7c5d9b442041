/* fpu.c: the vector and x87 state of ring 3: all that XSAVE can save, AVX-512 and APX
 * included; not AMX (8 KiB a thread that nearly nobody uses) nor PKRU (no pkey calls).
 * The kernel itself has no such state: it is saved when a thread leaves the CPU, and
 * loaded when it comes back, unless the registers still hold it. */
#include "shim/arch/x86_64/fpu.h"

#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"

/* SDM 1, 13.1: numbers of state components. */
enum {
	XFEATURE_LEGACY = 0x3,
	XFEATURE_AVX = 0x4,
	XFEATURE_AVX512 = 0xe0, /* opmask, ZMM_Hi256, Hi16_ZMM: together or not at all */
	XFEATURE_APX = 1 << 19,
};
#define FXSAVE_SIZE       512u
#define XSAVE_HEADER_SIZE 64u
#define NO_CPU            UINT32_MAX

bool fpu_xrstor_checked(const void *area, uint64_t components);
bool fpu_fxrstor_checked(const void *area);

static uint64_t features;
static size_t area_size = FXSAVE_SIZE;

/* SDM 1, 13.6: the initial configuration; as FXSAVE has it too. */
static void area_reset(uint8_t *area)
{
	const uint16_t fcw = 0x37f;
	const uint32_t mxcsr = 0x1f80;
	memset(area, 0, area_size);
	memcpy(area, &fcw, sizeof(fcw));
	memcpy(area + 24, &mxcsr, sizeof(mxcsr));
}

static void features_choose(void)
{
	struct cpuid leaf = cpuid(0xd, 0);
	uint64_t offered = (uint64_t)leaf.edx << 32 | leaf.eax;
	features = XFEATURE_LEGACY;
	if (offered & XFEATURE_AVX) {
		features |= XFEATURE_AVX;
		if ((offered & XFEATURE_AVX512) == XFEATURE_AVX512)
			features |= XFEATURE_AVX512;
	}
	features |= offered & XFEATURE_APX;
}

void fpu_setup(bool first)
{
	if (cpu_features.xsave) {
		if (first)
			features_choose();
		xsetbv(0, features);
		if (first)
			area_size = cpuid(0xd, 0).ebx; /* of what XCR0 has enabled */
	}
	__asm__ volatile("fninit");
}

size_t fpu_area_size(void)
{
	return area_size;
}

uint64_t fpu_features(void)
{
	return features;
}

static void save(void *area)
{
	uint32_t low = (uint32_t)features, high = (uint32_t)(features >> 32);
	if (cpu_features.xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)"
				 :
				 : "r"(area), "a"(low), "d"(high)
				 : "memory");
	else if (cpu_features.xsave)
		__asm__ volatile("xsave64 (%0)"
				 :
				 : "r"(area), "a"(low), "d"(high)
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static bool load(const void *area)
{
	return cpu_features.xsave ? fpu_xrstor_checked(area, features)
				  : fpu_fxrstor_checked(area);
}

static bool is_live(const struct arch_thread *t)
{
	const struct percpu *self = percpu();
	return self->fpu_owner == t && t->fpu_cpu == self->id;
}

/* Whatever the registers of any CPU hold of t is out of date. */
static void forget(struct arch_thread *t)
{
	t->fpu_cpu = NO_CPU;
}

int fpu_make(struct arch_thread *t, struct account *account)
{
	size_t size = FXSAVE_SIZE;
	while (size < area_size)
		size *= 2; /* kmem.h aligns powers of two to 64 */
	t->fpu = kmalloc(account, size);
	if (!t->fpu)
		return -ENOMEM;
	KASSERT(((uint64_t)t->fpu & 63) == 0);
	area_reset(t->fpu);
	forget(t);
	return 0;
}

void fpu_save(struct arch_thread *t)
{
	if (is_live(t))
		save(t->fpu);
}

void fpu_load(struct arch_thread *t)
{
	struct percpu *self = percpu();
	if (!load(t->fpu)) /* no way for a program: sigreturn's bytes are checked first */
		panic("XRSTOR refuses a thread's saved state");
	self->fpu_owner = t;
	t->fpu_cpu = self->id;
}

void fpu_leave(struct arch_thread *from)
{
	fpu_save(from);
}

void fpu_enter(struct arch_thread *to)
{
	if (!is_live(to))
		fpu_load(to);
}

void fpu_reset(struct arch_thread *t)
{
	bool running = percpu()->arch == t;
	area_reset(t->fpu);
	forget(t);
	if (running)
		fpu_load(t);
}

/* Ours is the standard form: XSAVE leaves XCOMP_BV as it finds it, so a compacted header
 * that XRSTOR takes once would make nonsense of what is saved next (SDM 1, 13.4.2). */
static bool header_is_standard(const uint8_t *area)
{
	uint64_t word[XSAVE_HEADER_SIZE / 8];
	memcpy(word, area + FXSAVE_SIZE, sizeof(word));
	uint64_t wrong = word[0] & ~features;
	for (size_t i = 1; i < XSAVE_HEADER_SIZE / 8; i++)
		wrong |= word[i];
	return !wrong;
}

bool fpu_restore_checked(struct arch_thread *t, const void *area, size_t size)
{
	struct percpu *self = percpu();
	bool legacy = size == FXSAVE_SIZE;
	if (self->arch != t)
		panic("fpu_restore_checked: the thread does not run");
	if (legacy || (size >= area_size && header_is_standard(area))) {
		area_reset(t->fpu);
		memcpy(t->fpu, area, legacy ? FXSAVE_SIZE : area_size);
		if (legacy && cpu_features.xsave)
			((uint8_t *)t->fpu)[FXSAVE_SIZE] =
				XFEATURE_LEGACY; /* XSTATE_BV */
		if (load(t->fpu)) {
			self->fpu_owner = t;
			t->fpu_cpu = self->id;
			return true;
		}
	}
	fpu_reset(t);
	return false;
}

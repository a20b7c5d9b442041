/* clock.c: the monotonic clock and the one-shot wake-up. */
#include "shim/arch/x86_64/clock.h"

#include "shim/arch/x86_64/apic.h"
#include "shim/arch/x86_64/clock_setup.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/lib/print.h"

#define NS_PER_S        1000000000ull
#define APIC_MEASURE_NS 500000ull

__extension__ typedef unsigned __int128 wide;

static struct clock_scale scale;
static uint64_t ticks_per_ns_32;      /* TSC, in 2^-32 */
static uint64_t apic_ticks_per_ns_32; /* local APIC timer, in 2^-32; 0: TSC deadline */
static uint64_t realtime_offset_ns;

uint64_t clock_now_ns(void)
{
	uint64_t ticks = rdtsc_ordered() - scale.base_tsc;
	return (uint64_t)((wide)ticks * scale.mult >> scale.shift) + scale.base_ns;
}

uint64_t clock_realtime_offset_ns(void)
{
	return realtime_offset_ns;
}

const struct clock_scale *clock_scale_get(void)
{
	return &scale;
}

void clock_arm(uint64_t deadline_ns)
{
	if (!apic_ticks_per_ns_32) {
		uint64_t ticks = (uint64_t)((wide)deadline_ns * ticks_per_ns_32 >> 32);
		__asm__ volatile("mfence" : : : "memory");
		/* One tick more: never before the deadline by rounding. 0 would disarm.
		 */
		wrmsr(MSR_TSC_DEADLINE, scale.base_tsc + ticks + 1);
		return;
	}
	uint64_t now = clock_now_ns();
	uint64_t wait = deadline_ns > now ? deadline_ns - now : 0;
	wide ticks = ((wide)wait * apic_ticks_per_ns_32 >> 32) + 1;
	/* A wait longer than the counter ends early, and timers_run arms it again. */
	apic_timer_start(ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

/* The APIC timer's clock is the bus' or the crystal's: measured against the TSC. */
static void apic_timer_measure(void)
{
	apic_timer_start(UINT32_MAX);
	uint32_t from = apic_timer_count();
	uint64_t start = clock_now_ns(), end;
	do {
		end = clock_now_ns();
	} while (end - start < APIC_MEASURE_NS);
	uint32_t to = apic_timer_count();
	apic_timer_start(0);
	if (from <= to)
		panic("the local APIC's timer does not count");
	apic_ticks_per_ns_32 = ((uint64_t)(from - to) << 32) / (end - start);
}

void clock_setup_cpu(void)
{
	if (cpu_features.tsc_deadline)
		apic_timer_use_deadline();
}

void clock_setup(uint64_t entry_tsc)
{
	uint64_t rate = tsc_rate_find();
	if (!rate) {
		kprint("elfpack: boot: nothing tells the speed of the TSC (no KVM clock, "
		       "CPUID "
		       "15h or 16h, HPET, PM timer, PIT)\n");
		machine_power_off(125);
	}
	scale.base_tsc = entry_tsc;
	scale.shift = 32;
	while ((NS_PER_S << scale.shift) / rate > UINT32_MAX)
		scale.shift--;
	scale.mult = (uint32_t)((NS_PER_S << scale.shift) / rate);
	ticks_per_ns_32 = (rate / 1000 << 32) / (NS_PER_S / 1000);
	if (cpu_features.tsc_deadline)
		apic_timer_use_deadline();
	else
		apic_timer_measure();
	uint64_t wall = wall_clock_read(), now = clock_now_ns();
	realtime_offset_ns = wall > now ? wall - now : 0;
}

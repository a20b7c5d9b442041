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
#define APIC_DOUBT      32u
#define APIC_TRIES      8

__extension__ typedef unsigned __int128 wide;

static struct clock_scale scale;
static uint64_t ticks_per_ns_32;      /* TSC, in 2^-32 */
static uint64_t apic_ticks_per_ns_32; /* local APIC timer, in 2^-32; 0: TSC deadline */
static uint64_t realtime_offset_ns;
static uint64_t kernel_entry_ns;

static uint64_t ns_at(uint64_t tsc)
{
	uint64_t ticks = tsc - scale.base_tsc;
	return (uint64_t)((wide)ticks * scale.mult >> scale.shift) + scale.base_ns;
}

uint64_t clock_now_ns(void)
{
	return ns_at(rdtsc_ordered());
}

uint64_t clock_kernel_entry_ns(void)
{
	return kernel_entry_ns;
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

/* The APIC timer's count, and when it was so: between the clock's time before the reading
 * and that after it. A hypervisor may stop us for milliseconds in between. */
struct apic_reading {
	uint64_t count, before_ns, after_ns;
};

static struct apic_reading apic_timer_read(void)
{
	struct apic_reading r = {.before_ns = clock_now_ns()};
	r.count = apic_timer_count();
	r.after_ns = clock_now_ns();
	return r;
}

/* The APIC timer's clock is the bus' or the crystal's: measured against the TSC, again
 * until a measurement cannot be wrong by more than one part in APIC_DOUBT. */
static void apic_timer_measure(void)
{
	uint64_t least_doubt_ns = UINT64_MAX;
	apic_timer_start(UINT32_MAX);
	for (int i = 0; i < APIC_TRIES && least_doubt_ns > APIC_MEASURE_NS / APIC_DOUBT;
	     i++) {
		struct apic_reading from = apic_timer_read(), to;
		do {
			to = apic_timer_read();
		} while (to.before_ns - from.after_ns < APIC_MEASURE_NS);
		if (from.count <= to.count)
			panic("the local APIC's timer does not count");
		uint64_t doubt =
			from.after_ns - from.before_ns + to.after_ns - to.before_ns;
		if (doubt >= least_doubt_ns)
			continue;
		least_doubt_ns = doubt;
		apic_ticks_per_ns_32 =
			((from.count - to.count) << 32) /
			((to.before_ns - from.before_ns + to.after_ns - from.after_ns) /
			 2);
	}
	apic_timer_start(0);
}

void clock_setup_cpu(void)
{
	if (cpu_features.tsc_deadline)
		apic_timer_use_deadline();
}

void clock_setup(uint64_t entry_tsc, uint64_t kernel_entry_tsc)
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
	kernel_entry_ns = ns_at(kernel_entry_tsc);
	ticks_per_ns_32 = (rate / 1000 << 32) / (NS_PER_S / 1000);
	if (cpu_features.tsc_deadline)
		apic_timer_use_deadline();
	else
		apic_timer_measure();
	uint64_t wall = wall_clock_read(), now = clock_now_ns();
	realtime_offset_ns = wall > now ? wall - now : 0;
}

/* tsc_rate.c: how many times a second the TSC counts: told by the hypervisor or the CPU,
 * else measured against the best counter of known speed. No delay loops: both clocks are
 * read together at two moments. */
#include "shim/arch/x86_64/acpi.h"
#include "shim/arch/x86_64/acpi_parse.h"
#include "shim/arch/x86_64/clock_setup.h"
#include "shim/arch/x86_64/device_map.h"
#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/lib/string.h"

#define MEASURE_PER_S 200u /* 5 ms: exact to 100 ppm by the PIT, better by others */
#define SAMPLE_TRIES  8
#define STUCK_READS   100000u /* a counter that is not there reads the same for ever */

struct counter {
	uint64_t (*read)(void); /* counts up */
	uint64_t rate;          /* a second */
	uint64_t mask;
};

struct sample {
	uint64_t tsc, count;
};

/* The closest pair of some tries: a vCPU may lose its CPU between the two reads. */
static struct sample sample_take(const struct counter *c)
{
	struct sample best = {0, 0};
	uint64_t best_width = UINT64_MAX;
	for (int i = 0; i < SAMPLE_TRIES; i++) {
		uint64_t before = rdtsc_ordered(), count = c->read(),
			 after = rdtsc_ordered();
		if (after - before >= best_width)
			continue;
		best_width = after - before;
		best = (struct sample){before + best_width / 2, count};
	}
	return best;
}

static uint64_t measure(const struct counter *c)
{
	struct sample from = sample_take(c);
	uint64_t wanted = c->rate / MEASURE_PER_S, last = from.count;
	uint32_t same = 0;
	while (((last - from.count) & c->mask) < wanted) {
		uint64_t now = c->read();
		same = now == last ? same + 1 : 0;
		last = now;
		if (same > STUCK_READS)
			return 0;
	}
	struct sample to = sample_take(c);
	uint64_t counted = (to.count - from.count) & c->mask;
	if (!counted || to.tsc <= from.tsc)
		return 0;
	/* (ticks * rate) / counted without overflow: a rate below 2^32 and 5 ms leave
	 * room. */
	uint64_t ticks = to.tsc - from.tsc;
	return ticks * (c->rate / 1000) / counted * 1000;
}

/* HPET: IA-PC HPET 1.0a, 2.3. */
enum {
	HPET_PERIOD = 4,
	HPET_CONFIG = 0x10,
	HPET_COUNTER = 0xf0,
	HPET_FIELD_ADDRESS = 44
};
static volatile uint8_t *hpet;

static volatile uint32_t *hpet_register(unsigned offset)
{
	return (volatile uint32_t *)(volatile void *)(hpet + offset);
}

static uint64_t hpet_read(void)
{
	return *hpet_register(HPET_COUNTER);
}

static uint64_t measure_by_hpet(void)
{
	size_t size;
	const uint8_t *table = acpi_table("HPET", &size);
	if (!table || size < 56 || table[40] != 0)
		return 0;
	uint64_t phys;
	memcpy(&phys, table + HPET_FIELD_ADDRESS, sizeof(phys));
	hpet = phys ? device_map(phys, 0x400, DEVICE_UNCACHED) : NULL;
	uint32_t period_fs = hpet ? *hpet_register(HPET_PERIOD) : 0;
	if (period_fs == 0 || period_fs > 100000000)
		return 0;
	*hpet_register(HPET_CONFIG) |= 1; /* let it count; its interrupts stay off */
	struct counter c = {hpet_read, 1000000000000000ull / period_fs, UINT32_MAX};
	return measure(&c);
}

static uint64_t pm_timer_read(void)
{
	return in32((uint16_t)acpi_info.pm_timer_port);
}

static uint64_t measure_by_pm_timer(void)
{
	if (!acpi_info.pm_timer_port)
		return 0;
	struct counter c = {pm_timer_read, 3579545,
			    acpi_info.pm_timer_32bit ? UINT32_MAX : 0xffffff};
	return measure(&c);
}

/* Channel 2 of the 8254, which is nobody's: its gate is bit 0 of port 61h. */
static uint64_t pit_read(void)
{
	out8(0x43, 0x80); /* latch channel 2 */
	unsigned low = in8(0x42);
	return 0xffff - (low | (unsigned)in8(0x42) << 8);
}

static uint64_t measure_by_pit(void)
{
	out8(0x61, (uint8_t)((in8(0x61) & ~2u) | 1)); /* count, but do not sound */
	out8(0x43, 0xb0);                             /* channel 2, both bytes, mode 0 */
	out8(0x42, 0xff);
	out8(0x42, 0xff);
	struct counter c = {pit_read, 1193182, 0xffff};
	return measure(&c);
}

static uint64_t told_by_cpuid(void)
{
	/* The hypervisor's timing leaf, by VMware's convention: kHz. */
	if (cpu_features.hypervisor && cpu_features.highest_hypervisor >= 0x40000010 &&
	    cpu_features.highest_hypervisor < 0x40010000) {
		uint64_t khz = cpuid(0x40000010, 0).eax;
		if (khz)
			return khz * 1000;
	}
	if (cpu_features.highest < 0x15)
		return 0;
	struct cpuid ratio = cpuid(0x15, 0);
	if (!ratio.eax || !ratio.ebx)
		return 0;
	if (ratio.ecx)
		return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
	/* The crystal is not told: the base frequency is what the TSC runs at (SDM
	 * 3, 18.7.3). */
	if (cpu_features.highest < 0x16)
		return 0;
	return (uint64_t)(cpuid(0x16, 0).eax & 0xffff) * 1000000;
}

uint64_t tsc_rate_find(void)
{
	uint64_t (*const way[])(void) = {kvm_clock_tsc_rate, told_by_cpuid,
					 measure_by_hpet, measure_by_pm_timer,
					 measure_by_pit};
	uint64_t rate = 0;
	for (unsigned i = 0; i < sizeof(way) / sizeof(way[0]) && !rate; i++)
		rate = way[i]();
	return rate;
}

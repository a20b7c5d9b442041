/* kvm_clock.c: KVM tells the TSC's speed and the time of day through memory. It is asked
 * at boot and switched off again: from then on the TSC alone is the clock. */
#include "shim/arch/x86_64/clock_setup.h"
#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/relocate.h"
#include "shim/lib/string.h"

#define CLOCK_FEATURE (1u << 3) /* KVM_FEATURE_CLOCKSOURCE2: the MSRs of insn.h */
#define TRIES         1000

struct system_time {
	uint32_t version; /* odd while the host writes */
	uint32_t pad0;
	uint64_t tsc_timestamp, system_time_ns;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad[2];
} __attribute__((packed, aligned(32)));
_Static_assert(sizeof(struct system_time) == 32, "KVM ABI");

struct wall_clock {
	uint32_t version, seconds, nanoseconds;
};

static volatile struct system_time shared_time;
static volatile struct wall_clock shared_wall __attribute__((aligned(16)));

static bool has_clock(void)
{
	if (!cpu_features.hypervisor)
		return false;
	/* KVM's leaves may lie above Hyper-V's, in steps of 100h. */
	for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
		struct cpuid name = cpuid(base, 0);
		if (memcmp(&name.ebx, "KVMK", 4) == 0 &&
		    memcmp(&name.ecx, "VMKV", 4) == 0)
			return cpuid(base + 1, 0).eax & CLOCK_FEATURE;
	}
	return false;
}

static bool time_read(struct system_time *out)
{
	bool valid = false;
	if (!has_clock() ||
	    !wrmsr_safe(MSR_KVM_SYSTEM_TIME, kernel_phys(&shared_time) | 1))
		return false;
	for (int i = 0; i < TRIES && !valid; i++) {
		uint32_t version = shared_time.version;
		__asm__ volatile("lfence" : : : "memory");
		out->tsc_timestamp = shared_time.tsc_timestamp;
		out->system_time_ns = shared_time.system_time_ns;
		out->tsc_to_system_mul = shared_time.tsc_to_system_mul;
		out->tsc_shift = shared_time.tsc_shift;
		__asm__ volatile("lfence" : : : "memory");
		valid = !(version & 1) && version == shared_time.version &&
			out->tsc_to_system_mul;
	}
	wrmsr_safe(MSR_KVM_SYSTEM_TIME, 0);
	return valid;
}

/* ns = (ticks << shift) * mul >> 32, so a second has 10^9 * 2^32 / mul >> shift ticks. */
uint64_t kvm_clock_tsc_rate(void)
{
	struct system_time t;
	if (!time_read(&t) || t.tsc_shift < -31 || t.tsc_shift > 31)
		return 0;
	uint64_t rate = (1000000000ull << 32) / t.tsc_to_system_mul;
	return t.tsc_shift < 0 ? rate << -t.tsc_shift : rate >> t.tsc_shift;
}

uint64_t kvm_clock_wall(void)
{
	struct system_time t;
	if (!time_read(&t) || t.tsc_shift < -31 || t.tsc_shift > 31 ||
	    !wrmsr_safe(MSR_KVM_WALL_CLOCK, kernel_phys(&shared_wall)))
		return 0;
	/* Written once, by that WRMSR: the time of day at the system clock's zero. */
	uint64_t at_zero =
		(uint64_t)shared_wall.seconds * 1000000000 + shared_wall.nanoseconds;
	uint64_t ticks = rdtsc_ordered() - t.tsc_timestamp;
	ticks = t.tsc_shift < 0 ? ticks >> -t.tsc_shift : ticks << t.tsc_shift;
	__extension__ typedef unsigned __int128 wide;
	uint64_t since = (uint64_t)((wide)ticks * t.tsc_to_system_mul >> 32);
	return shared_wall.seconds ? at_zero + t.system_time_ns + since : 0;
}

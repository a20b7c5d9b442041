/* apic.c: the local APIC (SDM 3, 11), by MSRs where the CPU has x2APIC. */
#include "shim/arch/x86_64/apic.h"

#include "shim/arch/x86_64/device_map.h"
#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/lib/print.h"

enum {
	APIC_ID = 0x20,
	APIC_TPR = 0x80,
	APIC_EOI = 0xb0,
	APIC_SPURIOUS = 0xf0,
	APIC_ERROR_STATUS = 0x280,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERF = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};
enum {
	BASE_X2APIC = 1 << 10,
	BASE_ENABLE = 1 << 11,
	LVT_MASKED = 1 << 16,
	LVT_NMI = 4 << 8,
	LVT_DEADLINE = 2 << 17,
	SPURIOUS_ENABLE = 1 << 8,
	DIVIDE_BY_1 = 0xb,
	ICR_BUSY = 1 << 12,
};

static bool x2apic;
static volatile uint32_t *registers;

static uint32_t apic_read(unsigned offset)
{
	return x2apic ? (uint32_t)rdmsr(MSR_X2APIC + offset / 16) : registers[offset / 4];
}

static void apic_write(unsigned offset, uint32_t value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + offset / 16, value);
	else
		registers[offset / 4] = value;
}

void apic_setup(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);
	x2apic = cpu_features.x2apic || base & BASE_X2APIC;
	/* From off, x2APIC is entered by way of xAPIC; from x2APIC there is no way back.
	 */
	if (!(base & BASE_ENABLE)) {
		base |= BASE_ENABLE;
		wrmsr(MSR_APIC_BASE, base);
	}
	if (x2apic && !(base & BASE_X2APIC))
		wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);
	if (!x2apic && !registers)
		registers = device_map(base & 0xffffff000, 0x1000, DEVICE_UNCACHED);
	if (!x2apic && !registers)
		panic("no memory to map the local APIC");
	percpu()->apic_id = apic_id();
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_LVT_ERROR, VECTOR_APIC_ERROR);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_ERROR_STATUS, 0);
	apic_write(APIC_EOI, 0); /* of what firmware may have left in service */
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
}

uint32_t apic_id(void)
{
	uint32_t id = apic_read(APIC_ID);
	return x2apic ? id : id >> 24;
}

bool apic_is_x2apic(void)
{
	return x2apic;
}

void apic_end_of_interrupt(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_timer_start(uint32_t count)
{
	apic_write(APIC_TIMER_INITIAL, count);
}

uint32_t apic_timer_count(void)
{
	return apic_read(APIC_TIMER_CURRENT);
}

void apic_timer_use_deadline(void)
{
	apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VECTOR_TIMER);
	/* The write to memory must be done before the MSR is (SDM 3, 11.5.4.1). */
	__asm__ volatile("mfence" : : : "memory");
}

void apic_send(uint32_t target, uint32_t command)
{
	if (x2apic) {
		/* WRMSR to x2APIC registers does not wait for earlier stores. */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)target << 32 | command);
		return;
	}
	while (apic_read(APIC_ICR) & ICR_BUSY)
		cpu_relax();
	apic_write(APIC_ICR_HIGH, target << 24);
	apic_write(APIC_ICR, command);
}

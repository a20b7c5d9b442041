/* irq.c: interrupts: vectors, who handles them, and the old 8259s kept quiet. */
#include "shim/arch/x86_64/acpi_parse.h"
#include "shim/arch/x86_64/apic.h"
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/irq_isa.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/smp.h"
#include "shim/arch/x86_64/trap.h"
#include "shim/lib/errno.h"
#include "shim/proc/timer.h"

#define MSI_ADDRESS 0xfee00000ull

static struct {
	void (*handler)(void *context);
	void *context;
} device[256];
static unsigned next_vector = VECTOR_DEVICE;

/* Masked, and moved from the exceptions' vectors: even so a spurious IRQ 7 or 15 may
 * come. */
static void pic_silence(void)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} step[] = {
		{0x20, 0x11},       {0xa0, 0x11}, /* ICW1: start, ICW4 follows */
		{0x21, VECTOR_PIC}, {0xa1, VECTOR_PIC + 8}, /* ICW2: vectors */
		{0x21, 4},          {0xa1, 2},              /* ICW3: slave at line 2 */
		{0x21, 1},          {0xa1, 1},              /* ICW4: 8086 */
		{0x21, 0xff},       {0xa1, 0xff},           /* all masked */
	};
	for (unsigned i = 0; i < sizeof(step) / sizeof(step[0]); i++)
		out8(step[i].port, step[i].value);
}

void interrupts_setup(void)
{
	pic_silence();
	apic_setup();
	ioapic_setup();
}

int irq_allocate(void (*handler)(void *context), void *context)
{
	if (next_vector == VECTOR_TIMER)
		return -ENOSPC;
	device[next_vector].handler = handler;
	device[next_vector].context = context;
	return (int)next_vector++;
}

/* Fixed delivery, edge, to the boot CPU by its physical ID. */
void irq_message(int vector, uint64_t *address, uint32_t *data)
{
	*address = MSI_ADDRESS | (uint64_t)(boot_percpu.apic_id & 0xff) << 12;
	*data = (uint32_t)vector;
}

int irq_route_gsi(unsigned gsi, int vector, bool level, bool active_low)
{
	return ioapic_route(gsi, (unsigned)vector, boot_percpu.apic_id, level,
			    active_low);
}

int irq_route_isa(unsigned line, int vector)
{
	const struct acpi_isa_route *route = &acpi_info.isa[line & 15];
	return irq_route_gsi(route->gsi, vector, route->level, route->active_low);
}

void irq_dispatch(unsigned vector)
{
	struct percpu *self = percpu();
	if (vector < VECTOR_DEVICE) {
		self->spurious_count++; /* not in service: no EOI */
		return;
	}
	if (vector == VECTOR_TIMER)
		timers_run(clock_now_ns());
	else if (device[vector].handler)
		device[vector].handler(device[vector].context);
	else
		self->spurious_count++;
	/* After the handler: a level-triggered line is quiet by now. */
	apic_end_of_interrupt();
}

void irq_dispatch_lockless(unsigned vector)
{
	if (vector == VECTOR_FLUSH)
		smp_flush_answer();
	else if (vector !=
		 VECTOR_WAKE) /* user_return and sched_idle look what that is about */
		percpu()->spurious_count++;
	/* At once: in service, it would keep others from this CPU while that waits for
	 * the lock. */
	if (vector != VECTOR_SPURIOUS)
		apic_end_of_interrupt();
}

/* power.c: the fixed power button: bit 8 of the PM1 event registers, told by the system
 * control interrupt. Clauses are ACPI 6.4's. Machines without fixed hardware (microvm's
 * GED) have their button in AML, which nothing here runs. */
#include "shim/dev/power.h"

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/abi/le.h"
#include "shim/arch/x86_64/acpi.h"
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/lib/print.h"

/* 5.2.9: offsets */
enum fadt {
	FADT_SCI = 46,         /* 16 bits */
	FADT_SMI_COMMAND = 48, /* 32 */
	FADT_ACPI_ENABLE = 52, /* 8 */
	FADT_PM1A_EVENT = 56,  /* 32: port */
	FADT_PM1B_EVENT = 60,
	FADT_PM1A_CONTROL = 64,
	FADT_GPE0 = 80,
	FADT_GPE1 = 84,
	FADT_PM1_EVENT_SIZE = 88, /* 8: status, then enable registers */
	FADT_GPE0_SIZE = 92,      /* 8 */
	FADT_GPE1_SIZE = 93,      /* 8 */
	FADT_FLAGS = 112,         /* 32 */
	FADT_SIZE_LEAST = 116,
};
#define FADT_NO_FIXED_BUTTON  (1u << 4)
#define FADT_HARDWARE_REDUCED (1u << 20)

#define PM1_BUTTON       (1u << 8) /* 4.8.3.1.1, in status and enable */
#define PM1_CONTROL_ACPI 1u        /* 4.8.3.2.1: SCI_EN */
#define ACPI_ENABLE_NS   100000000ull

enum madt { MADT_ENTRIES = 44, MADT_OVERRIDE = 2, MADT_OVERRIDE_SIZE = 10 }; /* 5.2.12 */

static struct {
	uint16_t event[2]; /* ports; 0: none */
	uint16_t enable_offset;
	void (*pressed)(void);
} button;

static uint32_t get32(const uint8_t *table, unsigned offset)
{
	return le32_get(*(const le32 *)(table + offset));
}

static uint16_t get16(const uint8_t *table, unsigned offset)
{
	return le16_get(*(const le16 *)(table + offset));
}

/* Clears what is pending, or a level-triggered line would stay up. */
static bool events_clear(void)
{
	bool pressed = false;
	for (unsigned i = 0; i < 2; i++) {
		if (!button.event[i])
			continue;
		uint16_t status = in16(button.event[i]);
		out16(button.event[i], status);
		pressed |= (status & PM1_BUTTON) != 0;
	}
	return pressed;
}

static void handle_sci(void *context)
{
	(void)context;
	if (events_clear())
		button.pressed();
}

/* Only the button may raise the interrupt: nobody here would answer general events. */
static void events_mask(const uint8_t *fadt)
{
	static const struct {
		unsigned port, size;
	} blocks[] = {{FADT_GPE0, FADT_GPE0_SIZE}, {FADT_GPE1, FADT_GPE1_SIZE}};
	for (unsigned i = 0; i < 2; i++) {
		uint32_t port = get32(fadt, blocks[i].port);
		unsigned half = fadt[blocks[i].size] / 2u;
		for (unsigned n = 0; port && port <= 0xffff && n < half; n++)
			out8((uint16_t)(port + half + n), 0);
	}
	for (unsigned i = 0; i < 2; i++)
		if (button.event[i])
			out16((uint16_t)(button.event[i] + button.enable_offset),
			      PM1_BUTTON);
}

/* 4.8.2.5: firmware hands the hardware over when told so; UEFI has done it already. */
static bool acpi_mode_enter(const uint8_t *fadt)
{
	uint32_t control = get32(fadt, FADT_PM1A_CONTROL);
	uint32_t command = get32(fadt, FADT_SMI_COMMAND);
	if (!control || control > 0xffff)
		return false;
	if (in16((uint16_t)control) & PM1_CONTROL_ACPI)
		return true;
	if (!command || command > 0xffff || !fadt[FADT_ACPI_ENABLE])
		return false;
	out8((uint16_t)command, fadt[FADT_ACPI_ENABLE]);
	uint64_t deadline = clock_now_ns() + ACPI_ENABLE_NS;
	while (!(in16((uint16_t)control) & PM1_CONTROL_ACPI)) {
		if (clock_now_ns() > deadline)
			return false;
		cpu_relax();
	}
	return true;
}

/* The SCI is an ISA interrupt, level and active low unless an override says otherwise
 * (5.2.12.5). */
static int sci_route(unsigned irq, int vector)
{
	unsigned gsi = irq;
	bool level = true, active_low = true;
	size_t size;
	const uint8_t *madt = acpi_table("APIC", &size);
	for (size_t at = MADT_ENTRIES; madt && at + 2 <= size && madt[at + 1] >= 2;
	     at += madt[at + 1]) {
		const uint8_t *entry = madt + at;
		if (entry[0] != MADT_OVERRIDE || entry[1] < MADT_OVERRIDE_SIZE ||
		    at + entry[1] > size || entry[3] != irq)
			continue;
		gsi = get32(entry, 4);
		unsigned polarity = get16(entry, 8) & 3u,
			 trigger = get16(entry, 8) >> 2 & 3u;
		active_low = polarity != 1;
		level = trigger != 1;
	}
	return irq_route_gsi(gsi, vector, level, active_low);
}

void power_button_init(void (*pressed)(void))
{
	size_t size;
	const uint8_t *fadt = acpi_table("FACP", &size);
	if (!fadt || size < FADT_SIZE_LEAST ||
	    get32(fadt, FADT_FLAGS) & (FADT_NO_FIXED_BUTTON | FADT_HARDWARE_REDUCED))
		return;
	uint32_t a = get32(fadt, FADT_PM1A_EVENT), b = get32(fadt, FADT_PM1B_EVENT);
	if (!a || a > 0xffff || b > 0xffff || fadt[FADT_PM1_EVENT_SIZE] < 4)
		return;
	button.event[0] = (uint16_t)a;
	button.event[1] = (uint16_t)b;
	button.enable_offset = fadt[FADT_PM1_EVENT_SIZE] / 2;
	button.pressed = pressed;
	int vector = irq_allocate(handle_sci, NULL);
	if (!acpi_mode_enter(fadt) || vector < 0) {
		kprint("elfpack: power button: the firmware does not hand ACPI over\n");
		return;
	}
	(void)events_clear(); /* a press from before the start is not for us */
	events_mask(fadt);
	if (sci_route(get16(fadt, FADT_SCI), vector) < 0)
		kprint("elfpack: power button: no I/O APIC has its interrupt\n");
}

/* ioapic.c: lines of devices without MSI: COM1, virtio over MMIO. All are masked until
 * routed. */
#include "shim/arch/x86_64/acpi_parse.h"
#include "shim/arch/x86_64/apic.h"
#include "shim/arch/x86_64/device_map.h"
#include "shim/lib/errno.h"

#define IOAPIC_DEFAULT_PHYS 0xfec00000u
enum { IOAPIC_VERSION = 1, IOAPIC_ROUTE = 0x10 };
enum { ROUTE_ACTIVE_LOW = 1 << 13, ROUTE_LEVEL = 1 << 15, ROUTE_MASKED = 1 << 16 };

struct ioapic {
	volatile uint32_t *registers;
	uint32_t gsi_base, lines;
};
static struct ioapic ioapics[ACPI_IOAPICS_MAX];
static unsigned ioapic_count;

static uint32_t ioapic_read(const struct ioapic *io, uint32_t index)
{
	io->registers[0] = index;
	return io->registers[4];
}

static void ioapic_write(const struct ioapic *io, uint32_t index, uint32_t value)
{
	io->registers[0] = index;
	io->registers[4] = value;
}

static void ioapic_add(uint32_t phys, uint32_t gsi_base)
{
	struct ioapic io = {device_map(phys, 0x1000, DEVICE_UNCACHED), gsi_base, 0};
	if (!io.registers)
		return;
	uint32_t version = ioapic_read(&io, IOAPIC_VERSION);
	if (version == UINT32_MAX)
		return; /* nobody answers there */
	io.lines = (version >> 16 & 0xff) + 1;
	for (uint32_t i = 0; i < io.lines; i++)
		ioapic_write(&io, IOAPIC_ROUTE + 2 * i, ROUTE_MASKED);
	ioapics[ioapic_count++] = io;
}

void ioapic_setup(void)
{
	for (uint32_t i = 0; i < acpi_info.ioapic_count; i++)
		ioapic_add(acpi_info.ioapic[i].phys, acpi_info.ioapic[i].gsi_base);
	if (!acpi_info.found)
		ioapic_add(IOAPIC_DEFAULT_PHYS, 0);
}

int ioapic_route(uint32_t gsi, unsigned vector, uint32_t target, bool level,
		 bool active_low)
{
	for (unsigned i = 0; i < ioapic_count; i++) {
		const struct ioapic *io = &ioapics[i];
		if (gsi < io->gsi_base || gsi - io->gsi_base >= io->lines)
			continue;
		uint32_t index = IOAPIC_ROUTE + 2 * (gsi - io->gsi_base);
		ioapic_write(io, index, ROUTE_MASKED);
		ioapic_write(io, index + 1, target << 24);
		ioapic_write(io, index,
			     vector | (level ? ROUTE_LEVEL : 0u) |
				     (active_low ? ROUTE_ACTIVE_LOW : 0u));
		return 0;
	}
	return -ENOENT;
}

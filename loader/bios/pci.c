/* pci.c: configuration space by ports CF8 and CFC (PCI 3.0, 3.2.2.3.2), which every
 * machine with a BIOS has. Buses are found by the bridges to them: reading all 256 would
 * take longer than the rest of the boot. */
#include "loader/bios/pci.h"
#include "loader/port.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc };
enum {
	HEADER = 0x0c,
	BUSES = 0x18
}; /* registers with the header's type, a bridge's buses */
enum { HEADER_TYPE_BRIDGE = 1, HEADER_MANY_FUNCTIONS = 0x80 };
enum { COMMAND_IO = 1, COMMAND_MASTER = 4, COMMAND_NO_INTERRUPT = 1 << 10 };
#define NOBODY 0xffffffffu

uint32_t pci_read(uint32_t where, uint32_t offset)
{
	out32(ADDRESS, 1u << 31 | where | offset);
	return in32(DATA);
}

bool pci_enable_io(uint32_t where)
{
	uint32_t command = pci_read(where, PCI_COMMAND) & 0xffff;
	/* The status bits above are cleared by ones: zeros leave them. */
	out32(DATA, command | COMMAND_IO | COMMAND_MASTER | COMMAND_NO_INTERRUPT);
	return pci_read(where, PCI_COMMAND) & COMMAND_IO;
}

/* Bridges only lead to buses of higher numbers: one pass over them, lowest first. */
bool pci_find(bool (*each)(uint32_t where, void *context), void *context)
{
	uint8_t is_there[256] = {[0] = 1};
	for (uint32_t slot = 0; slot < 256 * 32; slot++) {
		if (!is_there[slot >> 5])
			continue;
		uint32_t functions = 1;
		for (uint32_t i = 0; i < functions; i++) {
			uint32_t where = slot << 11 | i << 8;
			if (pci_read(where, PCI_ID) == NOBODY)
				continue;
			uint8_t type = (uint8_t)(pci_read(where, HEADER) >> 16);
			if (i == 0 && type & HEADER_MANY_FUNCTIONS)
				functions = 8;
			if ((type & 0x7f) == HEADER_TYPE_BRIDGE)
				is_there[pci_read(where, BUSES) >> 8 & 0xff] = 1;
			else if (each(where, context))
				return true;
		}
	}
	return false;
}

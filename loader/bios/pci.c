/* pci.c: configuration space by ports CF8 and CFC (PCI 3.0, 3.2.2.3.2), which every
 * machine with a BIOS has. */
#include "shim/arch/x86_64/port.h"

#include "loader/bios/pci.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc };
enum { COMMAND_IO = 1, COMMAND_MASTER = 4, COMMAND_NO_INTERRUPT = 1 << 10 };

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

/* pci.h: PCI configuration space. */
#ifndef LOADER_BIOS_PCI_H
#define LOADER_BIOS_PCI_H

#include <stdbool.h>
#include <stdint.h>

enum { PCI_ID = 0x00, PCI_COMMAND = 0x04, PCI_BAR0 = 0x10 };

/* where: bus << 16 | device << 11 | function << 8, as the configuration address has it.
 */
uint32_t pci_read(uint32_t where, uint32_t offset);
/* Lets it answer at its I/O ports and reach memory; false: it has no ports. */
bool pci_enable_io(uint32_t where);

#endif

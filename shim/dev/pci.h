/* pci.h: PCI devices for their drivers: configuration space by the ports CF8 and CFC, or
 * by ECAM where those do not answer (microvm), BARs and MSI-X. */
#ifndef SHIM_DEV_PCI_H
#define SHIM_DEV_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/arch/x86_64/device_map.h"
#include "shim/dev/pci_tree.h"

struct pci_driver {
	const char *name;
	bool (*match)(const struct pci_function *f);
	/* Takes the device over, or leaves it as it was and says why in the log. */
	void (*probe)(struct pci_function *f);
};

/* Finds all functions and gives each to the first driver that matches. */
void pci_init(const struct pci_driver *const *drivers, size_t count);

/* A function's place as bus:device.function for the log; good until the next call. */
const char *pci_name(const struct pci_function *f);

uint32_t pci_read(const struct pci_function *f, unsigned offset);
void pci_write(const struct pci_function *f, unsigned offset, uint32_t value);
unsigned pci_capability(const struct pci_function *f, uint8_t id, struct pci_walk *walk);

/* Maps size bytes at offset of a memory BAR; NULL when the BAR has not got them. */
volatile void *pci_bar_map(const struct pci_function *f, unsigned bar, uint64_t offset,
			   uint64_t size, enum device_cache cache);
/* May the device read and write memory? Off when a driver is probed. */
void pci_master(const struct pci_function *f, bool on);
/* Makes table entry n interrupt with vector[n], those from count on stay masked. 0;
 * -ENODEV: the device has no MSI-X, or its table is out of reach or has fewer entries. */
int pci_msix_enable(const struct pci_function *f, const int *vector, unsigned count);

#endif

/* pci_tree.h: what stands on the PCI buses: functions, bridges, capabilities, BARs, and
 * addresses for BARs the firmware left without. Pure: over any configuration space.
 *
 * Clauses: PCI Local Bus 3.0 (LB), PCI-to-PCI Bridge 1.2 (BR), PCI Express 4.0 (PE). */
#ifndef SHIM_DEV_PCI_TREE_H
#define SHIM_DEV_PCI_TREE_H

#include <stdbool.h>
#include <stdint.h>

/* LB 6.1, BR 3.2; 32-bit registers at their offsets */
enum pci_register {
	PCI_ID = 0x00,      /* device << 16 | vendor */
	PCI_COMMAND = 0x04, /* status << 16 | command; status bits clear when written 1 */
	PCI_CLASS = 0x08,   /* class code << 8 | revision */
	PCI_HEADER = 0x0c,  /* header type in bits 16..23 */
	PCI_BAR = 0x10,     /* + 4 * n */
	PCI_BUSES = 0x18,   /* bridges: subordinate << 16 | secondary << 8 | primary */
	PCI_WINDOW = 0x20,  /* bridges: memory limit << 16 | base */
	PCI_SUBSYSTEM = 0x2c, /* device << 16 | vendor */
	PCI_CAPABILITIES = 0x34,
};

/* LB 6.2.2 */
enum pci_command {
	PCI_COMMAND_IO = 1 << 0,
	PCI_COMMAND_MEMORY = 1 << 1,
	PCI_COMMAND_MASTER = 1 << 2,
	PCI_COMMAND_NO_INTX = 1 << 10,
};

#define PCI_STATUS_CAPABILITIES (1u << 20) /* in PCI_COMMAND, LB 6.2.3 */

enum pci_capability_id { PCI_CAPABILITY_VENDOR = 0x09, PCI_CAPABILITY_MSIX = 0x11 };

/* A configuration space. Registers are read and written whole, 32 bits, at offsets that
 * are multiples of 4; at is bus << 8 | device << 3 | function. What is not there reads as
 * ones. */
struct pci_space {
	uint32_t (*read)(void *context, uint16_t at, unsigned offset);
	void (*write)(void *context, uint16_t at, unsigned offset, uint32_t value);
	void *context;
};

struct pci_bar {
	uint64_t address; /* 0: none assigned */
	uint64_t size;    /* bytes; 0: no such BAR, or the upper half of a 64-bit one */
	bool memory, wide;
};
#define PCI_BARS 6u

struct pci_function {
	uint16_t at;
	int16_t parent; /* index of the bridge above; -1: a root bus */
	uint16_t vendor, device, subsystem;
	uint8_t bus_below; /* bridges: secondary bus; 0: not a bridge */
	bool bars_known;
	struct pci_bar bar[PCI_BARS];
};

struct pci_range {
	uint64_t start, end; /* [start, end); empty: start == end */
};

#define PCI_FUNCTIONS_MAX 64u

struct pci_tree {
	struct pci_space space;
	struct pci_range root;   /* addresses for BARs on root buses */
	unsigned count, dropped; /* dropped: functions past PCI_FUNCTIONS_MAX */
	uint8_t last_bus;
	struct pci_function function[PCI_FUNCTIONS_MAX];
};

/* Finds all functions on bus 0 and behind bridges; bridges without bus numbers get them.
 */
void pci_tree_scan(struct pci_tree *tree);
/* Asks the function for its BARs' sizes; its decoders are off meanwhile. */
void pci_tree_size(struct pci_tree *tree, struct pci_function *f);
/* Gives memory BARs without an address one, opening windows of closed bridges above.
 * False when there is no room. */
bool pci_tree_place(struct pci_tree *tree, struct pci_function *f);

/* The offset of the next capability with this id after *at (0: from the start), 0: no
 * more. steps bounds a walk over a list that loops: zero before the first call. */
struct pci_walk {
	unsigned at, steps;
};
unsigned pci_capability_next(const struct pci_space *space, uint16_t at, uint8_t id,
			     struct pci_walk *walk);

#endif

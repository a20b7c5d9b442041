/* pci.c: the ways to PCI configuration space, and devices given to their drivers. What
 * stands on the buses is pci_tree.c's. */
#include "shim/dev/pci.h"

#include "imgfmt/abi/le.h"
#include "shim/arch/x86_64/acpi.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/mm/page.h"

static struct pci_tree tree;

enum port { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc }; /* LB 3.2.2.3.2 */
#define ADDRESS_ENABLE 0x80000000u

static uint32_t port_read(void *context, uint16_t at, unsigned offset)
{
	(void)context;
	out32(PORT_ADDRESS, ADDRESS_ENABLE | (uint32_t)at << 8 | offset);
	return in32(PORT_DATA);
}

static void port_write(void *context, uint16_t at, unsigned offset, uint32_t value)
{
	(void)context;
	out32(PORT_ADDRESS, ADDRESS_ENABLE | (uint32_t)at << 8 | offset);
	out32(PORT_DATA, value);
}

static bool port_answers(void)
{
	out32(PORT_ADDRESS, ADDRESS_ENABLE);
	return in32(PORT_ADDRESS) == ADDRESS_ENABLE && in32(PORT_DATA) != 0xffffffff;
}

/* PCI Firmware 3.2, 4.1.2: the table, after the 36 bytes of an ACPI header and 8
 * reserved. */
#define MCFG_ENTRIES_AT 44u
struct mcfg_entry {
	le64 base; /* of bus 0, even when first_bus is greater */
	le16 segment;
	uint8_t first_bus, last_bus;
	le32 reserved;
};
_Static_assert(sizeof(struct mcfg_entry) == 16, "PCI Firmware 3.2, 4.1.2");

#define ECAM_BUS_SIZE (1ull << 20) /* PE 7.2.2 */

/* Buses are mapped when first read: all 256 would cost 512 KiB of page tables. */
static struct {
	paddr_t base;
	uint8_t first_bus, last_bus;
	volatile uint8_t *bus[256];
	bool refused[256];
} ecam;

static volatile uint32_t *ecam_register(uint16_t at, unsigned offset)
{
	uint8_t bus = (uint8_t)(at >> 8);
	if (bus < ecam.first_bus || bus > ecam.last_bus || ecam.refused[bus])
		return NULL;
	if (!ecam.bus[bus])
		ecam.bus[bus] = device_map(ecam.base + bus * ECAM_BUS_SIZE, ECAM_BUS_SIZE,
					   DEVICE_UNCACHED);
	ecam.refused[bus] = !ecam.bus[bus];
	if (!ecam.bus[bus])
		return NULL;
	return (volatile uint32_t *)(ecam.bus[bus] + ((size_t)(at & 0xff) << 12) +
				     offset);
}

static uint32_t ecam_read(void *context, uint16_t at, unsigned offset)
{
	(void)context;
	volatile uint32_t *reg = ecam_register(at, offset);
	return reg ? *reg : 0xffffffff;
}

static void ecam_write(void *context, uint16_t at, unsigned offset, uint32_t value)
{
	(void)context;
	volatile uint32_t *reg = ecam_register(at, offset);
	if (reg)
		*reg = value;
}

static bool ecam_find(void)
{
	size_t size;
	const uint8_t *table = acpi_table("MCFG", &size);
	for (size_t at = MCFG_ENTRIES_AT; table && at + sizeof(struct mcfg_entry) <= size;
	     at += sizeof(struct mcfg_entry)) {
		const struct mcfg_entry *entry = (const struct mcfg_entry *)(table + at);
		if (le16_get(entry->segment) != 0 || entry->first_bus != 0)
			continue;
		ecam.base = le64_get(entry->base);
		ecam.last_bus = entry->last_bus;
		return true;
	}
	return false;
}

/* Where BARs without an address go: the hole for devices below 4 GiB that every PC and
 * microvm has, above RAM (which fills it from below) and the tables firmware keeps in its
 * last MiBs. */
#define HOLE_START 0xc0000000ull
#define HOLE_END   0xfec00000ull
#define HOLE_ROUND (64ull << 20)

static struct pci_range hole_find(void)
{
	struct pci_range hole = {HOLE_START, HOLE_END};
	paddr_t ram_end = (page_low_end() + HOLE_ROUND) & ~(HOLE_ROUND - 1);
	if (ram_end > hole.start)
		hole.start = ram_end;
	uint64_t ecam_end = ecam.base + (ecam.last_bus + 1u) * ECAM_BUS_SIZE;
	if (ecam.base >= hole.start && ecam.base < hole.end)
		hole.end = ecam.base;
	else if (ecam.base < hole.start && ecam_end > hole.start)
		hole.start = ecam_end;
	return hole.start < hole.end ? hole : (struct pci_range){0, 0};
}

const char *pci_name(const struct pci_function *f)
{
	static char name[8];
	ksnprintf(name, sizeof(name), "%02x:%02x.%x", f->at >> 8, f->at >> 3 & 31u,
		  f->at & 7u);
	return name;
}

uint32_t pci_read(const struct pci_function *f, unsigned offset)
{
	return tree.space.read(tree.space.context, f->at, offset);
}

void pci_write(const struct pci_function *f, unsigned offset, uint32_t value)
{
	tree.space.write(tree.space.context, f->at, offset, value);
}

unsigned pci_capability(const struct pci_function *f, uint8_t id, struct pci_walk *walk)
{
	return pci_capability_next(&tree.space, f->at, id, walk);
}

/* The status half is written 0, which changes nothing there. */
static void command_change(const struct pci_function *f, uint32_t clear, uint32_t set)
{
	uint32_t command = pci_read(f, PCI_COMMAND) & 0xffff;
	pci_write(f, PCI_COMMAND, (command & ~clear) | set);
}

volatile void *pci_bar_map(const struct pci_function *f, unsigned bar, uint64_t offset,
			   uint64_t size, enum device_cache cache)
{
	if (bar >= PCI_BARS || !size)
		return NULL;
	const struct pci_bar *b = &f->bar[bar];
	if (!b->memory || !b->address || size > b->size || offset > b->size - size)
		return NULL;
	return device_map(b->address + offset, size, cache);
}

void pci_master(const struct pci_function *f, bool on)
{
	if (!on) {
		command_change(f, PCI_COMMAND_MASTER, 0);
		return;
	}
	command_change(f, 0, PCI_COMMAND_MASTER);
	for (int16_t i = f->parent; i >= 0; i = tree.function[i].parent)
		command_change(&tree.function[i], 0, PCI_COMMAND_MASTER);
}

#define MSIX_ENABLE (1u << 31)
/* LB 6.8.2; control is the upper half of the capability's first register */
enum msix {
	MSIX_MASK_ALL = 1 << 30,
	MSIX_SIZE_SHIFT = 16,
	MSIX_SIZE_MASK = 0x7ff,
	MSIX_TABLE = 4,       /* offset of the register: table offset | BAR number */
	MSIX_ENTRY_SIZE = 16, /* address, upper address, data, control */
	MSIX_ENTRY_MASKED = 1,
};

int pci_msix_enable(const struct pci_function *f, const int *vector, unsigned count)
{
	struct pci_walk walk = {0, 0};
	unsigned cap = pci_capability(f, PCI_CAPABILITY_MSIX, &walk);
	if (!cap)
		return -ENODEV;
	uint32_t control = pci_read(f, cap);
	uint32_t place = pci_read(f, cap + MSIX_TABLE);
	unsigned entries = (control >> MSIX_SIZE_SHIFT & MSIX_SIZE_MASK) + 1;
	volatile uint32_t *table =
		pci_bar_map(f, place & 7, place & ~7u,
			    (uint64_t)entries * MSIX_ENTRY_SIZE, DEVICE_UNCACHED);
	if (!table || entries < count)
		return -ENODEV;
	command_change(f, 0, PCI_COMMAND_NO_INTX);
	/* Entries may be written only while masked: first all, then by themselves. */
	pci_write(f, cap, control | MSIX_ENABLE | MSIX_MASK_ALL);
	for (unsigned i = 0; i < entries; i++)
		table[4 * i + 3] = MSIX_ENTRY_MASKED;
	for (unsigned i = 0; i < count; i++) {
		uint64_t address;
		uint32_t data;
		irq_message(vector[i], &address, &data);
		table[4 * i + 0] = (uint32_t)address;
		table[4 * i + 1] = (uint32_t)(address >> 32);
		table[4 * i + 2] = data;
		table[4 * i + 3] = 0;
	}
	pci_write(f, cap, (control | MSIX_ENABLE) & ~(uint32_t)MSIX_MASK_ALL);
	return 0;
}

/* Memory decoding on for the function and the bridges above it, bus mastering off. */
static bool function_prepare(struct pci_function *f)
{
	pci_master(f, false);
	if (!pci_tree_place(&tree, f)) {
		kprint("elfpack: pci %s: no addresses are left for its registers\n",
		       pci_name(f));
		return false;
	}
	command_change(f, 0, PCI_COMMAND_MEMORY);
	for (int16_t i = f->parent; i >= 0; i = tree.function[i].parent)
		command_change(&tree.function[i], 0, PCI_COMMAND_MEMORY);
	return true;
}

void pci_init(const struct pci_driver *const *drivers, size_t count)
{
	if (port_answers())
		tree.space = (struct pci_space){port_read, port_write, NULL};
	else if (ecam_find())
		tree.space = (struct pci_space){ecam_read, ecam_write, NULL};
	else
		return;
	tree.root = hole_find();
	pci_tree_scan(&tree);
	if (tree.dropped)
		kprint("elfpack: pci: %u functions beyond the first %u are not used\n",
		       tree.dropped, PCI_FUNCTIONS_MAX);
	for (unsigned i = 0; i < tree.count; i++) {
		struct pci_function *f = &tree.function[i];
		for (size_t n = 0; n < count; n++) {
			if (!drivers[n]->match(f))
				continue;
			if (function_prepare(f))
				drivers[n]->probe(f);
			break;
		}
	}
}

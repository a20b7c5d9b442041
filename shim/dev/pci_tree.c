/* pci_tree.c: finds PCI functions and what they ask of the address space. Pure; pci.c has
 * the ways to configuration space and the drivers. */
#include "shim/dev/pci_tree.h"

/* LB 6.7: capabilities are aligned to 4 and lie in 0x40..0xff. */
#define CAPABILITY_FIRST 0x40u
#define CAPABILITIES_MAX 48u

#define WINDOW_UNIT (1ull << 20) /* BR 3.2.5.8: windows of bridges count in MiB */
#define BAR_UNIT    4096ull      /* no two devices in one page */
#define BAR_MOST    (1ull << 31) /* what is larger is not placed below 4 GiB */

enum header {
	HEADER_DEVICE = 0,
	HEADER_BRIDGE = 1,
	HEADER_TYPE = 0x7f,
	HEADER_MULTI = 0x80
};

enum bar_bits { BAR_IO = 1, BAR_TYPE = 6, BAR_WIDE = 4 }; /* LB 6.2.5.1 */

static uint32_t get(const struct pci_space *space, uint16_t at, unsigned offset)
{
	return space->read(space->context, at, offset);
}

static void put(const struct pci_space *space, uint16_t at, unsigned offset,
		uint32_t value)
{
	space->write(space->context, at, offset, value);
}

unsigned pci_capability_next(const struct pci_space *space, uint16_t at, uint8_t id,
			     struct pci_walk *walk)
{
	unsigned next;
	if (walk->at)
		next = get(space, at, walk->at) >> 8 & 0xfc;
	else if (get(space, at, PCI_COMMAND) & PCI_STATUS_CAPABILITIES)
		next = get(space, at, PCI_CAPABILITIES) & 0xfc;
	else
		return 0;
	while (next >= CAPABILITY_FIRST && walk->steps++ < CAPABILITIES_MAX) {
		uint32_t header = get(space, at, next);
		walk->at = next;
		if ((header & 0xff) == id)
			return next;
		next = header >> 8 & 0xfc;
	}
	return 0;
}

/* A bridge's bus numbers; firmware that sets up nothing leaves them 0. Numbers are given
 * in the order of the walk, so those below a bridge follow its own. */
static uint8_t bridge_open(struct pci_tree *tree, uint16_t at, bool *numbered)
{
	uint32_t buses = get(&tree->space, at, PCI_BUSES);
	uint8_t below = (uint8_t)(buses >> 8);
	*numbered = false;
	if (below > at >> 8)
		return below;
	if (tree->last_bus == 0xff)
		return 0;
	*numbered = true;
	below = (uint8_t)(tree->last_bus + 1);
	put(&tree->space, at, PCI_BUSES,
	    (buses & 0xff000000) | 0xff0000 | (uint32_t)below << 8 | at >> 8);
	return below;
}

static void bridge_close(struct pci_tree *tree, uint16_t at)
{
	uint32_t buses = get(&tree->space, at, PCI_BUSES);
	put(&tree->space, at, PCI_BUSES,
	    (buses & 0xff00ffff) | (uint32_t)tree->last_bus << 16);
}

static void scan_bus(struct pci_tree *tree, uint8_t bus, int16_t parent);

static void scan_function(struct pci_tree *tree, uint16_t at, uint32_t header,
			  int16_t parent)
{
	uint32_t id = get(&tree->space, at, PCI_ID);
	if (tree->count == PCI_FUNCTIONS_MAX) {
		tree->dropped++;
		return;
	}
	int16_t index = (int16_t)tree->count++;
	struct pci_function *f = &tree->function[index];
	*f = (struct pci_function){
		.at = at,
		.parent = parent,
		.vendor = (uint16_t)id,
		.device = (uint16_t)(id >> 16),
	};
	if ((header & HEADER_TYPE) == HEADER_DEVICE)
		f->subsystem = (uint16_t)(get(&tree->space, at, PCI_SUBSYSTEM) >> 16);
	if ((header & HEADER_TYPE) != HEADER_BRIDGE)
		return;
	bool numbered;
	uint8_t below = bridge_open(tree, at, &numbered);
	if (!below)
		return;
	f->bus_below = below;
	scan_bus(tree, below, index);
	if (numbered)
		bridge_close(tree, at);
}

/* Recursion ends: a bridge's secondary bus has a greater number than its own
 * (bridge_open), and the functions kept are bounded. */
static void scan_bus(struct pci_tree *tree, uint8_t bus, int16_t parent)
{
	if (bus > tree->last_bus)
		tree->last_bus = bus;
	for (unsigned device = 0; device < 32; device++) {
		unsigned functions = 1;
		for (unsigned n = 0; n < functions; n++) {
			uint16_t at = (uint16_t)((unsigned)bus << 8 | device << 3 | n);
			uint32_t vendor = get(&tree->space, at, PCI_ID) & 0xffff;
			if (vendor == 0xffff || vendor == 0)
				continue;
			uint32_t header = get(&tree->space, at, PCI_HEADER) >> 16;
			if (n == 0 && header & HEADER_MULTI)
				functions = 8;
			scan_function(tree, at, header, parent);
		}
	}
}

void pci_tree_scan(struct pci_tree *tree)
{
	tree->count = tree->dropped = 0;
	tree->last_bus = 0;
	scan_bus(tree, 0, -1);
}

/* The writable bits of a register that takes part in a BAR. */
static uint32_t probe_mask(const struct pci_space *space, uint16_t at, unsigned offset)
{
	uint32_t old = get(space, at, offset);
	put(space, at, offset, 0xffffffff);
	uint32_t mask = get(space, at, offset);
	put(space, at, offset, old);
	return mask;
}

/* Reads BAR n; returns how many registers it takes. */
static unsigned bar_size(const struct pci_space *space, uint16_t at, unsigned n,
			 unsigned registers, struct pci_bar *bar)
{
	unsigned offset = PCI_BAR + 4 * n;
	uint32_t low = get(space, at, offset);
	uint32_t mask = probe_mask(space, at, offset);
	if (low & BAR_IO) {
		bar->address = low & 0xfffc;
		bar->size = mask ? (~(mask & 0xfffcu) & 0xffff) + 1u : 0;
		return 1;
	}
	bar->memory = true;
	bar->wide = (low & BAR_TYPE) == BAR_WIDE && n + 1 < registers;
	bar->address = low & ~0xfu;
	uint64_t whole = (mask & ~0xfull) | 0xffffffff00000000;
	if (bar->wide) {
		bar->address |= (uint64_t)get(space, at, offset + 4) << 32;
		whole = (mask & ~0xfull) | (uint64_t)probe_mask(space, at, offset + 4)
						   << 32;
	} else if (!(mask & ~0xfu)) {
		whole = 0;
	}
	bar->size = whole ? ~whole + 1 : 0;
	return bar->wide ? 2 : 1;
}

void pci_tree_size(struct pci_tree *tree, struct pci_function *f)
{
	if (f->bars_known)
		return;
	f->bars_known = true;
	const struct pci_space *space = &tree->space;
	uint32_t type = get(space, f->at, PCI_HEADER) >> 16 & HEADER_TYPE;
	unsigned registers = type == HEADER_DEVICE   ? PCI_BARS
			     : type == HEADER_BRIDGE ? 2
						     : 0;
	uint32_t command = get(space, f->at, PCI_COMMAND) & 0xffff;
	put(space, f->at, PCI_COMMAND,
	    command & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (unsigned n = 0; n < registers;)
		n += bar_size(space, f->at, n, registers, &f->bar[n]);
	put(space, f->at, PCI_COMMAND, command);
}

/* What a bridge lets through to memory below it; empty while it is closed. */
static struct pci_range bridge_window(const struct pci_tree *tree,
				      const struct pci_function *f)
{
	uint32_t window = get(&tree->space, f->at, PCI_WINDOW);
	uint64_t base = (uint64_t)(window & 0xfff0) << 16;
	uint64_t limit = (uint64_t)(window >> 16 & 0xfff0) << 16;
	if (!base || base > limit)
		return (struct pci_range){0, 0};
	return (struct pci_range){base, limit + WINDOW_UNIT};
}

static bool is_above(const struct pci_tree *tree, int16_t bridge, int16_t below)
{
	for (; below >= 0; below = tree->function[below].parent)
		if (below == bridge)
			return true;
	return false;
}

/* The end of something that [start, start + size) runs into, 0: it is free. Windows of
 * the bridges above parent hold parent's own devices, so they are not in the way. */
static uint64_t taken_until(const struct pci_tree *tree, int16_t parent, uint64_t start,
			    uint64_t size)
{
	for (unsigned i = 0; i < tree->count; i++) {
		const struct pci_function *f = &tree->function[i];
		for (unsigned n = 0; n < PCI_BARS; n++) {
			const struct pci_bar *bar = &f->bar[n];
			if (bar->memory && bar->address && bar->size &&
			    start < bar->address + bar->size &&
			    bar->address < start + size)
				return bar->address + bar->size;
		}
		if (!f->bus_below || is_above(tree, (int16_t)i, parent))
			continue;
		struct pci_range window = bridge_window(tree, f);
		if (start < window.end && window.start < start + size)
			return window.end;
	}
	return 0;
}

/* The lowest free address of a range for a power of two of bytes, 0: none. */
static uint64_t find_room(const struct pci_tree *tree, struct pci_range range,
			  int16_t parent, uint64_t size)
{
	uint64_t at = range.start;
	for (;;) {
		at = (at + size - 1) & ~(size - 1);
		if (at < range.start || at >= range.end || range.end - at < size)
			return 0;
		uint64_t past = taken_until(tree, parent, at, size);
		if (!past)
			return at;
		at = past;
	}
}

static uint64_t place_size(const struct pci_bar *bar)
{
	return bar->size < BAR_UNIT ? BAR_UNIT : bar->size;
}

/* A power of two of bytes, for all BARs below the bridge that have no address. */
static uint64_t room_below(const struct pci_tree *tree, int16_t bridge)
{
	uint64_t total = 0, room = WINDOW_UNIT;
	for (unsigned i = 0; i < tree->count; i++) {
		const struct pci_function *f = &tree->function[i];
		for (unsigned n = 0; n < PCI_BARS && is_above(tree, bridge, f->parent);
		     n++) {
			const struct pci_bar *bar = &f->bar[n];
			if (bar->memory && bar->size && !bar->address &&
			    bar->size <= BAR_MOST)
				total += place_size(bar);
		}
	}
	while (room < total)
		room *= 2;
	return room;
}

static struct pci_range range_below(struct pci_tree *tree, int16_t parent, uint64_t size);

static struct pci_range window_open(struct pci_tree *tree,
				    const struct pci_function *bridge, uint64_t room)
{
	struct pci_range above = range_below(tree, bridge->parent, room);
	uint64_t base = find_room(tree, above, bridge->parent, room);
	if (!base || base + room > 1ull << 32)
		return (struct pci_range){0, 0};
	uint32_t limit = (uint32_t)((base + room - WINDOW_UNIT) >> 16);
	put(&tree->space, bridge->at, PCI_WINDOW, limit << 16 | (uint32_t)(base >> 16));
	return (struct pci_range){base, base + room};
}

/* The addresses that reach what is directly below parent. A closed bridge is opened for
 * all that is below it, or else for size alone. */
static struct pci_range range_below(struct pci_tree *tree, int16_t parent, uint64_t size)
{
	if (parent < 0)
		return tree->root;
	const struct pci_function *bridge = &tree->function[parent];
	struct pci_range window = bridge_window(tree, bridge);
	if (!window.end)
		window = window_open(tree, bridge, room_below(tree, parent));
	if (!window.end)
		window = window_open(tree, bridge,
				     size < WINDOW_UNIT ? WINDOW_UNIT : size);
	return window;
}

static bool place_bar(struct pci_tree *tree, struct pci_function *f, unsigned n)
{
	struct pci_bar *bar = &f->bar[n];
	uint64_t size = place_size(bar);
	if (size > BAR_MOST)
		return false;
	struct pci_range range = range_below(tree, f->parent, size);
	uint64_t address = find_room(tree, range, f->parent, size);
	if (!address)
		return false;
	bar->address = address;
	put(&tree->space, f->at, PCI_BAR + 4 * n, (uint32_t)address);
	if (bar->wide)
		put(&tree->space, f->at, PCI_BAR + 4 * n + 4, (uint32_t)(address >> 32));
	return true;
}

bool pci_tree_place(struct pci_tree *tree, struct pci_function *f)
{
	pci_tree_size(tree, f);
	bool sized = false;
	for (unsigned n = 0; n < PCI_BARS; n++) {
		if (!f->bar[n].memory || !f->bar[n].size || f->bar[n].address)
			continue;
		for (unsigned i = 0; i < tree->count && !sized; i++)
			pci_tree_size(tree, &tree->function[i]);
		sized = true;
		if (!place_bar(tree, f, n))
			return false;
	}
	return true;
}

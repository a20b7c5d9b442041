/* test_pci_tree.c: PCI buses made of arrays. Registers behave as PCI Local Bus 3.0 says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shim/dev/pci_tree.h"

#define FUNCTIONS 80u

struct fake {
	uint16_t at;
	uint32_t reg[64], writable[64];
};

struct fakes {
	unsigned count;
	unsigned reads;
	struct fake function[FUNCTIONS];
};

/* Configuration cycles reach a bus only through bridges with its number. */
static struct fake *find(struct fakes *bus, uint16_t at)
{
	for (unsigned i = 0; i < bus->count; i++)
		if (bus->function[i].at == at)
			return &bus->function[i];
	return NULL;
}

static uint32_t fake_read(void *context, uint16_t at, unsigned offset)
{
	struct fakes *bus = context;
	struct fake *f = find(bus, at);
	bus->reads++;
	assert_int_equal(offset & 3, 0);
	assert_true(offset < 256);
	return f ? f->reg[offset / 4] : 0xffffffff;
}

static void fake_write(void *context, uint16_t at, unsigned offset, uint32_t value)
{
	struct fake *f = find(context, at);
	assert_int_equal(offset & 3, 0);
	if (f) {
		uint32_t mask = f->writable[offset / 4];
		f->reg[offset / 4] = (f->reg[offset / 4] & ~mask) | (value & mask);
	}
}

static struct fakes bus;
static struct pci_tree tree;

static int reset(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	memset(&tree, 0, sizeof(tree));
	tree.space = (struct pci_space){fake_read, fake_write, &bus};
	tree.root = (struct pci_range){0xc0000000, 0xfec00000};
	return 0;
}

static struct fake *add(unsigned bus_number, unsigned device, unsigned function,
			uint32_t header)
{
	struct fake *f = &bus.function[bus.count++];
	f->at = (uint16_t)(bus_number << 8 | device << 3 | function);
	f->reg[PCI_ID / 4] = 0x10411af4;
	f->reg[PCI_HEADER / 4] = header << 16;
	f->writable[PCI_COMMAND / 4] = 0x407;
	return f;
}

static struct fake *add_bridge(unsigned bus_number, unsigned device, unsigned below)
{
	struct fake *f = add(bus_number, device, 0, 1);
	f->reg[PCI_BUSES / 4] = below << 16 | below << 8 | bus_number;
	f->writable[PCI_BUSES / 4] = 0x00ffffff;
	f->writable[PCI_WINDOW / 4] = 0xfff0fff0;
	return f;
}

static void bar(struct fake *f, unsigned n, uint32_t value, uint32_t writable)
{
	f->reg[PCI_BAR / 4 + n] = value;
	f->writable[PCI_BAR / 4 + n] = writable;
}

static void capability(struct fake *f, unsigned at, uint8_t id, uint8_t next)
{
	f->reg[PCI_COMMAND / 4] |= PCI_STATUS_CAPABILITIES;
	f->reg[at / 4] = (uint32_t)next << 8 | id;
}

static void further_functions_are_asked_for_only_where_the_header_says_multi(void **state)
{
	(void)state;
	add(0, 1, 0, 0);
	add(0, 1, 1, 0);
	add(0, 2, 0, 0x80);
	add(0, 2, 5, 0);
	pci_tree_scan(&tree);
	assert_int_equal(tree.count, 3);
	assert_int_equal(tree.function[2].at, 2 << 3 | 5);
	assert_int_equal(tree.function[0].vendor, 0x1af4);
	assert_int_equal(tree.function[0].device, 0x1041);
}

static void devices_behind_nested_bridges_are_found(void **state)
{
	(void)state;
	add_bridge(0, 3, 1);
	add_bridge(1, 0, 2);
	add(2, 4, 0, 0);
	pci_tree_scan(&tree);
	assert_int_equal(tree.count, 3);
	assert_int_equal(tree.function[2].at, 2 << 8 | 4 << 3);
	assert_int_equal(tree.function[2].parent, 1);
	assert_int_equal(tree.function[1].parent, 0);
	assert_int_equal(tree.function[0].parent, -1);
}

static void bridges_without_bus_numbers_get_them_in_the_order_of_the_walk(void **state)
{
	(void)state;
	struct fake *first = add_bridge(0, 3, 0), *second = add_bridge(0, 5, 0);
	add(1, 0, 0, 0);
	add(2, 0, 0, 0);
	pci_tree_scan(&tree);
	assert_int_equal(tree.count, 4);
	assert_int_equal(first->reg[PCI_BUSES / 4] & 0xffffff, 0x010100);
	assert_int_equal(second->reg[PCI_BUSES / 4] & 0xffffff, 0x020200);
}

static void a_bridge_that_points_back_does_not_loop(void **state)
{
	(void)state;
	add_bridge(0, 3, 1);
	struct fake *back = add_bridge(1, 0, 0);
	back->reg[PCI_BUSES / 4] =
		0x000100; /* to its own bus, and it cannot be changed */
	back->writable[PCI_BUSES / 4] = 0;
	pci_tree_scan(&tree);
	assert_true(tree.count >= 2);
	assert_true(bus.reads < 10000);
}

static void functions_past_the_limit_are_counted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 70; i++)
		add(0, i / 8, i % 8, 0x80);
	pci_tree_scan(&tree);
	assert_int_equal(tree.count, PCI_FUNCTIONS_MAX);
	assert_int_equal(tree.dropped, 70 - PCI_FUNCTIONS_MAX);
}

static void bars_are_sized_and_left_as_they_were(void **state)
{
	(void)state;
	struct fake *f = add(0, 1, 0, 0);
	bar(f, 0, 0xc041, 0xffffffe0);     /* 32 ports */
	bar(f, 1, 0xfebd1000, 0xfffff000); /* 4 KiB of memory */
	bar(f, 4, 0xfe00000c, 0xffffc000); /* 16 KiB, 64-bit, prefetchable */
	bar(f, 5, 0x00000008, 0xffffffff);
	f->reg[PCI_COMMAND / 4] = PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
	pci_tree_scan(&tree);
	pci_tree_size(&tree, &tree.function[0]);
	const struct pci_bar *b = tree.function[0].bar;
	assert_int_equal(b[0].size, 32);
	assert_false(b[0].memory);
	assert_int_equal(b[0].address, 0xc040);
	assert_int_equal(b[1].size, 4096);
	assert_int_equal(b[1].address, 0xfebd1000);
	assert_int_equal(b[4].size, 16384);
	assert_true(b[4].wide);
	assert_int_equal(b[4].address, 0x8fe000000);
	assert_int_equal(b[5].size, 0);
	assert_int_equal(b[2].size, 0);
	assert_int_equal(f->reg[PCI_BAR / 4 + 4], 0xfe00000c);
	assert_int_equal(f->reg[PCI_BAR / 4 + 5], 8);
	assert_int_equal(f->reg[PCI_COMMAND / 4], PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
}

static void a_64_bit_bar_may_be_larger_than_4_gib(void **state)
{
	(void)state;
	struct fake *f = add(0, 1, 0, 0);
	bar(f, 0, 0xc, 0);
	bar(f, 1, 0x40, 0xfffffff8); /* 32 GiB */
	pci_tree_scan(&tree);
	pci_tree_size(&tree, &tree.function[0]);
	assert_int_equal(tree.function[0].bar[0].size, 32ull << 30);
	assert_int_equal(tree.function[0].bar[0].address, 0x4000000000);
}

static void unassigned_bars_get_room_beside_assigned_ones(void **state)
{
	(void)state;
	struct fake *taken = add(0, 1, 0, 0), *f = add(0, 2, 0, 0);
	bar(taken, 0, 0xc0000000, 0xffff8000); /* 32 KiB */
	bar(f, 4, 0x0000000c, 0xffffc000);
	bar(f, 5, 0, 0xffffffff);
	bar(f, 0, 0, 0xffffff00); /* smaller than a page */
	pci_tree_scan(&tree);
	assert_true(pci_tree_place(&tree, &tree.function[1]));
	assert_int_equal(f->reg[PCI_BAR / 4 + 0], 0xc0008000);
	assert_int_equal(f->reg[PCI_BAR / 4 + 4], 0xc000c00c);
	assert_int_equal(f->reg[PCI_BAR / 4 + 5], 0);
	assert_int_equal(taken->reg[PCI_BAR / 4], 0xc0000000);
}

static void bars_below_an_open_bridge_come_from_its_window(void **state)
{
	(void)state;
	struct fake *bridge = add_bridge(0, 3, 1), *f = add(1, 0, 0, 0);
	bridge->reg[PCI_WINDOW / 4] = 0xfe90fe80; /* fe800000 to fe9fffff */
	bar(f, 0, 0, 0xfffff000);
	pci_tree_scan(&tree);
	assert_true(pci_tree_place(&tree, &tree.function[1]));
	assert_int_equal(f->reg[PCI_BAR / 4], 0xfe800000);
}

static void closed_bridges_above_are_opened(void **state)
{
	(void)state;
	struct fake *outer = add_bridge(0, 3, 1), *inner = add_bridge(1, 0, 2);
	struct fake *f = add(2, 0, 0, 0), *other = add(0, 4, 0, 0);
	bar(f, 0, 0, 0xfffff000);
	bar(other, 0, 0, 0xfffff000);
	pci_tree_scan(&tree);
	assert_true(pci_tree_place(&tree, &tree.function[2]));
	assert_int_equal(outer->reg[PCI_WINDOW / 4], 0xc000c000); /* BR 3.2.5.8: 1 MiB */
	assert_int_equal(inner->reg[PCI_WINDOW / 4], 0xc000c000);
	assert_int_equal(f->reg[PCI_BAR / 4], 0xc0000000);
	assert_true(pci_tree_place(&tree, &tree.function[3]));
	assert_int_equal(other->reg[PCI_BAR / 4], 0xc0100000);
}

static void a_closed_bridge_is_opened_for_all_that_is_below_it(void **state)
{
	(void)state;
	struct fake *bridge = add_bridge(0, 3, 1);
	struct fake *f = add(1, 0, 0, 0), *other = add(1, 1, 0, 0);
	bar(f, 0, 0, 0xffffc000);
	bar(f, 2, 0x0000000c, 0xffc00000); /* 4 MiB */
	bar(f, 3, 0, 0xffffffff);
	bar(other, 0, 0, 0xfff00000);
	pci_tree_scan(&tree);
	assert_true(pci_tree_place(&tree, &tree.function[1]));
	assert_int_equal(bridge->reg[PCI_WINDOW / 4], 0xc070c000);
	assert_int_equal(f->reg[PCI_BAR / 4], 0xc0000000);
	assert_int_equal(f->reg[PCI_BAR / 4 + 2], 0xc040000c);
	assert_true(pci_tree_place(&tree, &tree.function[2]));
	assert_int_equal(other->reg[PCI_BAR / 4], 0xc0100000);
}

static void a_bridge_is_opened_for_one_bar_where_all_have_no_room(void **state)
{
	(void)state;
	struct fake *bridge = add_bridge(0, 3, 1);
	struct fake *f = add(1, 0, 0, 0), *other = add(1, 1, 0, 0);
	bar(f, 0, 0, 0xffffc000);
	bar(other, 0, 0, 0x80000000); /* 2 GiB */
	pci_tree_scan(&tree);
	assert_true(pci_tree_place(&tree, &tree.function[1]));
	assert_int_equal(bridge->reg[PCI_WINDOW / 4], 0xc000c000);
	assert_int_equal(f->reg[PCI_BAR / 4], 0xc0000000);
	assert_false(pci_tree_place(&tree, &tree.function[2]));
}

static void a_bar_without_room_is_said(void **state)
{
	(void)state;
	struct fake *f = add(0, 1, 0, 0);
	tree.root = (struct pci_range){0xfe000000, 0xfec00000};
	bar(f, 0, 0, 0xff000000); /* 16 MiB */
	pci_tree_scan(&tree);
	assert_false(pci_tree_place(&tree, &tree.function[0]));
}

static void capabilities_with_an_id_come_one_after_the_other(void **state)
{
	(void)state;
	struct pci_walk walk = {0, 0};
	struct fake *f = add(0, 1, 0, 0);
	f->reg[PCI_CAPABILITIES / 4] = 0x98;
	capability(f, 0x98, 0x11, 0x84);
	capability(f, 0x84, 0x09, 0x40);
	capability(f, 0x40, 0x09, 0);
	assert_int_equal(pci_capability_next(&tree.space, f->at, 9, &walk), 0x84);
	assert_int_equal(pci_capability_next(&tree.space, f->at, 9, &walk), 0x40);
	assert_int_equal(pci_capability_next(&tree.space, f->at, 9, &walk), 0);
}

static void a_capability_list_that_loops_ends(void **state)
{
	(void)state;
	struct pci_walk walk = {0, 0};
	struct fake *f = add(0, 1, 0, 0);
	unsigned found = 0;
	f->reg[PCI_CAPABILITIES / 4] = 0x40;
	capability(f, 0x40, 0x09, 0x50);
	capability(f, 0x50, 0x05, 0x40);
	while (pci_capability_next(&tree.space, f->at, 9, &walk))
		assert_true(++found < 100);
	assert_true(found > 0);
}

static void a_list_that_points_into_the_header_ends(void **state)
{
	(void)state;
	struct pci_walk walk = {0, 0};
	struct fake *f = add(0, 1, 0, 0);
	f->reg[PCI_CAPABILITIES / 4] = 0x10;
	f->reg[PCI_COMMAND / 4] |= PCI_STATUS_CAPABILITIES;
	assert_int_equal(pci_capability_next(&tree.space, f->at, 0, &walk), 0);
}

static void a_function_without_the_status_bit_has_no_list(void **state)
{
	(void)state;
	struct pci_walk walk = {0, 0};
	struct fake *f = add(0, 1, 0, 0);
	f->reg[PCI_CAPABILITIES / 4] = 0x40;
	f->reg[0x40 / 4] = 0x09;
	assert_int_equal(pci_capability_next(&tree.space, f->at, 9, &walk), 0);
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(further_functions_are_asked_for_only_where_the_header_says_multi),
		T(devices_behind_nested_bridges_are_found),
		T(bridges_without_bus_numbers_get_them_in_the_order_of_the_walk),
		T(a_bridge_that_points_back_does_not_loop),
		T(functions_past_the_limit_are_counted),
		T(bars_are_sized_and_left_as_they_were),
		T(a_64_bit_bar_may_be_larger_than_4_gib),
		T(unassigned_bars_get_room_beside_assigned_ones),
		T(bars_below_an_open_bridge_come_from_its_window),
		T(closed_bridges_above_are_opened),
		T(a_closed_bridge_is_opened_for_all_that_is_below_it),
		T(a_bridge_is_opened_for_one_bar_where_all_have_no_room),
		T(a_bar_without_room_is_said),
		T(capabilities_with_an_id_come_one_after_the_other),
		T(a_capability_list_that_loops_ends),
		T(a_list_that_points_into_the_header_ends),
		T(a_function_without_the_status_bit_has_no_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What of a firmware's memory map is RAM: ACPI 6.4, 15, and the ways BIOSes bend it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "shim/arch/x86_64/memory_map.h"

#define LIMIT    (1ull << 46)
#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))

static struct memory_map map;

static struct boot_region region(uint64_t base, uint64_t size, uint32_t type)
{
	return (struct boot_region){le64_make(base), le64_make(size), le32_make(type),
				    le32_make(0)};
}

static void assert_range(uint32_t i, uint64_t start, uint64_t end)
{
	assert_true(i < map.count);
	assert_int_equal(map.range[i].start, start);
	assert_int_equal(map.range[i].end, end);
}

static void unsorted_ranges_come_out_sorted_and_joined(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x100000000, 0x1000000, BOOT_RAM),
				  region(0x200000, 0x100000, BOOT_RAM),
				  region(0x100000, 0x100000, BOOT_RAM),
				  region(0, 0x9f000, BOOT_RAM)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_int_equal(map.count, 3);
	assert_range(0, 0, 0x9f000);
	assert_range(1, 0x100000, 0x300000);
	assert_range(2, 0x100000000, 0x101000000);
}

static void a_reserved_range_wins_over_ram_it_overlaps(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x2800, 0x1000, BOOT_NVS),
				  region(0, 0x10000, BOOT_RAM),
				  region(0x8000, 0x9000, 7)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_int_equal(map.count, 2);
	assert_range(0, 0, 0x2000);
	assert_range(1, 0x4000, 0x8000);
}

static void only_whole_pages_are_ram(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x1800, 0x1000, BOOT_RAM),
				  region(0x9fc00, 0x400, BOOT_RESERVED),
				  region(0x90000, 0xfc00, BOOT_RAM)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_int_equal(map.count, 1);
	assert_range(0, 0x90000, 0x9f000);
}

static void two_ranges_that_meet_inside_a_page_make_it_whole(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x1000, 0x800, BOOT_RAM),
				  region(0x1800, 0x1800, BOOT_RAM)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_int_equal(map.count, 1);
	assert_range(0, 0x1000, 0x3000);
}

static void a_range_that_wraps_or_passes_the_limit_is_cut(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x100000, UINT64_MAX, BOOT_RAM),
				  region(LIMIT, 0x1000, BOOT_RAM)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_int_equal(map.count, 1);
	assert_range(0, 0x100000, LIMIT);
	r[1] = region(0x200000, UINT64_MAX, BOOT_RESERVED);
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_int_equal(map.count, 1);
	assert_range(0, 0x100000, 0x200000);
}

static void empty_ranges_change_nothing(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x1000, 0x3000, BOOT_RAM),
				  region(0x2000, 0, BOOT_RESERVED),
				  region(0x8000, 0, BOOT_RAM)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_int_equal(map.count, 1);
	assert_range(0, 0x1000, 0x4000);
}

static void memory_is_taken_from_the_upper_end_below_the_limit(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x100000, 0x300000, BOOT_RAM),
				  region(0x100000000, 0x100000, BOOT_RAM)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_int_equal(memory_map_take(&map, 0x1000, 0x1000, 0, 0x100000000), 0x3ff000);
	assert_int_equal(memory_map_take(&map, 0x1000, 0x1000, 0, LIMIT), 0x1000ff000);
	assert_int_equal(memory_map_take(&map, 0x1000, 0x200000, 0, 0x100000000),
			 0x200000);
	assert_int_equal(memory_map_take(&map, 0x1000, 0x10000, 0x3000, 0x100000000),
			 0x3f3000);
	assert_int_equal(memory_map_take(&map, 0x10000000, 0x1000, 0, LIMIT), 0);
}

static void a_range_is_covered_by_one_range_alone(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x1000, 0x3000, BOOT_RAM),
				  region(0x8000, 0x2000, BOOT_RAM)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	assert_true(memory_map_covers(&map, 0x1000, 0x4000));
	assert_true(memory_map_covers(&map, 0x9000, 0xa000));
	assert_false(memory_map_covers(&map, 0, 0x4000));
	assert_false(memory_map_covers(&map, 0x3000, 0x5000));
	assert_false(memory_map_covers(&map, 0x3000, 0x9000));
}

static void what_was_taken_is_not_in_the_map_any_more(void **state)
{
	(void)state;
	struct boot_region r[] = {region(0x1000, 0x10000, BOOT_RAM)};
	memory_map_make(&map, r, COUNT(r), LIMIT);
	uint64_t seen = 0;
	for (uint64_t at; (at = memory_map_take(&map, 0x1000, 0x1000, 0, LIMIT)) != 0;) {
		assert_true(at >= 0x1000 && at < 0x11000);
		assert_false(seen >> (at >> 12) & 1);
		seen |= 1ull << (at >> 12);
	}
	assert_int_equal(seen, 0x1fffe);
	assert_int_equal(map.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsorted_ranges_come_out_sorted_and_joined),
		cmocka_unit_test(a_reserved_range_wins_over_ram_it_overlaps),
		cmocka_unit_test(only_whole_pages_are_ram),
		cmocka_unit_test(two_ranges_that_meet_inside_a_page_make_it_whole),
		cmocka_unit_test(a_range_that_wraps_or_passes_the_limit_is_cut),
		cmocka_unit_test(empty_ranges_change_nothing),
		cmocka_unit_test(memory_is_taken_from_the_upper_end_below_the_limit),
		cmocka_unit_test(a_range_is_covered_by_one_range_alone),
		cmocka_unit_test(what_was_taken_is_not_in_the_map_any_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_gpt.c: partition tables by the rules of UEFI 2.10, 5.2.3 and 5.3, checked at byte
 * offsets; finding partitions on damaged disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/crc.h"
#include "imgfmt/gpt.h"

#define SECTORS 256u

static const uint8_t kind[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static uint8_t disk[SECTORS * GPT_SECTOR];

static void make_disk(void)
{
	static const uint8_t identity[SHA256_BYTES] = {42};
	struct gpt_partition partition = {
		.first_lba = 128, .last_lba = 199, .name = "a name"};
	struct gpt_disk plan = {.sectors = SECTORS,
				.first_usable_lba = GPT_HEAD_SECTORS,
				.identity = identity,
				.partition = &partition,
				.partition_count = 1};
	memcpy(partition.type, kind, sizeof(kind));
	memset(disk, 0x90, 440);
	gpt_write(&plan, disk, disk + (size_t)(SECTORS - GPT_TAIL_SECTORS) * GPT_SECTOR);
}

static uint64_t number(const uint8_t *at, unsigned size)
{
	uint64_t n = 0;
	while (size--)
		n = n << 8 | at[size];
	return n;
}

static void mbr_protects_the_whole_disk_and_keeps_the_boot_code(void **state)
{
	const uint8_t *record = disk + 446;
	(void)state;
	make_disk();
	assert_int_equal(disk[0], 0x90);
	assert_int_equal(disk[439], 0x90);
	assert_int_equal(record[0], 0);                    /* not bootable */
	assert_int_equal(number(record + 1, 3), 0x000200); /* CHS of LBA 1 */
	assert_int_equal(record[4], 0xee);
	assert_int_equal(number(record + 8, 4), 1);
	assert_int_equal(number(record + 12, 4), SECTORS - 1);
	assert_int_equal(number(disk + 510, 2), 0xaa55);
}

/* 5.3.2: the CRC is over HeaderSize bytes with its own field zero; entries over all of
 * them. */
static void check_header(uint64_t own, uint64_t other, uint64_t entries)
{
	uint8_t header[92];
	memcpy(header, disk + own * GPT_SECTOR, sizeof(header));
	assert_memory_equal(header, "EFI PART", 8);
	assert_int_equal(number(header + 8, 4), 0x00010000);
	assert_int_equal(number(header + 12, 4), 92);
	uint32_t stored = (uint32_t)number(header + 16, 4);
	memset(header + 16, 0, 4);
	assert_int_equal(crc32_ieee(header, sizeof(header)), stored);
	assert_int_equal(number(header + 24, 8), own);
	assert_int_equal(number(header + 32, 8), other);
	assert_int_equal(number(header + 40, 8), 34);
	assert_int_equal(number(header + 48, 8), SECTORS - 34);
	assert_int_equal(number(header + 72, 8), entries);
	assert_int_equal(number(header + 80, 4), 128);
	assert_int_equal(number(header + 84, 4), 128);
	assert_int_equal(crc32_ieee(disk + entries * GPT_SECTOR, (size_t)128 * 128),
			 number(header + 88, 4));
	for (size_t i = 92; i < GPT_SECTOR; i++)
		assert_int_equal(disk[own * GPT_SECTOR + i], 0);
}

static void both_headers_name_each_other_and_their_checksums_are_right(void **state)
{
	(void)state;
	make_disk();
	check_header(1, SECTORS - 1, 2);
	check_header(SECTORS - 1, 1, SECTORS - 33);
}

static void entry_has_its_type_place_and_utf16_name(void **state)
{
	const uint8_t *entry = disk + 1024;
	(void)state;
	make_disk();
	assert_memory_equal(entry, kind, 16);
	assert_int_equal(number(entry + 32, 8), 128);
	assert_int_equal(number(entry + 40, 8), 199);
	assert_memory_equal(entry + 56, "a\0 \0n\0a\0m\0e\0\0\0", 14);
}

static void guids_are_distinct_and_of_version_8(void **state)
{
	(void)state;
	make_disk();
	/* RFC 9562, 4.1 and 4.2, in the mixed byte order of UEFI. */
	assert_int_equal(disk[GPT_SECTOR + 56 + 7] >> 4, 8);
	assert_int_equal(disk[GPT_SECTOR + 56 + 8] >> 6, 2);
	assert_memory_not_equal(disk + GPT_SECTOR + 56, disk + 1024 + 16, 16);
}

static void partition_is_found_by_its_type(void **state)
{
	static const uint8_t other[16] = {9};
	uint64_t first = 0, last = 0;
	const char *why = NULL;
	(void)state;
	make_disk();
	assert_int_equal(gpt_find(disk, sizeof(disk), kind, &first, &last, &why), 1);
	assert_int_equal(first, 128);
	assert_int_equal(last, 199);
	assert_int_equal(gpt_find(disk, sizeof(disk), other, &first, &last, &why), 0);
}

static void every_bit_flipped_in_the_table_is_noticed(void **state)
{
	uint64_t first = 0, last = 0;
	const char *why = NULL;
	(void)state;
	make_disk();
	for (size_t i = GPT_SECTOR; i < (size_t)GPT_HEAD_SECTORS * GPT_SECTOR; i++) {
		if (i == GPT_SECTOR + 92)
			i = 1024; /* the rest of the header's sector is reserved */
		disk[i] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(gpt_find(disk, sizeof(disk), kind, &first, &last, &why),
				 -1);
		disk[i] ^= (uint8_t)(1u << i % 8);
	}
}

static void disk_that_ends_inside_the_partition_is_refused(void **state)
{
	uint64_t first = 0, last = 0;
	const char *why = NULL;
	(void)state;
	make_disk();
	assert_int_equal(
		gpt_find(disk, (size_t)199 * GPT_SECTOR, kind, &first, &last, &why), -1);
	assert_int_equal(
		gpt_find(disk, (size_t)200 * GPT_SECTOR, kind, &first, &last, &why), 1);
	assert_int_equal(gpt_find(disk, 100, kind, &first, &last, &why), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mbr_protects_the_whole_disk_and_keeps_the_boot_code),
		cmocka_unit_test(
			both_headers_name_each_other_and_their_checksums_are_right),
		cmocka_unit_test(entry_has_its_type_place_and_utf16_name),
		cmocka_unit_test(guids_are_distinct_and_of_version_8),
		cmocka_unit_test(partition_is_found_by_its_type),
		cmocka_unit_test(every_bit_flipped_in_the_table_is_noticed),
		cmocka_unit_test(disk_that_ends_inside_the_partition_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_layout.c: where a disk image's parts lie, read back by the offsets of abi/bios.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/layout.h"

static uint8_t stage1[440], stage2[600];

struct planned {
	struct bundle bundle;
	struct extents section[BUNDLE_MANIFEST];
	struct layout *layout;
	struct image_parts parts;
	struct diag why;
};

static void setup(struct planned *p)
{
	static const char text[] = "version=1\n";
	memset(p, 0, sizeof(*p));
	memset(stage1, 0x11, sizeof(stage1));
	memset(stage2, 0x22, sizeof(stage2));
	memcpy(stage2 + 8, "EPSTAGE2", 8);
	assert_int_equal(extents_add(&p->section[BUNDLE_MANIFEST - 1], 0, text, 10), 0);
	assert_int_equal(bundle_write(&p->bundle, p->section, &p->why), 0);
	p->layout = malloc(sizeof(*p->layout));
	assert_non_null(p->layout);
	p->parts = (struct image_parts){.stage1 = stage1,
					.stage1_size = sizeof(stage1),
					.stage2 = stage2,
					.stage2_size = sizeof(stage2),
					.bundle = &p->bundle};
}

static void teardown(struct planned *p)
{
	bundle_free(&p->bundle);
	extents_free(&p->section[BUNDLE_MANIFEST - 1]);
	free(p->layout);
}

static void second_stage_is_told_where_the_bundle_lies(void **state)
{
	struct planned p;
	(void)state;
	setup(&p);
	assert_int_equal(layout_plan(p.layout, &p.parts, &p.why), 0);
	uint8_t *disk = malloc((size_t)p.layout->extents.size);
	extents_copy(&p.layout->extents, disk);
	const struct bios_stage2_header *header = (const void *)(disk + 34 * 512);
	assert_memory_equal(header->magic, "EPSTAGE2", 8);
	uint64_t lba = le64_get(header->bundle_lba);
	assert_int_equal(le64_get(header->bundle_sectors), p.bundle.extents.size / 512);
	assert_memory_equal(disk + lba * 512, "ELFPACK\x1a", 8);
	assert_memory_equal(disk, stage1, BIOS_STAGE1_LBA_AT);
	assert_int_equal(le64_get(*(const le64 *)(disk + 432)), 34);
	assert_int_equal(p.layout->extents.size % 4096, 0);
	free(disk);
	layout_free(p.layout);
	teardown(&p);
}

static void second_stage_leaves_room_that_a_format_wants(void **state)
{
	struct planned p;
	(void)state;
	setup(&p);
	p.parts.format_room = 65536;
	assert_int_equal(layout_plan(p.layout, &p.parts, &p.why), 0);
	uint8_t *disk = malloc((size_t)p.layout->extents.size);
	extents_copy(&p.layout->extents, disk);
	/* Behind the room and 1 KiB, as abi/bios.h wants it; stage 1 is told. */
	assert_memory_equal(disk + 65536 + 1024 + 8, "EPSTAGE2", 8);
	assert_int_equal(le64_get(*(const le64 *)(disk + 432)), 130);
	for (size_t i = (size_t)GPT_HEAD_SECTORS * 512; i < 65536; i++)
		assert_int_equal(disk[i], 0);
	free(disk);
	layout_free(p.layout);
	teardown(&p);
}

static void partitions_start_on_64_kib_and_hold_their_contents(void **state)
{
	static const uint8_t system_type[16] = GPT_TYPE_SYSTEM,
			     bundle_type[16] = BUNDLE_GPT_TYPE;
	static const uint8_t fat[5000] = {0xeb};
	struct extents system = {0};
	uint64_t first = 0, last = 0;
	const char *reason = NULL;
	struct planned p;
	(void)state;
	setup(&p);
	assert_int_equal(extents_add(&system, 0, fat, sizeof(fat)), 0);
	p.parts.system_partition = &system;
	assert_int_equal(layout_plan(p.layout, &p.parts, &p.why), 0);
	size_t size = (size_t)p.layout->extents.size;
	uint8_t *disk = malloc(size);
	extents_copy(&p.layout->extents, disk);
	assert_int_equal(gpt_find(disk, size, system_type, &first, &last, &reason), 1);
	assert_int_equal(first % 128, 0);
	assert_int_equal(last - first + 1, 10);
	assert_memory_equal(disk + first * 512, fat, sizeof(fat));
	assert_int_equal(gpt_find(disk, size, bundle_type, &first, &last, &reason), 1);
	assert_int_equal(first % 128, 0);
	assert_memory_equal(disk + first * 512, "ELFPACK\x1a", 8);
	free(disk);
	layout_free(p.layout);
	extents_free(&system);
	teardown(&p);
}

static void stages_that_do_not_fit_are_refused(void **state)
{
	static uint8_t big[BIOS_STAGE2_SECTORS * 512 + 1];
	struct planned p;
	(void)state;
	setup(&p);
	p.parts.stage2 = big;
	p.parts.stage2_size = sizeof(big);
	assert_int_equal(layout_plan(p.layout, &p.parts, &p.why), -1);
	assert_non_null(strstr(p.why.message, "32769 bytes"));
	memset(&p.why, 0, sizeof(p.why));
	p.parts.stage2 = stage1;
	p.parts.stage2_size = sizeof(stage1);
	assert_int_equal(layout_plan(p.layout, &p.parts, &p.why), -1);
	assert_non_null(strstr(p.why.message, "magic"));
	teardown(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_stage_is_told_where_the_bundle_lies),
		cmocka_unit_test(second_stage_leaves_room_that_a_format_wants),
		cmocka_unit_test(partitions_start_on_64_kib_and_hold_their_contents),
		cmocka_unit_test(stages_that_do_not_fit_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

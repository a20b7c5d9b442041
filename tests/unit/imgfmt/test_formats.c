/* test_formats.c: what a format's writer makes, its reader gives back; and a file in
 * which anything is changed is read without harm (the sanitizers watch). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/format.h"

#define DISK_BYTES (4u * 65536)
#define HOLE_AT    65536u /* to 3 * 65536 */

static uint8_t disk_bytes[DISK_BYTES];
static const uint8_t identity[SHA256_BYTES] = {1, 2, 3, 4};

/* The formats that hold a disk, whatever is on it. */
static const char *const kinds[] = {
	"raw", "qcow2", "qcow2-compressed", "vhd", "vmdk", "ova", "gce", "oci"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void fill_disk(void)
{
	uint32_t noise = 1;
	for (unsigned i = 0; i < 4096; i++) {
		noise = noise * 1664525 + 1013904223;
		disk_bytes[i] = (uint8_t)(noise >> 24);
	}
	for (unsigned i = 3 * HOLE_AT; i < DISK_BYTES; i += 7)
		disk_bytes[i] = (uint8_t)i;
}

/* The whole file that a format's writer makes, malloc'd. */
static uint8_t *write_disk(const struct format *format, unsigned threads, size_t *size)
{
	struct extents disk = {0};
	struct file_plan file = {0};
	struct diag why = {0};
	fill_disk();
	assert_int_equal(extents_add(&disk, 0, disk_bytes, HOLE_AT), 0);
	assert_int_equal(
		extents_add(&disk, 3ul * HOLE_AT, disk_bytes + 3ul * HOLE_AT, HOLE_AT),
		0);
	struct image_plan plan = {
		.disk = &disk, .identity = identity, .name = "test", .threads = threads};
	assert_int_equal(format->write(&file, &plan, &why), 0);
	*size = (size_t)file.extents.size;
	uint8_t *bytes = malloc(*size);
	assert_non_null(bytes);
	extents_copy(&file.extents, bytes);
	file_plan_free(&file);
	extents_free(&disk);
	return bytes;
}

static void every_reader_gives_back_what_its_writer_was_given(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct format *format = format_by_name(kinds[i]);
		struct disk_view view = {0};
		struct diag why = {0};
		size_t size = 0;
		uint8_t *bytes = write_disk(format, 1, &size);
		if (format->probe)
			assert_ptr_equal(format_of(bytes, size), format);
		assert_int_equal(format->read(&view, bytes, size, &why), 0);
		assert_int_equal(view.size, DISK_BYTES);
		assert_memory_equal(view.bytes, disk_bytes, DISK_BYTES);
		disk_view_free(&view);
		free(bytes);
	}
}

static void threads_do_not_change_the_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct format *format = format_by_name(kinds[i]);
		size_t size = 0, same = 0;
		uint8_t *one = write_disk(format, 1, &size);
		uint8_t *many = write_disk(format, 7, &same);
		assert_int_equal(size, same);
		assert_memory_equal(one, many, size);
		free(one);
		free(many);
	}
}

/* Either a disk comes out, all of it readable, or a message. */
static void read_any(const struct format *format, const uint8_t *bytes, size_t size)
{
	struct disk_view view = {0};
	struct diag why = {0};
	if (format->read(&view, bytes, size, &why)) {
		assert_true(why.message[0] != '\0');
		assert_null(view.memory);
		return;
	}
	assert_true(view.size <= DISK_VIEW_MAX);
	volatile uint8_t last = view.bytes[view.size - 1];
	(void)last;
	disk_view_free(&view);
}

/* All bytes of the first and last headers, and some of those between. */
static void every_changed_byte_is_survived(void **state)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct format *format = format_by_name(kinds[i]);
		size_t size = 0;
		uint8_t *bytes = write_disk(format, 1, &size);
		for (size_t at = 0; at < size;
		     at += at < 520 || size - at < 1100 ? 1 : 1009) {
			bytes[at] ^= masks[at % sizeof(masks)];
			read_any(format, bytes, size);
			bytes[at] ^= masks[at % sizeof(masks)];
		}
		free(bytes);
	}
}

static void every_truncated_file_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct format *format = format_by_name(kinds[i]);
		size_t size = 0;
		uint8_t *bytes = write_disk(format, 1, &size);
		for (size_t part = 1; part < size; part += part < 520 ? 8 : 4099) {
			uint8_t *cut = malloc(part); /* its end is watched */
			assert_non_null(cut);
			memcpy(cut, bytes, part);
			format_of(cut, part);
			read_any(format, cut, part);
			free(cut);
		}
		free(bytes);
	}
}

static void a_cluster_that_is_used_twice_is_refused(void **state)
{
	const struct format *format = format_by_name("qcow2");
	struct disk_view view = {0};
	struct diag why = {0};
	size_t size = 0;
	(void)state;
	uint8_t *bytes = write_disk(format, 1, &size);
	uint8_t *l2 = bytes + 4ul * 65536; /* header, two of references, level 1 */
	memcpy(l2 + 8, l2, 8);
	assert_int_equal(format->read(&view, bytes, size, &why), -1);
	assert_non_null(strstr(why.message, "used twice"));
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reader_gives_back_what_its_writer_was_given),
		cmocka_unit_test(threads_do_not_change_the_bytes),
		cmocka_unit_test(every_changed_byte_is_survived),
		cmocka_unit_test(every_truncated_file_is_survived),
		cmocka_unit_test(a_cluster_that_is_used_twice_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_mmio_device.c: virtio devices that the command line or the DSDT name. Command
 * lines are as QEMU 7.2's microvm and Firecracker pass them; the AML is from QEMU 7.2's
 * microvm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shim/dev/mmio_device.h"

static void expect(const char *line, unsigned count, unsigned bad,
		   const struct mmio_device *want)
{
	struct mmio_device got;
	unsigned n = 0, wrong = 0;
	while (mmio_device_next(&line, &got, &wrong)) {
		assert_true(n < count);
		assert_int_equal(got.address, want[n].address);
		assert_int_equal(got.size, want[n].size);
		assert_int_equal(got.gsi, want[n].gsi);
		assert_false(got.level);
		assert_false(got.active_low);
		n++;
	}
	assert_int_equal(n, count);
	assert_int_equal(wrong, bad);
	assert_int_equal(*line, '\0');
}

static void devices_of_microvm_are_taken_in_order(void **state)
{
	(void)state;
	expect("hello virtio_mmio.device=512@0xfeb00e00:12 "
	       "virtio_mmio.device=512@0xfeb00c00:11",
	       2, 0,
	       (const struct mmio_device[]){
		       {.address = 0xfeb00e00, .size = 512, .gsi = 12},
		       {.address = 0xfeb00c00, .size = 512, .gsi = 11}});
}

static void sizes_have_units_as_in_firecracker(void **state)
{
	(void)state;
	expect("pci=off virtio_mmio.device=4K@0xd0000000:5 root=/dev/vda", 1, 0,
	       (const struct mmio_device[]){
		       {.address = 0xd0000000, .size = 4096, .gsi = 5}});
}

static void an_identifier_may_follow(void **state)
{
	(void)state;
	expect("virtio_mmio.device=1M@0x1e:74:7", 1, 0,
	       (const struct mmio_device[]){
		       {.address = 0x1e, .size = 1 << 20, .gsi = 74}});
}

static void malformed_devices_are_counted_and_skipped(void **state)
{
	(void)state;
	expect("virtio_mmio.device= virtio_mmio.device=512 virtio_mmio.device=512@:1 "
	       "virtio_mmio.device=512@0xg:1 virtio_mmio.device=512@0x1000:1x "
	       "virtio_mmio.device=0@0x1000:1 "
	       "virtio_mmio.device=512@0xffffffffffffff00:1 "
	       "virtio_mmio.device=99999999999999999999@0x1000:1 "
	       "virtio_mmio.device=512@0x1000:99999 virtio_mmio.device=512@0x2000:9",
	       1, 9,
	       (const struct mmio_device[]){{.address = 0x2000, .size = 512, .gsi = 9}});
}

static void the_key_counts_at_a_words_start_only(void **state)
{
	(void)state;
	expect("xvirtio_mmio.device=512@0x1000:1 virtio_mmio.devices=512@0x1000:1", 0, 0,
	       NULL);
	expect("", 0, 0, NULL);
	expect("   ", 0, 0, NULL);
}

static const uint8_t microvm_aml[] = {
	0x5b, 0x82, 0x42, 0x05, 'V',  'R',  '2',  '3',  0x08, '_',  'H',  'I',  'D',
	0x0d, 'L',  'N',  'R',  'O',  '0',  '0',  '0',  '5',  0x00, 0x08, '_',  'U',
	'I',  'D',  0x0a, 0x17, 0x08, '_',  'C',  'C',  'A',  0x01, 0x08, '_',  'C',
	'R',  'S',  0x11, 0x1a, 0x0a, 0x17, 0x86, 0x09, 0x00, 0x01, 0x00, 0x2e, 0xb0,
	0xfe, 0x00, 0x02, 0x00, 0x00, 0x89, 0x06, 0x00, 0x01, 0x01, 0x2f, 0x00, 0x00,
	0x00, 0x79, 0x00, 0x5b, 0x82, 0x42, 0x05, 'V',  'R',  '2',  '2',  0x08, '_',
	'H',  'I',  'D',  0x0d, 'L',  'N',  'R',  'O',  '0',  '0',  '0',  '5',  0x00,
	0x08, '_',  'U',  'I',  'D',  0x0a, 0x16, 0x08, '_',  'C',  'C',  'A',  0x01,
	0x08, '_',  'C',  'R',  'S',  0x11, 0x1a, 0x0a, 0x17, 0x86, 0x09, 0x00, 0x01,
	0x00, 0x2c, 0xb0, 0xfe, 0x00, 0x02, 0x00, 0x00, 0x89, 0x06, 0x00, 0x01, 0x01,
	0x2e, 0x00, 0x00, 0x00, 0x79, 0x00,
};

static void devices_of_microvms_dsdt_are_found(void **state)
{
	struct mmio_device got;
	size_t at = 0;
	(void)state;
	assert_true(mmio_device_next_aml(microvm_aml, sizeof(microvm_aml), &at, &got));
	assert_int_equal(got.address, 0xfeb02e00);
	assert_int_equal(got.size, 512);
	assert_int_equal(got.gsi, 47);
	assert_true(got.level);
	assert_false(got.active_low);
	assert_true(mmio_device_next_aml(microvm_aml, sizeof(microvm_aml), &at, &got));
	assert_int_equal(got.address, 0xfeb02c00);
	assert_int_equal(got.gsi, 46);
	assert_false(mmio_device_next_aml(microvm_aml, sizeof(microvm_aml), &at, &got));
}

static void aml_cut_anywhere_is_not_read_past_its_end(void **state)
{
	/* where the interrupts' descriptors end, before the end tags 79 00 */
	const size_t end[] = {sizeof(microvm_aml) / 2 - 2, sizeof(microvm_aml) - 2};
	(void)state;
	for (size_t size = 0; size <= sizeof(microvm_aml); size++) {
		uint8_t *cut = malloc(size + 1); /* the sanitizer watches its end */
		struct mmio_device got;
		size_t at = 0;
		unsigned found = 0;
		memcpy(cut + 1, microvm_aml, size);
		while (mmio_device_next_aml(cut + 1, size, &at, &got))
			found++;
		assert_int_equal(found, (size >= end[0]) + (size >= end[1]));
		free(cut);
	}
}

static void resources_of_other_devices_are_not_taken(void **state)
{
	uint8_t aml[sizeof(microvm_aml)];
	struct mmio_device got;
	size_t at = 0;
	(void)state;
	memcpy(aml, microvm_aml, sizeof(aml));
	aml[21] = '6'; /* LNRO0006 */
	assert_true(mmio_device_next_aml(aml, sizeof(aml), &at, &got));
	assert_int_equal(got.gsi, 46);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_of_microvm_are_taken_in_order),
		cmocka_unit_test(sizes_have_units_as_in_firecracker),
		cmocka_unit_test(an_identifier_may_follow),
		cmocka_unit_test(malformed_devices_are_counted_and_skipped),
		cmocka_unit_test(the_key_counts_at_a_words_start_only),
		cmocka_unit_test(devices_of_microvms_dsdt_are_found),
		cmocka_unit_test(aml_cut_anywhere_is_not_read_past_its_end),
		cmocka_unit_test(resources_of_other_devices_are_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_bundle.c: bundles, written and read back; what abi/bundle.h promises; damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/bundle.h"
#include "imgfmt/bundle_read.h"

static const char shim[] = "shim", rootfs[5000] = "rootfs", text[] = "version=1\n";

static uint8_t *make_bundle(size_t *size)
{
	struct extents section[BUNDLE_MANIFEST] = {0};
	struct bundle bundle;
	struct diag why = {0};
	assert_int_equal(extents_add(&section[BUNDLE_SHIM - 1], 0, shim, sizeof(shim)),
			 0);
	assert_int_equal(
		extents_add(&section[BUNDLE_ROOTFS - 1], 0, rootfs, sizeof(rootfs)), 0);
	assert_int_equal(
		extents_add(&section[BUNDLE_MANIFEST - 1], 0, text, sizeof(text) - 1), 0);
	assert_int_equal(bundle_write(&bundle, section, &why), 0);
	uint8_t *bytes = malloc((size_t)bundle.extents.size);
	assert_non_null(bytes);
	*size = (size_t)bundle.extents.size;
	extents_copy(&bundle.extents, bytes);
	bundle_free(&bundle);
	for (size_t i = 0; i < BUNDLE_MANIFEST; i++)
		extents_free(&section[i]);
	return bytes;
}

static void sections_are_read_back_as_they_were_written(void **state)
{
	struct bundle_view view;
	const char *why = NULL;
	size_t size = 0;
	uint8_t *bytes = make_bundle(&size);
	(void)state;
	assert_int_equal(bundle_open(&view, bytes, size, &why), 0);
	assert_int_equal(view.size, size);
	assert_int_equal(view.part[BUNDLE_SHIM].size, sizeof(shim));
	assert_memory_equal(view.part[BUNDLE_SHIM].bytes, shim, sizeof(shim));
	assert_int_equal(view.part[BUNDLE_ROOTFS].size, sizeof(rootfs));
	assert_memory_equal(view.part[BUNDLE_ROOTFS].bytes, rootfs, sizeof(rootfs));
	assert_int_equal(view.part[BUNDLE_MANIFEST].size, sizeof(text) - 1);
	assert_null(view.part[BUNDLE_FRONT].bytes);
	for (int kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++)
		assert_true(bundle_part_intact(&view.part[kind]));
	free(bytes);
}

static void sections_start_on_blocks_and_are_padded_with_zeros(void **state)
{
	struct bundle_view view;
	const char *why = NULL;
	size_t size = 0;
	uint8_t *bytes = make_bundle(&size);
	(void)state;
	assert_int_equal(bundle_open(&view, bytes, size, &why), 0);
	assert_int_equal(size % BUNDLE_BLOCK, 0);
	for (int kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++) {
		const struct bundle_part *part = &view.part[kind];
		if (!part->size)
			continue;
		assert_int_equal((size_t)(part->bytes - bytes) % BUNDLE_BLOCK, 0);
		for (const uint8_t *at = part->bytes + part->size;
		     (size_t)(at - bytes) % BUNDLE_BLOCK; at++)
			assert_int_equal(*at, 0);
	}
	free(bytes);
}

static void every_bit_flipped_in_the_header_is_noticed(void **state)
{
	struct bundle_view view;
	const char *why = NULL;
	size_t size = 0;
	uint8_t *bytes = make_bundle(&size);
	(void)state;
	for (size_t i = 0; i < sizeof(struct bundle_header); i++) {
		bytes[i] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(bundle_open(&view, bytes, size, &why), -1);
		bytes[i] ^= (uint8_t)(1u << i % 8);
	}
	free(bytes);
}

static void a_bundle_cut_short_anywhere_is_refused(void **state)
{
	struct bundle_view view;
	const char *why = NULL;
	size_t size = 0;
	uint8_t *bytes = make_bundle(&size);
	(void)state;
	for (size_t cut = 0; cut < size; cut += 97) {
		uint8_t *copy = malloc(cut + 1); /* so that a read past the end is seen */
		memcpy(copy, bytes, cut);
		assert_int_equal(bundle_open(&view, copy, cut, &why), -1);
		free(copy);
	}
	free(bytes);
}

static void a_changed_byte_makes_its_section_not_intact(void **state)
{
	struct bundle_view view;
	const char *why = NULL;
	size_t size = 0;
	uint8_t *bytes = make_bundle(&size);
	(void)state;
	assert_int_equal(bundle_open(&view, bytes, size, &why), 0);
	bytes[view.part[BUNDLE_ROOTFS].bytes - bytes + 4999] ^= 1;
	assert_false(bundle_part_intact(&view.part[BUNDLE_ROOTFS]));
	assert_true(bundle_part_intact(&view.part[BUNDLE_SHIM]));
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_read_back_as_they_were_written),
		cmocka_unit_test(sections_start_on_blocks_and_are_padded_with_zeros),
		cmocka_unit_test(every_bit_flipped_in_the_header_is_noticed),
		cmocka_unit_test(a_bundle_cut_short_anywhere_is_refused),
		cmocka_unit_test(a_changed_byte_makes_its_section_not_intact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_bundle_pack.c: a bundle that is deflated and made plain again is what it was, and
 * our decoder reads what zlib writes; whatever is damaged is refused or found by its
 * digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "imgfmt/bundle.h"
#include "imgfmt/bundle_check.h"
#include "imgfmt/bundle_unpack.h"

#define MIB 1048576u

static struct deflate_room room;

struct bytes {
	uint8_t *at;
	size_t size;
};

/* Text, a MiB of zeros, noise, and a short end. */
static struct bytes file_system(void)
{
	struct bytes files = {.size = 3 * MIB + 12345};
	uint32_t noise = 1;
	files.at = calloc(1, files.size);
	assert_non_null(files.at);
	for (size_t i = 0; i < MIB; i++)
		files.at[i] = (uint8_t)((size_t) "elfpack "[i % 8] + i / 4096 % 7);
	for (size_t i = 2 * MIB; i < files.size; i++) {
		noise = noise * 1664525 + 1013904223;
		files.at[i] = i < 3 * MIB ? (uint8_t)(noise >> 24) : (uint8_t)(i >> 6);
	}
	return files;
}

static struct bytes copy_of(const struct extents *extents)
{
	struct bytes copy = {.size = (size_t)extents->size};
	copy.at = malloc(copy.size);
	assert_non_null(copy.at);
	extents_copy(extents, copy.at);
	return copy;
}

static void make(struct bytes *plain, struct bytes *packed, unsigned threads)
{
	static const char text[] = "version=1\n";
	struct bytes files = file_system();
	struct extents section[BUNDLE_MANIFEST] = {0};
	struct bundle *bundle = malloc(sizeof(*bundle)), *small = malloc(sizeof(*small));
	struct diag why = {0};
	assert_non_null(bundle);
	assert_non_null(small);
	assert_int_equal(extents_add(&section[BUNDLE_SHIM - 1], 0, text, 3), 0);
	assert_int_equal(extents_add(&section[BUNDLE_ROOTFS - 1], 0, files.at, MIB), 0);
	assert_int_equal(extents_add(&section[BUNDLE_ROOTFS - 1], 2ul * MIB,
				     files.at + 2ul * MIB, files.size - 2ul * MIB),
			 0);
	assert_int_equal(extents_add(&section[BUNDLE_MANIFEST - 1], 0, text, 10), 0);
	assert_int_equal(bundle_write(bundle, section, &why), 0);
	assert_int_equal(bundle_pack(small, bundle, threads, &why), 0);
	*plain = copy_of(&bundle->extents);
	*packed = copy_of(&small->extents);
	bundle_free(small);
	bundle_free(bundle);
	for (unsigned i = 0; i < BUNDLE_MANIFEST; i++)
		extents_free(&section[i]);
	free(small);
	free(bundle);
	free(files.at);
}

static void a_packed_bundle_becomes_what_it_was(void **state)
{
	struct bytes plain, packed, again;
	struct bundle_view view;
	const char *why = NULL;
	struct diag why_not = {0};
	(void)state;
	make(&plain, &packed, 1);
	free(plain.at);
	make(&plain, &again, 3);
	assert_int_equal(again.size, packed.size);
	assert_memory_equal(again.at, packed.at, packed.size);
	/* Of text nearly nothing is left, of zeros nothing, of noise all. */
	assert_in_range(packed.size, MIB, MIB + 100000);
	assert_int_equal(bundle_open(&view, packed.at, packed.size, &why), 0);
	assert_true(view.is_packed && view.part[BUNDLE_ROOTFS].is_packed);
	assert_false(view.part[BUNDLE_SHIM].is_packed);
	assert_true(bundle_part_intact(&view.part[BUNDLE_SHIM])); /* as a loader does */
	for (enum bundle_kind kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++)
		assert_int_equal(bundle_check_section(&view, kind, &why_not), 0);
	assert_int_equal(bundle_unpacked_size(&view), plain.size);
	uint8_t *out = malloc(plain.size);
	assert_non_null(out);
	memset(out, 0xa5, plain.size);
	assert_int_equal(bundle_unpack(out, &view, packed.at, &room), 0);
	assert_memory_equal(out, plain.at, plain.size);
	free(out);
	free(packed.at);
	free(again.at);
	free(plain.at);
}

static void damage_is_refused_or_found_by_the_digest(void **state)
{
	struct bytes plain, packed;
	struct bundle_view view, out_view;
	const char *why = NULL;
	(void)state;
	make(&plain, &packed, 1);
	uint8_t *out = malloc(plain.size);
	assert_non_null(out);
	assert_int_equal(bundle_open(&view, packed.at, packed.size, &why), 0);
	const struct bundle_part *files = &view.part[BUNDLE_ROOTFS];
	size_t start = (size_t)(files->bytes - packed.at);
	for (size_t i = 0; i < 300; i++) {
		size_t at = start + (i < 64 ? i : i * (files->size / 300));
		packed.at[at] ^= (uint8_t)(1u << i % 8);
		uint64_t size = bundle_unpacked_size(&view);
		if (size == plain.size && !bundle_unpack(out, &view, packed.at, &room)) {
			assert_int_equal(bundle_open(&out_view, out, plain.size, &why),
					 0);
			assert_false(bundle_part_intact(&out_view.part[BUNDLE_ROOTFS]));
		}
		struct diag why_not = {0};
		if (size < 64 * MIB) {
			assert_int_equal(
				bundle_check_section(&view, BUNDLE_ROOTFS, &why_not), -1);
			assert_string_equal(why_not.message,
					    "rootfs is damaged: the SHA-256 is wrong");
		}
		packed.at[at] ^= (uint8_t)(1u << i % 8);
	}
	free(out);
	free(packed.at);
	free(plain.at);
}

static void deflate_of_every_kind_is_read(void **state)
{
	struct bytes files = file_system();
	uint8_t *out = malloc(2ul * files.size), *back = malloc(files.size);
	static const int strategy[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY,
				       Z_RLE, Z_FIXED};
	(void)state;
	assert_non_null(out);
	assert_non_null(back);
	for (int level = 0; level <= 9; level++)
		for (unsigned i = 0; i < sizeof(strategy) / sizeof(strategy[0]); i++) {
			z_stream stream = {.next_in = files.at,
					   .avail_in = (uInt)files.size,
					   .next_out = out,
					   .avail_out = (uInt)(2 * files.size)};
			assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, -15, 9,
						      strategy[i]),
					 Z_OK);
			assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
			size_t size = stream.total_out;
			deflateEnd(&stream);
			memset(back, 0xa5, files.size);
			assert_int_equal(deflate_read(&room, out, size, back, files.size),
					 0);
			assert_memory_equal(back, files.at, files.size);
			/* Not one byte more or less comes out; a cut stream is an error.
			 */
			assert_int_equal(
				deflate_read(&room, out, size, back, files.size - 1), -1);
			assert_int_equal(
				deflate_read(&room, out, size - 1, back, files.size), -1);
		}
	free(back);
	free(out);
	free(files.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packed_bundle_becomes_what_it_was),
		cmocka_unit_test(damage_is_refused_or_found_by_the_digest),
		cmocka_unit_test(deflate_of_every_kind_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

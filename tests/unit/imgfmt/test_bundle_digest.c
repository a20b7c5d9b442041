/* test_bundle_digest.c: a section's digest against SHA-256 as OpenSSL has it, put
 * together as abi/bundle.h says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/sha.h>

#include "imgfmt/bundle_digest.h"
#include "imgfmt/extents.h"

static uint8_t *make_bytes(size_t size)
{
	uint8_t *bytes =
		malloc(size + 1); /* exact: the sanitizer sees a read past the end */
	uint32_t n = 1;
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++) {
		n = n * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(n >> 24);
	}
	return realloc(bytes, size ? size : 1);
}

static void expected(const uint8_t *bytes, size_t size, uint8_t digest[32])
{
	uint8_t leaf[64][32];
	size_t count = 0;
	for (size_t at = 0; at < size; at += BUNDLE_CHUNK)
		SHA256(bytes + at, size - at < BUNDLE_CHUNK ? size - at : BUNDLE_CHUNK,
		       leaf[count++]);
	SHA256(leaf[0], count * 32, digest);
}

static const size_t sizes[] = {
	0,
	1,
	63,
	64,
	BUNDLE_CHUNK - 1,
	BUNDLE_CHUNK,
	BUNDLE_CHUNK + 1,
	BUNDLE_CHUNK + 55,
	BUNDLE_CHUNK + 56,
	2 * BUNDLE_CHUNK - 1,
	2 * BUNDLE_CHUNK,
	5 * BUNDLE_CHUNK + 4096,
	8 * BUNDLE_CHUNK - 64,
	8 * BUNDLE_CHUNK - 1,
	8 * BUNDLE_CHUNK,
	8 * BUNDLE_CHUNK + 1,
	9 * BUNDLE_CHUNK + 100,
	24 * BUNDLE_CHUNK + 12345,
};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void digest_is_the_sha256_of_the_chunks_sha256s(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		uint8_t want[32], got[32], *bytes = make_bytes(sizes[i]);
		expected(bytes, sizes[i], want);
		bundle_digest_of(bytes, sizes[i], got);
		assert_memory_equal(got, want, 32);
		free(bytes);
	}
}

static void chunks_of_the_builder_are_hashed_like_any_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		uint8_t leaf[64][32], want[32], *bytes = make_bytes(sizes[i]);
		size_t count = bundle_digest_leaves(sizes[i]);
		extents_digest_chunks(bytes, sizes[i], leaf);
		for (size_t k = 0; k < count; k++) {
			size_t left = sizes[i] - k * BUNDLE_CHUNK;
			SHA256(bytes + k * BUNDLE_CHUNK,
			       left < BUNDLE_CHUNK ? left : BUNDLE_CHUNK, want);
			assert_memory_equal(leaf[k], want, 32);
		}
		free(bytes);
	}
}

static void a_changed_bit_anywhere_changes_the_digest(void **state)
{
	const size_t size = 10 * BUNDLE_CHUNK + 700;
	uint8_t before[32], after[32], *bytes = make_bytes(size);
	(void)state;
	bundle_digest_of(bytes, size, before);
	for (size_t at = 0; at < size; at += 4001) {
		bytes[at] ^= 0x10;
		bundle_digest_of(bytes, size, after);
		assert_memory_not_equal(before, after, 32);
		bytes[at] ^= 0x10;
	}
	free(bytes);
}

static void chunks_may_come_a_few_at_a_time(void **state)
{
	const size_t size = 11 * BUNDLE_CHUNK + 9;
	uint8_t whole[32], pieces[32], *bytes = make_bytes(size);
	(void)state;
	bundle_digest_of(bytes, size, whole);
	for (size_t piece = BUNDLE_CHUNK; piece < size; piece += BUNDLE_CHUNK) {
		struct sha256 hash;
		sha256_init(&hash);
		for (size_t at = 0; at < size; at += piece)
			bundle_digest_add(&hash, bytes + at,
					  size - at < piece ? size - at : piece);
		sha256_end(&hash, pieces);
		assert_memory_equal(pieces, whole, 32);
	}
	free(bytes);
}

static void extents_have_the_digest_of_the_bytes_that_they_stand_for(void **state)
{
	const size_t size = 40 * BUNDLE_CHUNK + 77;
	uint8_t want[32], got[32], *bytes = make_bytes(size);
	struct extents extents = {0};
	size_t at = 0;
	(void)state;
	for (size_t i = 0; at < size; i++) {
		size_t part = 1 + i * 7919 % (2 * BUNDLE_CHUNK);
		part = part < size - at ? part : size - at;
		if (i % 3 == 1)
			memset(bytes + at, 0, part); /* a hole */
		else
			assert_int_equal(extents_add(&extents, at, bytes + at, part), 0);
		at += part;
	}
	extents.size = size;
	expected(bytes, size, want);
	extents_digest(&extents, got);
	assert_memory_equal(got, want, 32);
	extents_free(&extents);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_is_the_sha256_of_the_chunks_sha256s),
		cmocka_unit_test(chunks_of_the_builder_are_hashed_like_any_bytes),
		cmocka_unit_test(a_changed_bit_anywhere_changes_the_digest),
		cmocka_unit_test(chunks_may_come_a_few_at_a_time),
		cmocka_unit_test(
			extents_have_the_digest_of_the_bytes_that_they_stand_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

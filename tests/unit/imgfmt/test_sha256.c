/* test_sha256.c: SHA-256 against the examples of FIPS 180-2, appendix B, and NIST's file
 * of example values (the empty message, a million times "a"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/sha256.h"

static void expect_digest(const void *bytes, size_t size, const char *hex)
{
	uint8_t digest[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];
	sha256_of(bytes, size, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, hex);
}

static void digest_of_the_empty_message(void **state)
{
	(void)state;
	expect_digest("", 0,
		      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void digest_of_one_block(void **state)
{
	(void)state;
	expect_digest("abc", 3,
		      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void digest_of_two_blocks(void **state)
{
	static const char text[] =
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	(void)state;
	expect_digest(text, sizeof(text) - 1,
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void digest_of_a_million_bytes(void **state)
{
	char *text = test_malloc(1000000);
	(void)state;
	memset(text, 'a', 1000000);
	expect_digest(text, 1000000,
		      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	test_free(text);
}

static void digest_does_not_depend_on_how_the_bytes_arrive(void **state)
{
	uint8_t bytes[300], whole[SHA256_BYTES], pieces[SHA256_BYTES];
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	sha256_of(bytes, sizeof(bytes), whole);
	for (size_t piece = 1; piece < sizeof(bytes); piece++) {
		struct sha256 hash;
		sha256_init(&hash);
		for (size_t at = 0; at < sizeof(bytes); at += piece)
			sha256_add(&hash, bytes + at,
				   sizeof(bytes) - at < piece ? sizeof(bytes) - at
							      : piece);
		sha256_end(&hash, pieces);
		assert_memory_equal(whole, pieces, sizeof(whole));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_of_the_empty_message),
		cmocka_unit_test(digest_of_one_block),
		cmocka_unit_test(digest_of_two_blocks),
		cmocka_unit_test(digest_of_a_million_bytes),
		cmocka_unit_test(digest_does_not_depend_on_how_the_bytes_arrive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

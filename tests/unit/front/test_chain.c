/* test_chain.c: bytes in, bytes out, over any number of blocks; JSON strings (RFC 8259).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "front/block.h"
#include "front/chain.h"

struct reader {
	char *to;
	size_t size;
};

static int append(void *context, const char *bytes, size_t size)
{
	struct reader *reader = context;
	memcpy(reader->to + reader->size, bytes, size);
	reader->size += size;
	return 0;
}

/* Takes everything out of the chain; the text is NUL-terminated. */
static size_t take(struct chain *chain, char *to)
{
	struct reader reader = {to, 0};
	assert_int_equal(chain_each(chain, append, &reader), 0);
	assert_int_equal(reader.size, chain->bytes);
	to[reader.size] = '\0';
	chain_free(chain);
	return reader.size;
}

static void bytes_come_out_as_they_went_in(void **state)
{
	enum { SIZE = 300000 };
	char *in = malloc(SIZE), *out = malloc(SIZE + 1);
	struct chain chain = {0};
	(void)state;
	assert_non_null(in);
	assert_non_null(out);
	for (size_t i = 0; i < SIZE; i++)
		in[i] = (char)(i * 7 + i / 251);
	for (size_t at = 0, n = 1; at < SIZE; at += n, n = n * 3 % 10007) {
		if (n > SIZE - at)
			n = SIZE - at;
		assert_int_equal(chain_append(&chain, in + at, n), 0);
	}
	assert_int_equal(take(&chain, out), SIZE);
	assert_memory_equal(in, out, SIZE);
	assert_int_equal(block_bytes_used(), 0);
	free(out);
	free(in);
}

static void dropping_any_number_of_bytes_leaves_the_rest(void **state)
{
	struct chain chain = {0};
	char out[64];
	(void)state;
	for (size_t drop = 0; drop <= 20000; drop += 1999) {
		for (size_t i = 0; i < 20000; i += 10)
			assert_int_equal(chain_append(&chain, "0123456789", 10), 0);
		chain_drop(&chain, drop);
		assert_int_equal(chain.bytes, 20000 - drop);
		struct iovec first = {0};
		if (chain_iov(&chain, &first, 1))
			assert_int_equal(*(char *)first.iov_base, '0' + (int)(drop % 10));
		chain_free(&chain);
	}
	assert_int_equal(take(&chain, out), 0);
	assert_int_equal(block_bytes_used(), 0);
}

static void moving_joins_two_chains_and_empties_the_second(void **state)
{
	struct chain a = {0}, b = {0};
	char out[64];
	(void)state;
	chain_move(&a, &b);
	assert_int_equal(a.bytes, 0);
	chain_append_text(&b, "one ");
	chain_move(&a, &b);
	chain_append_text(&b, "two");
	chain_move(&a, &b);
	assert_int_equal(b.bytes, 0);
	assert_null(b.first);
	take(&a, out);
	assert_string_equal(out, "one two");
}

static void json_strings_are_escaped_and_always_utf_8(void **state)
{
	static const struct {
		const char *bytes, *json;
	} rows[] = {
		{"", "\"\""},
		{"a\"b\\c/", "\"a\\\"b\\\\c/\""},
		{"\n\t\r\x01\x1f\x7f", "\"\\n\\t\\r\\u0001\\u001f\\u007f\""},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"a\xff"
		 "b",
		 "\"a\xef\xbf\xbd"
		 "b\""},
		/* overlong, surrogate, beyond U+10FFFF, cut short: RFC 3629, 3 */
		{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xf4\x90\x80\x80",
		 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	char out[64];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct chain chain = {0};
		assert_int_equal(
			chain_append_json(&chain, rows[i].bytes, strlen(rows[i].bytes)),
			0);
		take(&chain, out);
		assert_string_equal(out, rows[i].json);
	}
}

static void numbers_are_decimal(void **state)
{
	struct chain chain = {0};
	char out[64];
	(void)state;
	chain_append_u64(&chain, 0);
	chain_append_text(&chain, " ");
	chain_append_u64(&chain, UINT64_MAX);
	take(&chain, out);
	assert_string_equal(out, "0 18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_as_they_went_in),
		cmocka_unit_test(dropping_any_number_of_bytes_leaves_the_rest),
		cmocka_unit_test(moving_joins_two_chains_and_empties_the_second),
		cmocka_unit_test(json_strings_are_escaped_and_always_utf_8),
		cmocka_unit_test(numbers_are_decimal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_chunk.c: the chunked coding, whole and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/http_chunk.h"

/* Decodes in pieces of step bytes. Returns 1 at the end, -1 when bad, 0 when more is due.
 */
static int decode(const char *from, size_t step, char *body)
{
	struct chunk_decoder decoder = {0};
	size_t size = strlen(from), at = 0, bytes = 0;
	while (at < size) {
		size_t used = 0, part = 0, give = size - at < step ? size - at : step;
		const char *data = NULL;
		enum chunk_event event =
			chunk_decode(&decoder, from + at, give, &used, &data, &part);
		at += used;
		if (event == CHUNK_DATA) {
			memcpy(body + bytes, data, part);
			bytes += part;
		}
		body[bytes] = '\0';
		if (event == CHUNK_END || event == CHUNK_BAD)
			return event == CHUNK_END ? 1 : -1;
	}
	return 0;
}

static void pieces_of_any_size_give_the_same_body(void **state)
{
	char body[64];
	(void)state;
	for (size_t step = 1; step < 40; step++) {
		assert_int_equal(
			decode("3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
			       step, body),
			1);
		assert_string_equal(body, "abc0123456789");
	}
}

static void malformed_framing_is_bad(void **state)
{
	static const char *const bad[] = {"\r\n",   " 3\r\n",  "3 \r\n",
					  "3\n",    "0x3\r\n", "3\r\nabcd",
					  "-1\r\n", "0\r\n\n", "fffffffffffffffff\r\n"};
	char body[64];
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(decode(bad[i], 1, body), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_any_size_give_the_same_body),
		cmocka_unit_test(malformed_framing_is_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

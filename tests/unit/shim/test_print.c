/* test_print.c: kvsnprintf against the C library's, which is the standard's. */
#include "host_machine.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "shim/lib/print.h"

#define SAME(room, ...)                                                                  \
	do {                                                                             \
		char want[64], have[64];                                                 \
		memset(want, '#', sizeof(want));                                         \
		memset(have, '#', sizeof(have));                                         \
		int wanted = snprintf(want, room, __VA_ARGS__);                          \
		assert_int_equal(ksnprintf(have, room, __VA_ARGS__), wanted);            \
		assert_memory_equal(have, want, sizeof(want));                           \
	} while (0)

static void numbers_look_as_the_standard_says(void **state)
{
	(void)state;
	const int ints[] = {0, 1, -1, 42, INT_MAX, INT_MIN};
	const long longs[] = {0, -7, LONG_MAX, LONG_MIN};
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		SAME(64, "%d|%i|%6d|%-6d|%06d", ints[i], ints[i], ints[i], ints[i],
		     ints[i]);
		SAME(64, "%u|%x|%12u|%08x", (unsigned)ints[i], (unsigned)ints[i],
		     (unsigned)ints[i], (unsigned)ints[i]);
	}
	for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++) {
		SAME(64, "%ld|%24ld", longs[i], longs[i]);
		SAME(64, "%lx|%llu|%zu", (unsigned long)longs[i],
		     (unsigned long long)longs[i], (size_t)longs[i]);
	}
	SAME(64, "%p", (void *)0x1234);
}

static void strings_are_padded_and_cut(void **state)
{
	(void)state;
	SAME(64, "[%s] [%8s] [%-8s]", "abc", "abc", "abc");
	SAME(64, "[%.2s] [%.*s] [%.*s] [%6.1s]", "abc", 2, "xyz", -1, "all", "q");
	SAME(64, "%c%%%c", 'a', 'z');
}

static void output_that_does_not_fit_is_counted_but_not_written(void **state)
{
	(void)state;
	for (volatile size_t room = 0; room < 12; room++)
		SAME(room, "%s %d", "hello", -1234); /* volatile: the cut is meant */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_look_as_the_standard_says),
		cmocka_unit_test(strings_are_padded_and_cut),
		cmocka_unit_test(output_that_does_not_fit_is_counted_but_not_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

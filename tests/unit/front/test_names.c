/* test_names.c: names of files and globs over them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/names.h"

static void names_that_leave_the_folder_are_refused(void **state)
{
	static const char *const bad[] = {"",    "/a",   "a/",   "a//b", ".",
					  "a/.", "../a", "a\\b", "a\nb", "a/../b"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(name_refused(bad[i], strlen(bad[i]), 16));
	assert_null(name_refused("a/..b/c", 7, 3));
	assert_non_null(name_refused("a/..b/c", 7, 2));
}

static void one_star_stops_at_a_slash_and_two_do_not(void **state)
{
	(void)state;
	assert_true(glob_matches("*.o", "a.o"));
	assert_false(glob_matches("*.o", "d/a.o"));
	assert_true(glob_matches("**.o", "d/e/a.o"));
	assert_true(glob_matches("d/*/a?o", "d/e/a.o"));
	assert_false(glob_matches("d?a.o", "d/a.o"));
	assert_true(glob_matches("*a*b", "aab"));
	assert_false(glob_matches("", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_leave_the_folder_are_refused),
		cmocka_unit_test(one_star_stops_at_a_slash_and_two_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static bool matches(const char *glob, const char *name)
{
	size_t steps = 100;
	return glob_matches(glob, name, &steps);
}

static void one_star_stops_at_a_slash_and_two_do_not(void **state)
{
	(void)state;
	assert_true(matches("*.o", "a.o"));
	assert_false(matches("*.o", "d/a.o"));
	assert_true(matches("**.o", "d/e/a.o"));
	assert_true(matches("d/*/a?o", "d/e/a.o"));
	assert_false(matches("d?a.o", "d/a.o"));
	assert_true(matches("*a*b", "aab"));
	assert_false(matches("", "a"));
}

static void matching_ends_when_its_steps_are_used_up(void **state)
{
	char glob[600] = "**", name[600] = "";
	size_t steps = 10000, few = 3;
	(void)state;
	memset(glob + 2, 'a', 250);
	glob[252] = 'b'; /* tried at each place of the name */
	memset(name, 'a', 500);
	assert_false(glob_matches(glob, name, &steps));
	assert_int_equal(steps, 0);
	assert_true(glob_matches("abc", "abc", &few));
	assert_int_equal(few, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_leave_the_folder_are_refused),
		cmocka_unit_test(one_star_stops_at_a_slash_and_two_do_not),
		cmocka_unit_test(matching_ends_when_its_steps_are_used_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

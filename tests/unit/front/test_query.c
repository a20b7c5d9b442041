/* test_query.c: a query string into argv and controls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/query.h"

static char text[256];
static char *slots[96];

static int parse(struct query *query, const char *from)
{
	const struct query_limits limits = {4, 64};
	strcpy(text, from);
	return query_parse(query, text, strlen(from), slots, &limits);
}

static void whole_tokens_are_arguments_in_order(void **state)
{
	struct query q;
	(void)state;
	assert_int_equal(parse(&q, "if=a&of=b&-O2&if=a"), 0);
	assert_int_equal(q.arg_count, 4);
	assert_string_equal(q.args[0], "if=a");
	assert_string_equal(q.args[1], "of=b");
	assert_string_equal(q.args[3], "if=a");
}

static void empty_tokens_are_ignored_but_arg_makes_an_empty_element(void **state)
{
	struct query q;
	(void)state;
	assert_int_equal(parse(&q, "&&arg=&"), 0);
	assert_int_equal(q.arg_count, 1);
	assert_string_equal(q.args[0], "");
}

static void plus_and_percent_are_decoded_and_a_lone_percent_stays(void **state)
{
	struct query q;
	(void)state;
	assert_int_equal(parse(&q, "a+b%2B%zz%"), 0);
	assert_string_equal(q.args[0], "a b+%zz%");
}

static void encoded_underscore_never_makes_a_control(void **state)
{
	struct query q;
	(void)state;
	assert_int_equal(parse(&q, "%5Fout=x&_y"), 0);
	assert_string_equal(q.args[0], "_out=x");
	assert_string_equal(q.args[1], "_y");
}

static void bad_controls_and_nul_are_400_and_too_many_arguments_413(void **state)
{
	static const struct {
		const char *query;
		int rc;
	} rows[] = {{"_nope=1", -400},         {"_timeout=0", -400},
		    {"_timeout=0ms", -400},    {"_status=201", -400},
		    {"_in=raw&_in=raw", -400}, {"a%00", -400},
		    {"a&b&c&d&e", -413}};
	struct query q;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(parse(&q, rows[i].query), rows[i].rc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_tokens_are_arguments_in_order),
		cmocka_unit_test(empty_tokens_are_ignored_but_arg_makes_an_empty_element),
		cmocka_unit_test(plus_and_percent_are_decoded_and_a_lone_percent_stays),
		cmocka_unit_test(encoded_underscore_never_makes_a_control),
		cmocka_unit_test(bad_controls_and_nul_are_400_and_too_many_arguments_413),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

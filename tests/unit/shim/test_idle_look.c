/* test_idle_look.c: how long an idle CPU looks for frames before it halts. */
#include "host_machine.h"

#include "shim/proc/idle.h"

#define US 1000ull

static void a_quiet_machine_does_not_look(void **state)
{
	uint64_t look = IDLE_LOOK_MOST_NS;
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		look = idle_look_next(look, 1000000 * US);
	assert_int_equal(look, 0);
	assert_int_equal(idle_look_next(0, 1000000 * US), 0);
	assert_int_equal(idle_look_next(0, IDLE_LOOK_MOST_NS + 1), 0);
}

static void a_busy_one_comes_to_look_as_long_as_it_has_to_and_no_longer(void **state)
{
	uint64_t look = 0;
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		look = idle_look_next(look, 150 * US);
	assert_in_range(look, 150 * US, 2 * 150 * US);
	assert_int_equal(idle_look_next(look, 10 * US), look);
}

static void what_comes_too_late_for_any_look_shortens_it(void **state)
{
	(void)state;
	assert_in_range(idle_look_next(400 * US, IDLE_LOOK_MOST_NS + 1), 1, 200 * US);
}

static void it_never_looks_longer_than_the_most(void **state)
{
	uint64_t look = 0;
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		look = idle_look_next(look, IDLE_LOOK_MOST_NS);
	assert_int_equal(look, IDLE_LOOK_MOST_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_machine_does_not_look),
		cmocka_unit_test(
			a_busy_one_comes_to_look_as_long_as_it_has_to_and_no_longer),
		cmocka_unit_test(what_comes_too_late_for_any_look_shortens_it),
		cmocka_unit_test(it_never_looks_longer_than_the_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

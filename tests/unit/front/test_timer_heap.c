/* test_timer_heap.c: deadlines come up in order, moved ones included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/timer.h"

static void timers_expire_in_the_order_of_their_true_deadlines(void **state)
{
	struct timer_heap heap = {0};
	struct timer timers[100];
	uint64_t last = 0;
	size_t count = 0;
	struct timer *due = NULL;
	(void)state;
	memset(timers, 0, sizeof(timers));
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(timer_add(&heap, &timers[i]), 0);
		timer_set(&heap, &timers[i], i * 37 % 101);
		timer_set(&heap, &timers[i], i * 37 % 101 + i * 7 % 50);
	}
	timer_remove(&heap, &timers[0]);
	for (uint64_t now = 0; now < 200; now++) {
		while ((due = timer_expired(&heap, now))) {
			uint64_t i = (uint64_t)(due - timers);
			assert_int_equal(i * 37 % 101 + i * 7 % 50, now);
			assert_true(now >= last);
			last = now;
			count++;
		}
	}
	assert_int_equal(count, 99);
	assert_true(timer_next(&heap) == TIMER_NEVER);
	timer_heap_free(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_expire_in_the_order_of_their_true_deadlines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

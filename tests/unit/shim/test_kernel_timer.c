/* test_kernel_timer.c: the heap of timers against a plain array of deadlines. */
#include "host_machine.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/proc/timer.h"

#define TIMERS 64u

static struct timer timers[TIMERS];
static uint64_t model[TIMERS]; /* 0: not set */
static uint64_t now, last_fired, armed;
static unsigned fired;

void clock_arm(uint64_t deadline_ns)
{
	armed = deadline_ns;
}

static void fire(struct timer *self)
{
	size_t i = (size_t)(self - timers);
	assert_false(timer_is_set(self));
	assert_int_equal(self->deadline_ns, model[i]);
	assert_true(model[i] <= now && model[i] >= last_fired);
	last_fired = model[i];
	model[i] = 0;
	fired++;
}

static uint64_t earliest(void)
{
	uint64_t first = UINT64_MAX;
	for (unsigned i = 0; i < TIMERS; i++)
		if (model[i] && model[i] < first)
			first = model[i];
	return first;
}

static void timers_fire_once_in_order_and_none_is_lost(void **state)
{
	uint64_t seed = 3;
	(void)state;
	for (int step = 0; step < 100000; step++) {
		unsigned i = random_below(&seed, TIMERS);
		switch (random_below(&seed, 4)) {
		case 0:
		case 1:
			timers[i].fire = fire;
			model[i] = now + 1 + random_below(&seed, 1000);
			timer_set(&timers[i], model[i]);
			assert_true(armed <= earliest());
			break;
		case 2:
			timer_cancel(&timers[i]);
			model[i] = 0;
			break;
		default:
			now += random_below(&seed, 60);
			last_fired = 0;
			timers_run(now);
			assert_true(earliest() > now);
			assert_true(earliest() == UINT64_MAX || armed == earliest());
		}
		assert_int_equal(timer_is_set(&timers[i]), model[i] != 0);
	}
	assert_true(fired > 1000);
}

static struct timer periodic;

static void set_again(struct timer *self)
{
	fired++;
	if (fired < 5)
		timer_set(self, self->deadline_ns + 10);
}

static void a_timer_may_set_itself_again_while_it_fires(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TIMERS; i++)
		timer_cancel(&timers[i]);
	fired = 0;
	periodic.fire = set_again;
	timer_set(&periodic, now + 10);
	timers_run(now + 1000);
	assert_int_equal(fired, 5);
	assert_false(timer_is_set(&periodic));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_once_in_order_and_none_is_lost),
		cmocka_unit_test(a_timer_may_set_itself_again_while_it_fires),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

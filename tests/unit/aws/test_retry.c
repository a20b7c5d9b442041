/* test_retry.c: which answers are tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/retry.h"

static void refusals_are_final(void **state)
{
	(void)state;
	assert_int_equal(retry_classify(400, "ValidationException"), FAILURE_FINAL);
	assert_int_equal(retry_classify(403, "UnauthorizedOperation"), FAILURE_FINAL);
	assert_int_equal(retry_classify(402, "ServiceQuotaExceededException"),
			 FAILURE_FINAL);
	assert_int_equal(retry_classify(400, "ConcurrentLimitExceededException"),
			 FAILURE_FINAL);
	assert_false(retry_again(FAILURE_FINAL, 1));
}

static void throttling_is_waited_out(void **state)
{
	(void)state;
	assert_int_equal(retry_classify(400, "RequestThrottledException"), FAILURE_BUSY);
	assert_int_equal(retry_classify(503, "RequestLimitExceeded"), FAILURE_BUSY);
	assert_int_equal(retry_classify(400, "Throttling"), FAILURE_BUSY);
	assert_int_equal(retry_classify(429, ""), FAILURE_BUSY);
	assert_true(retry_again(FAILURE_BUSY, 19));
}

static void server_errors_pass(void **state)
{
	(void)state;
	assert_int_equal(retry_classify(500, "InternalServerException"), FAILURE_PASSING);
	assert_int_equal(retry_classify(503, ""), FAILURE_PASSING);
	assert_int_equal(retry_classify(201, ""), FAILURE_NONE);
	assert_true(retry_again(FAILURE_PASSING, 7));
	assert_false(retry_again(FAILURE_PASSING, 8));
}

static void delays_double_up_to_five_seconds(void **state)
{
	(void)state;
	const uint64_t bounds[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(retry_delay_ms(i + 1, bounds[i]), bounds[i]);
		assert_int_equal(retry_delay_ms(i + 1, bounds[i] + 1), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_final),
		cmocka_unit_test(throttling_is_waited_out),
		cmocka_unit_test(server_errors_pass),
		cmocka_unit_test(delays_double_up_to_five_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

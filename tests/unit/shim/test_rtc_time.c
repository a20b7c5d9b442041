/* The real-time clock's registers as seconds, against the C library's timegm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#include "shim/arch/x86_64/rtc_time.h"

enum { BINARY = 4, HOURS_24 = 2, PM = 0x80 };

static uint8_t bcd(int n)
{
	return (uint8_t)(n / 10 << 4 | n % 10);
}

static void every_day_until_2069_agrees_with_timegm(void **state)
{
	(void)state;
	for (time_t t = 12345; t < 3155760000; t += 86400 - 7) {
		struct tm tm;
		gmtime_r(&t, &tm);
		struct rtc_registers r = {
			bcd(tm.tm_sec),  bcd(tm.tm_min),     bcd(tm.tm_hour),
			bcd(tm.tm_mday), bcd(tm.tm_mon + 1), bcd(tm.tm_year % 100),
			HOURS_24};
		if (tm.tm_year < 170)
			assert_int_equal(rtc_seconds(&r), t);
	}
}

static void binary_and_12_hour_modes_are_understood(void **state)
{
	(void)state;
	struct rtc_registers noon = {0, 0, 12 | PM, 1, 1, 24, BINARY};
	struct rtc_registers midnight = {0, 0, 12, 1, 1, 24, BINARY};
	struct rtc_registers evening = {5, 0x30, 0x11 | PM, 1, 1, 0x24, 0};
	assert_int_equal(rtc_seconds(&midnight), 1704067200);
	assert_int_equal(rtc_seconds(&noon), 1704067200 + 12 * 3600);
	assert_int_equal(rtc_seconds(&evening), 1704067200 + 23 * 3600 + 30 * 60 + 5);
}

static void dates_that_are_none_give_zero(void **state)
{
	(void)state;
	struct rtc_registers absent = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct rtc_registers month = {0, 0, 0, 1, 0x13, 0x24, HOURS_24};
	struct rtc_registers day = {0, 0, 0, 0, 1, 0x24, HOURS_24};
	assert_int_equal(rtc_seconds(&absent), 0);
	assert_int_equal(rtc_seconds(&month), 0);
	assert_int_equal(rtc_seconds(&day), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_until_2069_agrees_with_timegm),
		cmocka_unit_test(binary_and_12_hour_modes_are_understood),
		cmocka_unit_test(dates_that_are_none_give_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

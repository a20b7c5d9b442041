/* rtc_time.c: MC146818 registers: BCD or binary, 12 or 24 hours. */
#include "shim/arch/x86_64/rtc_time.h"

#include <stdbool.h>

enum { STATUS_B_24_HOURS = 2, STATUS_B_BINARY = 4, HOUR_PM = 0x80 };

static unsigned number(uint8_t value, bool binary)
{
	return binary ? value : (value >> 4) * 10u + (value & 15u);
}

uint64_t rtc_seconds(const struct rtc_registers *r)
{
	bool binary = r->status_b & STATUS_B_BINARY;
	unsigned hour = number(r->hour & 0x7f, binary);
	if (!(r->status_b & STATUS_B_24_HOURS))
		hour = hour % 12 + (r->hour & HOUR_PM ? 12 : 0);
	unsigned second = number(r->second, binary), minute = number(r->minute, binary);
	unsigned day = number(r->day, binary), month = number(r->month, binary);
	unsigned year = number(r->year, binary);
	if (second > 60 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 ||
	    month > 12 || year > 99)
		return 0;
	year += year < 70 ? 2000 : 1900;
	/* Days before the year and month; the year begins in March, so that leap days are
	 * last. */
	unsigned y = year - (month < 3), m = (month + 9) % 12;
	uint64_t days =
		365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
	return (days - 719468) * 86400 + hour * 3600 + minute * 60 + second;
}

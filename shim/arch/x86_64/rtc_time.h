/* rtc_time.h: a real-time clock's registers as seconds since 1970. Pure. */
#ifndef SHIM_ARCH_X86_64_RTC_TIME_H
#define SHIM_ARCH_X86_64_RTC_TIME_H

#include <stdint.h>

struct rtc_registers {
	uint8_t second, minute, hour, day, month,
		year; /* as read: BCD unless status_b says */
	uint8_t status_b;
};

/* Years are 1970 to 2069, the time zone is UTC. 0: no such date. */
uint64_t rtc_seconds(const struct rtc_registers *r);

#endif

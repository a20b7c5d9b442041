/* sys/time.h: times on the wire (struct timespec, timeval) and in nanoseconds, for
 * handlers that take them. Sums and conversions stop at the far end, which is for ever.
 */
#ifndef SHIM_SYS_TIME_H
#define SHIM_SYS_TIME_H

#include <stdint.h>

#include "shim/mm/usercopy.h"

#define NS_PER_SECOND 1000000000ull

enum {
	CLOCK_REALTIME,
	CLOCK_MONOTONIC,
	CLOCK_PROCESS_CPUTIME_ID,
	CLOCK_THREAD_CPUTIME_ID,
	CLOCK_MONOTONIC_RAW,
	CLOCK_REALTIME_COARSE,
	CLOCK_MONOTONIC_COARSE,
	CLOCK_BOOTTIME,
	CLOCK_TAI = 11, /* as on a Linux that nobody told the leap seconds */
};

/* 0, -EFAULT, or -EINVAL for negative or overlong fractions. */
int time_get_timespec(uaddr from, uint64_t *ns);
int time_get_timeval(uaddr from, uint64_t *ns);
int time_put_timespec(uaddr to, uint64_t ns); /* 0 or -EFAULT */
int time_put_timeval(uaddr to, uint64_t ns);

static inline uint64_t time_add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* A point of CLOCK_REALTIME as clock_now_ns() will count it; what is before boot is 0. */
uint64_t time_realtime_to_monotonic(uint64_t ns);

#endif

/* timer.h: functions called at a time of the monotonic clock. They run under the kernel
 * lock, in interrupt context or at a return to ring 3, and must not sleep. */
#ifndef SHIM_PROC_TIMER_H
#define SHIM_PROC_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	uint64_t deadline_ns;
	void (*fire)(struct timer *self); /* the timer is no longer set when this runs */
	size_t heap_index;                /* timer.c; 0: not set */
};

void timer_set(struct timer *timer, uint64_t deadline_ns); /* again: moves it */
void timer_cancel(struct timer *timer);                    /* harmless when not set */
static inline bool timer_is_set(const struct timer *timer)
{
	return timer->heap_index != 0;
}

/* Runs what is due at now_ns, then arms the clock for the next. */
void timers_run(uint64_t now_ns);

#endif

/* timer.h: functions called at a time of the monotonic clock. They run under the kernel
 * lock, in interrupt context or at a return to ring 3, and must not sleep. */
#ifndef SHIM_PROC_TIMER_H
#define SHIM_PROC_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* A node of a pairing heap, so setting a timer needs no memory. Zeroed: not set. */
struct timer {
	uint64_t deadline_ns;
	void (*fire)(struct timer *self); /* the timer is no longer set when this runs */
	struct timer *child, *next;       /* timer.c */
	struct timer *previous; /* the elder sibling, or the parent of the eldest */
	bool set;
};

void timer_set(struct timer *timer, uint64_t deadline_ns); /* again: moves it */
void timer_cancel(struct timer *timer);                    /* harmless when not set */
static inline bool timer_is_set(const struct timer *timer)
{
	return timer->set;
}

/* Runs what is due at now_ns, then arms the clock for the next. The clock's interrupt
 * calls it. */
void timers_run(uint64_t now_ns);

#endif

/* timer.c: the timers of the machine, in one pairing heap: setting is O(1), firing and
 * cancelling O(log n) amortised, and none of them allocates. */
#include "shim/proc/timer.h"

#include <stddef.h>

#include "shim/arch/x86_64/clock.h"

static struct timer *first;            /* the root: the earliest */
static uint64_t armed_ns = UINT64_MAX; /* when the clock will interrupt */

static struct timer *merge(struct timer *a, struct timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->deadline_ns < a->deadline_ns) {
		struct timer *swap = a;
		a = b;
		b = swap;
	}
	b->next = a->child;
	if (b->next)
		b->next->previous = b;
	b->previous = a;
	a->child = b;
	a->next = a->previous = NULL;
	return a;
}

/* Joins a list of siblings into one heap: in pairs from the left, then from the right. */
static struct timer *merge_siblings(struct timer *list)
{
	struct timer *pairs = NULL;
	while (list) {
		struct timer *a = list, *b = a->next;
		list = b ? b->next : NULL;
		a->next = a->previous = NULL;
		if (b)
			b->next = b->previous = NULL;
		a = merge(a, b);
		a->next = pairs;
		pairs = a;
	}
	struct timer *root = NULL;
	while (pairs) {
		struct timer *rest = pairs->next;
		pairs->next = NULL;
		root = merge(root, pairs);
		pairs = rest;
	}
	return root;
}

static void take_out(struct timer *timer)
{
	struct timer *below = merge_siblings(timer->child);
	if (timer == first) {
		first = below;
	} else {
		if (timer->previous->child == timer)
			timer->previous->child = timer->next;
		else
			timer->previous->next = timer->next;
		if (timer->next)
			timer->next->previous = timer->previous;
		first = merge(first, below);
	}
	timer->child = timer->next = timer->previous = NULL;
	timer->set = false;
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
	if (timer->set)
		take_out(timer);
	timer->deadline_ns = deadline_ns;
	timer->set = true;
	first = merge(first, timer);
	if (first->deadline_ns < armed_ns) {
		armed_ns = first->deadline_ns;
		clock_arm(armed_ns);
	}
}

void timer_cancel(struct timer *timer)
{
	/* The clock stays armed: an interrupt too many costs less than arming it again.
	 */
	if (timer->set)
		take_out(timer);
}

void timers_run(uint64_t now_ns)
{
	while (first && first->deadline_ns <= now_ns) {
		struct timer *due = first;
		take_out(due);
		due->fire(due);
	}
	armed_ns = UINT64_MAX;
	if (first) {
		armed_ns = first->deadline_ns;
		clock_arm(armed_ns);
	}
}

/* timer.h: the deadlines of connections, in one binary heap.
 *
 * Most deadlines only ever move later (a keep-alive connection's idle limit after each
 * request), so the heap keeps the time an entry was filed under, never later than its
 * true deadline, and an entry that comes up early is filed again. Moving one later is a
 * store. Pure but for the heap's own memory. */
#ifndef ELFPACK_FRONT_TIMER_H
#define ELFPACK_FRONT_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
	uint64_t deadline_ns; /* the true one */
	uint64_t filed_ns;    /* <= deadline_ns; orders the heap */
	size_t slot;          /* in the heap, plus one; 0: not in it */
};

struct timer_heap {
	struct timer **entries;
	size_t count, room;
};

/* Adds a timer that never fires until timer_set. Returns 0 or -ENOMEM. */
int timer_add(struct timer_heap *heap, struct timer *timer);
void timer_remove(struct timer_heap *heap, struct timer *timer);
void timer_set(struct timer_heap *heap, struct timer *timer, uint64_t deadline_ns);

/* A timer whose deadline has passed (it stays in the heap, set to never), or NULL. */
struct timer *timer_expired(struct timer_heap *heap, uint64_t now_ns);

/* When to look again, at the latest; TIMER_NEVER without any. */
uint64_t timer_next(const struct timer_heap *heap);

void timer_heap_free(struct timer_heap *heap);

#endif

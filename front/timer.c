/* timer.c: the deadlines of connections, in one binary heap. */
#include <errno.h>
#include <stdlib.h>

#include "front/timer.h"

static void place(struct timer_heap *heap, struct timer *timer, size_t at)
{
	heap->entries[at] = timer;
	timer->slot = at + 1;
}

static void sift_up(struct timer_heap *heap, struct timer *timer, size_t at)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;
		if (heap->entries[parent]->filed_ns <= timer->filed_ns)
			break;
		place(heap, heap->entries[parent], at);
		at = parent;
	}
	place(heap, timer, at);
}

static void sift_down(struct timer_heap *heap, struct timer *timer, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    heap->entries[child + 1]->filed_ns < heap->entries[child]->filed_ns)
			child++;
		if (heap->entries[child]->filed_ns >= timer->filed_ns)
			break;
		place(heap, heap->entries[child], at);
		at = child;
	}
	place(heap, timer, at);
}

int timer_add(struct timer_heap *heap, struct timer *timer)
{
	if (heap->count == heap->room) {
		size_t room = heap->room ? heap->room * 2 : 64;
		struct timer **entries = realloc(heap->entries, room * sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		heap->entries = entries;
		heap->room = room;
	}
	timer->deadline_ns = timer->filed_ns = TIMER_NEVER;
	place(heap, timer, heap->count++);
	return 0;
}

void timer_remove(struct timer_heap *heap, struct timer *timer)
{
	if (!timer->slot)
		return;
	size_t at = timer->slot - 1;
	struct timer *moved = heap->entries[--heap->count];
	timer->slot = 0;
	if (moved == timer)
		return;
	if (at > 0 && moved->filed_ns < heap->entries[(at - 1) / 2]->filed_ns)
		sift_up(heap, moved, at);
	else
		sift_down(heap, moved, at);
}

void timer_set(struct timer_heap *heap, struct timer *timer, uint64_t deadline_ns)
{
	timer->deadline_ns = deadline_ns;
	if (deadline_ns >= timer->filed_ns)
		return;
	timer->filed_ns = deadline_ns;
	sift_up(heap, timer, timer->slot - 1);
}

struct timer *timer_expired(struct timer_heap *heap, uint64_t now_ns)
{
	while (heap->count && heap->entries[0]->filed_ns <= now_ns) {
		struct timer *first = heap->entries[0];
		bool due = first->deadline_ns <= now_ns;
		if (due)
			first->deadline_ns = TIMER_NEVER;
		first->filed_ns = first->deadline_ns;
		sift_down(heap, first, 0);
		if (due)
			return first;
	}
	return NULL;
}

uint64_t timer_next(const struct timer_heap *heap)
{
	return heap->count ? heap->entries[0]->filed_ns : TIMER_NEVER;
}

void timer_heap_free(struct timer_heap *heap)
{
	free(heap->entries);
	*heap = (struct timer_heap){0};
}

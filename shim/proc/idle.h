/* idle.h: what a CPU does that has nothing to run: for a while it looks for frames
 * itself, then it halts. A frame that is found costs no interrupt and no wake-up, which
 * for a virtual CPU are most of what a small request costs. */
#ifndef SHIM_PROC_IDLE_H
#define SHIM_PROC_IDLE_H

#include <stdbool.h>
#include <stdint.h>

/* Where frames come from. silence and listen under the kernel lock, arrived without. */
struct idle_source {
	void (*silence)(void); /* it need not interrupt */
	bool (*arrived)(void); /* has it something for listen? */
	void (*listen)(void);  /* takes that in; interrupts again */
};
void idle_source_set(const struct idle_source *source);
/* The source has delivered something, by an interrupt or by listen. */
void idle_source_delivered(void);

/* Waits for an interrupt or a frame, or until work(context) is true (asked without the
 * lock; work that cannot be done here must not count). since_ns: idle since then. */
void idle_wait(uint64_t since_ns, bool (*work)(const void *context), const void *context);

/* Longest time from the start of idleness that is spent looking. */
#define IDLE_LOOK_MOST_NS  500000ull
#define IDLE_LOOK_FIRST_NS 50000ull
/* How long to look the next time, when it was look_ns this time and something was
 * delivered after idle_ns: longer if that would have found it, less if nothing sensible
 * would. 0: not at all. */
uint64_t idle_look_next(uint64_t look_ns, uint64_t idle_ns);

#endif

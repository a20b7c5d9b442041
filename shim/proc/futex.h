/* futex.h: waiting for a word of user memory to change (futex(2)): plain, by bit set,
 * requeued, and locks that the kernel hands over (PI). Threads here have no priorities,
 * so PI locks inherit none; they keep Linux' hand-over, owner checks and owner-died
 * marks. Under the kernel lock. */
#ifndef SHIM_PROC_FUTEX_H
#define SHIM_PROC_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/mm/usercopy.h"

struct thread;

/* Bits of a PI or robust futex' word. */
#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK   0x3fffffffu
#define FUTEX_ANY        0xffffffffu /* the bit set that any other meets */

/* All return what futex(2) does. deadline_ns is of clock_now_ns(), or WAIT_FOREVER. */
long futex_wait(uaddr at, uint32_t expected, uint32_t bits, uint64_t deadline_ns);
struct futex_wanted {
	uaddr at;
	uint32_t expected;
};
/* Until one of count words (at least one) is woken: its index. */
long futex_wait_any(const struct futex_wanted *wanted, size_t count,
		    uint64_t deadline_ns);
long futex_wake(uaddr at, uint32_t count, uint32_t bits);
/* compare: only while *from is expected. */
long futex_requeue(uaddr from, uint32_t wake, uint32_t move, uaddr to, bool compare,
		   uint32_t expected);
long futex_wake_op(uaddr first, uint32_t wake, uint32_t wake_second, uaddr second,
		   uint32_t operation);
long futex_lock_pi(uaddr at, uint64_t deadline_ns, bool try_only);
long futex_unlock_pi(uaddr at);

/* The current thread leaves its address space, by exit or exec: marks the robust locks it
 * holds, passes on its PI locks, clears its tid and wakes who waits for that. Once is
 * enough: the thread's lists are forgotten. */
void futex_thread_exit(struct thread *self);

#endif

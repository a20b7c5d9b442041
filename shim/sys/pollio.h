/* sys/pollio.h: what the waiting calls share: masks for the time of a wait, deadlines. */
#ifndef SHIM_SYS_POLLIO_H
#define SHIM_SYS_POLLIO_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/mm/usercopy.h"
#include "shim/proc/signal.h"

/* The signal mask of ppoll and its kin. */
struct wait_mask {
	struct signal_mask before;
	bool replaced;
};
int wait_mask_set(struct wait_mask *w, uaddr mask, uint64_t size); /* 0 or -errno */
void wait_mask_reset(struct wait_mask *w, bool interrupted);

uint64_t wait_deadline_ms(int64_t ms); /* 0: do not wait; negative: for ever */
struct file;
struct poll_table;
/* Sleeps until the file polls one of events, an error or its end: 0; -EINTR; -EAGAIN when
 * deadline_ns comes. */
int file_wait(struct file *file, uint32_t events, uint64_t deadline_ns);
uint32_t file_poll(struct file *file, struct poll_table *table);

#endif

/* eventfd.h: counters and timers as files: eventfd(2), timerfd(2). */
#ifndef SHIM_VFS_EVENTFD_H
#define SHIM_VFS_EVENTFD_H

#include <stdbool.h>
#include <stdint.h>

struct file;

int eventfd_make(uint64_t initial, bool semaphore, uint32_t flags, struct file **out);

int timerfd_make(int clock, uint32_t flags, struct file **out);
/* Times of the timer's own clock, ns; 0: disarmed. */
struct timerfd_setting {
	uint64_t interval_ns, value_ns;
};
/* old may be NULL. -EINVAL: not a timerfd. */
int timerfd_set(struct file *file, bool absolute, const struct timerfd_setting *setting,
		struct timerfd_setting *old);
int timerfd_get(struct file *file, struct timerfd_setting *out);

#endif

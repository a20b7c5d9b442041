/* epoll.h: sets of files to wait for: epoll(7). */
#ifndef SHIM_VFS_EPOLL_H
#define SHIM_VFS_EPOLL_H

#include <stdint.h>

#include "shim/mm/usercopy.h"

struct file;

struct epoll_event_bytes {
	uint32_t events;
	uint32_t data[2]; /* 64 bits, not aligned: packed on x86-64 */
};
_Static_assert(sizeof(struct epoll_event_bytes) == 12, "Linux ABI");

int epoll_make(struct file **out);
/* operation: EPOLL_CTL_*; fd is the number that target was named by. */
int epoll_change(struct file *epoll, int operation, struct file *target, int fd,
		 const struct epoll_event_bytes *event);
/* Takes up to count events without sleeping; the number taken. What could not be written
 * stays to be taken; -EFAULT when that is the first. */
int epoll_collect(struct file *epoll, uaddr to, int count);
struct waitq *epoll_waitq(struct file *epoll); /* NULL: not an epoll */
/* The last reference to file is gone. */
void epoll_forget_file(struct file *file);

#endif

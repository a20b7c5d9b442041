/* pidfd.h: a process as a file: pidfd_open(2), and clone's CLONE_PIDFD. It names its
 * process for good: when that is waited for, no later one of the same number takes its
 * place. */
#ifndef SHIM_VFS_PIDFD_H
#define SHIM_VFS_PIDFD_H

#include <stdbool.h>
#include <stdint.h>

struct file;
struct process;

/* flags: O_NONBLOCK, for waitid. 0 or -ENOMEM. */
int pidfd_make(struct process *process, uint32_t flags, struct file **out);
bool pidfd_is(const struct file *file);
/* NULL: it was waited for. */
struct process *pidfd_process(const struct file *file);

/* From proc/: its last thread is gone; the process itself goes. */
void pidfd_process_ended(struct process *process);
void pidfd_process_freed(struct process *process);

#endif

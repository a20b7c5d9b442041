/* signalfd.h: pending signals as a file: signalfd(2). */
#ifndef SHIM_VFS_SIGNALFD_H
#define SHIM_VFS_SIGNALFD_H

#include <stdint.h>

#include "shim/proc/signal.h"

struct file;

int signalfd_make(struct signal_mask mask, uint32_t flags, struct file **out);
/* -EINVAL: not a signalfd. */
int signalfd_set(struct file *file, struct signal_mask mask);

#endif

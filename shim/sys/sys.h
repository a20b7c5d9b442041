/* sys.h: handlers of system calls. Each takes the six argument registers and returns the
 * result or -errno, exactly as Linux puts it in rax. Handlers unpack what they need:
 *
 *   long sys_read(const struct sysargs *a) { int fd = (int)a->arg[0]; ... }
 *
 * The table is made from syscalls.def, where each call stands under the file of its
 * handler. */
#ifndef SHIM_SYS_SYS_H
#define SHIM_SYS_SYS_H

#include <stdint.h>

#include "shim/lib/errno.h"
#include "shim/mm/usercopy.h"

struct trapframe;

struct sysargs {
	uint64_t arg[6];
	struct trapframe *frame;
};

static inline uaddr arg_user(const struct sysargs *a, int n)
{
	return (uaddr){a->arg[n]};
}

/* Results that ask for the call to be made again after a signal (never seen by ring 3).
 * As Linux: handled with SA_RESTART restarts ERESTARTSYS; ERESTARTNOHAND only without a
 * handler; ERESTARTNOINTR always. */
#define ERESTARTSYS    512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514

#define SYSCALL(number, name, trace) long sys_##name(const struct sysargs *a);
#include "shim/sys/syscalls.def"
#undef SYSCALL

#endif

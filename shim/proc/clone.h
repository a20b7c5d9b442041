/* clone.h: making processes and threads from the current one: fork, vfork, clone, clone3.
 */
#ifndef SHIM_PROC_CLONE_H
#define SHIM_PROC_CLONE_H

#include <stdint.h>

enum clone_flag {
	CLONE_VM = 0x100,
	CLONE_FS = 0x200,
	CLONE_FILES = 0x400,
	CLONE_SIGHAND = 0x800,
	CLONE_PIDFD = 0x1000,
	CLONE_PTRACE = 0x2000,
	CLONE_VFORK = 0x4000,
	CLONE_PARENT = 0x8000,
	CLONE_THREAD = 0x10000,
	CLONE_NEWNS = 0x20000,
	CLONE_SYSVSEM = 0x40000,
	CLONE_SETTLS = 0x80000,
	CLONE_PARENT_SETTID = 0x100000,
	CLONE_CHILD_CLEARTID = 0x200000,
	CLONE_DETACHED = 0x400000,
	CLONE_UNTRACED = 0x800000,
	CLONE_CHILD_SETTID = 0x1000000,
	CLONE_NEWCGROUP = 0x2000000,
	CLONE_NEWUTS = 0x4000000,
	CLONE_NEWIPC = 0x8000000,
	CLONE_NEWUSER = 0x10000000,
	CLONE_NEWPID = 0x20000000,
	CLONE_NEWNET = 0x40000000,
};
#define CLONE_IO            0x80000000ull
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#define CLONE_INTO_CGROUP   0x200000000ull

struct clone_request {
	uint64_t flags;
	int exit_signal;
	uint64_t stack; /* rsp of the new thread; 0: the caller's */
	uint64_t tls;
	uint64_t parent_tid, child_tid, pidfd; /* user addresses */
};

/* unshare(2): the current process' own copies of what flags name. 0, -ENOMEM; -EPERM for
 * name spaces, -EINVAL for what threads share while there are others. */
long clone_unshare(uint64_t flags);

/* The new thread's number, or -errno. Sleeps with CLONE_VFORK. */
long clone_current(const struct clone_request *request);

#endif

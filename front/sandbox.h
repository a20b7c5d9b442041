/* sandbox.h: where jobs run. The calls are those of imgfmt/abi/job.h, behind a table, so
 * that the same front runs in an image (sandbox_shim.c) and on Linux (sandbox_linux.c).
 *
 * A job is a descriptor that polls as readable once its program has ended, and with it
 * everything else in the job. All calls return -errno. */
#ifndef ELFPACK_FRONT_SANDBOX_H
#define ELFPACK_FRONT_SANDBOX_H

#include <sys/types.h>

#include "imgfmt/abi/job.h"

struct sandbox_start {
	const char *path, *cwd;
	char *const *argv, *const *envp;
	int stdio[3]; /* -1: /dev/null */
};

struct sandbox_ops {
	const char *name;
	int (*create)(const struct job_limits *limits);
	int (*open_at)(int job, const char *path, int flags, mode_t mode);
	int (*start)(int job, const struct sandbox_start *start);
	int (*result)(int job, struct job_result *result);
	void (*destroy)(int job); /* ends it first, if it runs */
	int (*info)(struct shim_info *info);
};

/* The kernel's job calls; NULL when the kernel is not shim. */
const struct sandbox_ops *sandbox_shim(void);

/* Plain Linux. root is the directory that jobs see as /, NULL for the machine's own; each
 * job's changes go to a layer of its own where the kernel allows that, else the program
 * runs in a fresh directory. groups is a folder of cgroup v2 in which jobs may have
 * theirs, with the controllers memory and pids; NULL: there is none. */
const struct sandbox_ops *sandbox_linux(const char *root, const char *groups);

#endif

/* sandbox_cgroup.h: what a job may take in all on Linux: a group of cgroup v2 for each,
 * in a folder that was made for us (cli/cgroup.h). */
#ifndef ELFPACK_FRONT_SANDBOX_CGROUP_H
#define ELFPACK_FRONT_SANDBOX_CGROUP_H

#include "imgfmt/abi/job.h"

struct cgroup {
	int fd;       /* -1: none */
	int procs_fd; /* a process that writes 0 here is in the group */
	char name[24];
};

/* The folder in which jobs get their groups. Before there are namespaces: its path may be
 * covered later. Returns 0 or -errno. */
int cgroup_open_folder(const char *path);

/* Makes a group with these limits, or none where there is no folder. Returns 0 or -errno.
 */
int cgroup_make(struct cgroup *group, const struct job_limits *limits);

/* Puts right what the parent of the job's program cannot know: whether memory ended it,
 * and how much there was at most. */
void cgroup_account(const struct cgroup *group, struct job_result *result);

/* Ends all that is in it. */
void cgroup_kill(const struct cgroup *group);

/* Removes it, empty by now. */
void cgroup_remove(struct cgroup *group);

#endif

/* cgroup.h: a folder of cgroup v2 for the jobs of front/sandbox_linux.c, below the group
 * that we run in, where that has been delegated to us. */
#ifndef ELFPACK_CLI_CGROUP_H
#define ELFPACK_CLI_CGROUP_H

#include <stdbool.h>

struct cgroup_place {
	char base[4096];   /* our own group when we were started */
	char folder[4200]; /* for jobs; "": none was made */
	bool enabled;      /* we gave base's groups their controllers */
};

/* The group of this process in /proc/self/cgroup and /proc/self/mounts, whose texts these
 * are. Returns NULL with base filled, or why there is none. */
const char *cgroup_find(char base[4096], const char *groups, const char *mounts);

/* Makes the folder, and takes this process into a group beside the jobs': what has groups
 * below it has no processes (cgroup-v2.rst, "No Internal Process Constraint"). Returns
 * NULL, or why there is none: everything is as before then. */
const char *cgroup_place_make(struct cgroup_place *place);

/* Goes back, and removes it. */
void cgroup_place_remove(struct cgroup_place *place);

#endif

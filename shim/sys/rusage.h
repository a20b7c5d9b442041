/* rusage.h: struct rusage, for getrusage and the waits. */
#ifndef SHIM_SYS_RUSAGE_H
#define SHIM_SYS_RUSAGE_H

#include <stdint.h>

struct job;

struct linux_timeval {
	int64_t seconds, microseconds;
};
struct linux_rusage {
	struct linux_timeval user, system;
	int64_t max_resident_kib, unused[13];
};
_Static_assert(sizeof(struct linux_rusage) == 144, "Linux ABI");

/* All time counts as the program's own: ring 0 does not count apart. The most memory used
 * is the job's, which is what is known exactly. */
void rusage_make(struct linux_rusage *out, const struct job *job, uint64_t cpu_ns);

#endif

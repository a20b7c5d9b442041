/* rusage.h: struct rusage, for getrusage and the waits. */
#ifndef SHIM_SYS_RUSAGE_H
#define SHIM_SYS_RUSAGE_H

#include <stdint.h>

struct usage;

struct linux_timeval {
	int64_t seconds, microseconds;
};
struct linux_rusage {
	struct linux_timeval user, system;
	int64_t max_resident_kib, unused_sizes[3], minor_faults;
	int64_t unused_counts[7], waits, preemptions;
};
_Static_assert(sizeof(struct linux_rusage) == 144, "Linux ABI");

/* All time counts as the program's own: ring 0 does not count apart. */
void rusage_make(struct linux_rusage *out, uint64_t cpu_ns, const struct usage *usage);

#endif

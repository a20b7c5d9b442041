/* data.h: the page before the vDSO's code, which the kernel writes and every program
 * reads. */
#ifndef SHIM_VDSO_DATA_H
#define SHIM_VDSO_DATA_H

#include <stdint.h>

#define VDSO_DATA_SIZE 4096

/* ns = ((tsc - base_tsc) * mult >> shift) + base_ns, of CLOCK_MONOTONIC. */
struct vdso_data {
	uint32_t sequence; /* odd while the rest changes */
	uint32_t mult;     /* 0: the TSC is no clock here, ask the kernel */
	uint32_t shift;
	uint32_t reserved;
	uint64_t base_tsc, base_ns;
	uint64_t realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct vdso_data) == 40, "the kernel's and the vDSO's");

#endif

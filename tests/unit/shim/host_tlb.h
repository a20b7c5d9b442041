/* host_tlb.h: CPUs that remember translations as long as they may: of each space two, the
 * one that the kernel runs on and another. */
#ifndef TESTS_HOST_TLB_H
#define TESTS_HOST_TLB_H

#include "shim/mm/vm.h"

/* What is watched: the pages of so many 2 MiB blocks from an address on. */
#define HOST_TLB_BASE   0x10000000ull
#define HOST_TLB_BLOCKS 3u

/* The space that the pair of CPUs runs now; NULL: none. Forgets all translations. */
void host_tlb_load(unsigned pair, const struct vmspace *vm);
/* Fails if a CPU remembers what no longer holds: another page or table, or more rights
 * than there are; fewer it may. Then walks all there is and remembers it. */
void host_tlb_check(unsigned pair);

#endif

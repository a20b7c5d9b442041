/* host_machine.h: a machine of MACHINE_PAGES frames for tests of the kernel's memory
 * code. */
#ifndef TESTS_HOST_MACHINE_H
#define TESTS_HOST_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shim/mm/page.h"

#define MACHINE_PAGES 4096u

void machine_reset(void); /* all frames but the first are given to the allocator */

/* A small generator with a seed of its own, so that a failing run can be had again. */
static inline uint32_t random_below(uint64_t *state, uint32_t bound)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)((*state >> 11) % bound);
}

#endif

/* relocate.h: the kernel's random places in the upper half (KASLR). */
#ifndef SHIM_ARCH_X86_64_RELOCATE_H
#define SHIM_ARCH_X86_64_RELOCATE_H

#include <stdint.h>

#include "shim/arch/x86_64/address_map.h"

extern const uint8_t kernel_start[];

/* Where something of the kernel's own lies in physical memory: that never changes. */
static inline uint64_t kernel_phys(const volatile void *of)
{
	return (uint64_t)of - (uint64_t)kernel_start + KERNEL_PHYS;
}

/* The areas, wherever they are: the instructions are relocated. Not before kernel_move.
 */
static inline uint8_t *direct_map_place(void)
{
	uint8_t *at;
	__asm__("movabs $direct_map_base, %0" : "=r"(at));
	return at;
}

static inline void *page_array_place(void)
{
	void *at;
	__asm__("movabs $page_array_base, %0" : "=r"(at));
	return at;
}

/* Moves the kernel and its areas to random addresses and goes on at next(argument) there,
 * with the stack where it was but empty. On head.S's tables, once, on the first CPU, with
 * interrupts off: no address of the kernel may have been kept in memory yet. */
_Noreturn void kernel_move(void (*next)(uint64_t argument), uint64_t argument);

#endif

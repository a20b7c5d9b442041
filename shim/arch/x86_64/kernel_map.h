/* kernel_map.h: the upper half of every address space. */
#ifndef SHIM_ARCH_X86_64_KERNEL_MAP_H
#define SHIM_ARCH_X86_64_KERNEL_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/arch/x86_64/memory_map.h"
#include "shim/mm/page.h"

extern paddr_t kernel_root; /* a level 4 table without a lower half */

/* Builds the tables with memory taken from free, and loads them: the low map is gone
 * after. ram: what the direct map shows; [image_start, image_end) read-only. Returns the
 * number of frames that have a struct page; 0 when memory does not suffice. */
uint64_t kernel_map_build(const struct memory_map *ram, struct memory_map *free,
			  uint64_t image_start, uint64_t image_end);

/* Maps pages in the upper half, in an area whose level 4 entry is there. PTE bits; tables
 * come from page_alloc. False without memory. */
bool kernel_map_page(uint64_t va, paddr_t pa, uint64_t pte_bits);

#endif

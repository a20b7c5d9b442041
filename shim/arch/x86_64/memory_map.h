/* memory_map.h: which memory is RAM that may be used, from what the firmware said. Pure.
 */
#ifndef SHIM_ARCH_X86_64_MEMORY_MAP_H
#define SHIM_ARCH_X86_64_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/abi/bootinfo.h"

#define MEMORY_RANGES_MAX (2 * BOOTINFO_REGIONS_MAX)

struct memory_range {
	uint64_t start, end; /* page aligned, [start, end) */
};

/* Sorted, disjoint, not touching. */
struct memory_map {
	uint32_t count;
	struct memory_range range[MEMORY_RANGES_MAX];
};

/* The whole pages that only ranges of type RAM cover, below limit: any other type wins
 * where they overlap. */
void memory_map_make(struct memory_map *map, const struct boot_region *region,
		     uint32_t count, uint64_t limit);
/* Takes out every page that [start, end) touches. */
void memory_map_remove(struct memory_map *map, uint64_t start, uint64_t end);
bool memory_map_covers(const struct memory_map *map, uint64_t start, uint64_t end);
/* Takes size bytes (whole pages) below limit from the map's upper end, at an address
 * equal to phase modulo align (a power of two pages). 0: there is no such room. */
uint64_t memory_map_take(struct memory_map *map, uint64_t size, uint64_t align,
			 uint64_t phase, uint64_t limit);

#endif

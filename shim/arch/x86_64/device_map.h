/* device_map.h: mapping registers of devices, in a window of their own (address_map.h).
 */
#ifndef SHIM_ARCH_X86_64_DEVICE_MAP_H
#define SHIM_ARCH_X86_64_DEVICE_MAP_H

#include <stddef.h>

#include "shim/mm/page.h"

enum device_cache { DEVICE_UNCACHED, DEVICE_WRITE_COMBINING };

/* Maps [pa, pa + size) for good; returns its address (of the byte pa), NULL when the
 * window or memory is used up. */
volatile void *device_map(paddr_t pa, size_t size, enum device_cache cache);

/* The same for tables that firmware left in memory: cached, read-only. */
const void *firmware_map(paddr_t pa, size_t size);

/* Where the window of DEVICE_MAP_SIZE bytes is. */
uint64_t device_map_start(void);

#endif

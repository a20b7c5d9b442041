/* device_map.c: the window of device registers and firmware tables, given out from its
 * lower end and never taken back. Cache types follow PAT as cpu.c sets it. */
#include "shim/arch/x86_64/device_map.h"

#include "shim/arch/x86_64/kernel_map.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/arch/x86_64/pagetable_entry.h"

extern uint8_t device_map_base[]; /* relocated here */
static uint8_t *next_free = device_map_base;
static uint64_t left = DEVICE_MAP_SIZE;

uint64_t device_map_start(void)
{
	return (uint64_t)next_free - (DEVICE_MAP_SIZE - left);
}

static void *map_window(paddr_t pa, size_t size, uint64_t pte_bits)
{
	uint64_t first = PAGE_ROUND_DOWN(pa), va = (uint64_t)next_free;
	uint64_t bytes = PAGE_ROUND_UP(pa + size) - first;
	if (size == 0 || pa + size < pa || pa + size > PTE_ADDRESS ||
	    bytes + PAGE_SIZE > left)
		return NULL;
	for (uint64_t at = 0; at < bytes; at += PAGE_SIZE)
		if (!kernel_map_page(va + at, first + at, pte_bits))
			return NULL;
	next_free += bytes + PAGE_SIZE; /* a hole catches who runs over */
	left -= bytes + PAGE_SIZE;
	return (void *)(va + (pa - first));
}

volatile void *device_map(paddr_t pa, size_t size, enum device_cache cache)
{
	uint64_t bits = cache == DEVICE_WRITE_COMBINING ? PTE_PWT : PTE_PWT | PTE_PCD;
	return map_window(pa, size, PTE_WRITE | bits);
}

const void *firmware_map(paddr_t pa, size_t size)
{
	return map_window(pa, size, 0);
}

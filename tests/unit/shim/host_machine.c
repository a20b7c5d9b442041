/* host_machine.c: RAM is an array. */
#include "host_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/lib/print.h"

#define BLOCK_PAGES (1u << PAGE_ORDER_MAX)

struct page *page_array;
uint8_t *direct_map;

void machine_reset(void)
{
	free(page_array);
	free(direct_map);
	page_array = malloc(MACHINE_PAGES * sizeof(*page_array));
	direct_map = aligned_alloc(PAGE_SIZE, MACHINE_PAGES * PAGE_SIZE);
	assert_non_null(page_array);
	assert_non_null(direct_map);
	memset(direct_map, 0xa5, MACHINE_PAGES * PAGE_SIZE);
	/* As page_init has it: the first block lacks a page, the last may be cut off. */
	memset(page_array, 0xff, MACHINE_PAGES * sizeof(*page_array));
	for (size_t i = 0; i < MACHINE_PAGES; i++)
		if (i < BLOCK_PAGES || i >= MACHINE_PAGES / BLOCK_PAGES * BLOCK_PAGES)
			memset(&page_array[i], 0, sizeof(*page_array));
	page_init(MACHINE_PAGES);
	page_give(0, MACHINE_PAGES * PAGE_SIZE);
}

void panic(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	abort();
}

/* host_machine.c: RAM is an array. */
#include "host_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/lib/print.h"

struct page *page_array;
uint8_t *direct_map;

void machine_reset(void)
{
	free(page_array);
	free(direct_map);
	page_array = calloc(MACHINE_PAGES, sizeof(*page_array));
	direct_map = aligned_alloc(PAGE_SIZE, MACHINE_PAGES * PAGE_SIZE);
	assert_non_null(page_array);
	assert_non_null(direct_map);
	memset(direct_map, 0xa5, MACHINE_PAGES * PAGE_SIZE);
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

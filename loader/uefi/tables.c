/* tables.c: the page tables of the way to the kernel. Pure. */
#include "shim/lib/string.h"

#include "loader/uefi/uefi.h"

enum { ENTRIES = 512, PRESENT_WRITABLE = 3, LARGE = 0x83 };
#define LARGE_BYTES (1ull << 21)
#define FOUR_GIB    (1ull << 32)

struct pool {
	uint8_t *next;
	unsigned left;
};

static uint64_t *take(struct pool *pool)
{
	if (!pool->left)
		return NULL;
	uint64_t *table = (void *)pool->next;
	pool->next += EFI_PAGE;
	pool->left--;
	return table;
}

/* Maps the 2 MiB around address. */
static bool map(uint64_t *table, unsigned levels, uint64_t address, struct pool *pool)
{
	for (unsigned level = levels; level > 2; level--) {
		uint64_t *entry =
			&table[address >> (12 + 9 * (level - 1)) & (ENTRIES - 1)];
		if (!*entry) {
			uint64_t *below = take(pool);
			if (!below)
				return false;
			*entry = (uint64_t)below | PRESENT_WRITABLE;
		}
		table = (uint64_t *)(*entry & ~(uint64_t)(EFI_PAGE - 1));
	}
	table[address >> 21 & (ENTRIES - 1)] = (address & ~(LARGE_BYTES - 1)) | LARGE;
	return true;
}

uint64_t tables_make(void *memory, const struct mapped_range *ranges, unsigned count,
		     bool five_levels)
{
	struct pool pool = {memory, TABLES_BYTES / EFI_PAGE};
	const unsigned levels = five_levels ? 5 : 4;
	memset(memory, 0, TABLES_BYTES);
	uint64_t *root = take(&pool);
	for (uint64_t at = 0; at < FOUR_GIB; at += LARGE_BYTES)
		if (!map(root, levels, at, &pool))
			return 0;
	for (unsigned i = 0; i < count; i++) {
		uint64_t end = ranges[i].base + ranges[i].size;
		for (uint64_t at = ranges[i].base & ~(LARGE_BYTES - 1); at < end;
		     at += LARGE_BYTES)
			if (!map(root, levels, at, &pool))
				return 0;
	}
	return (uint64_t)root;
}

/* pagetable_tables.h: finding and making the tables of a space, for pagetable*.c. What
 * one level 2 entry stands for is called a block here. */
#ifndef SHIM_ARCH_X86_64_PAGETABLE_TABLES_H
#define SHIM_ARCH_X86_64_PAGETABLE_TABLES_H

#include "shim/arch/x86_64/pagetable.h"
#include "shim/arch/x86_64/pagetable_entry.h"

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

static inline uint64_t *table_of(uint64_t entry)
{
	return phys_to_virt(entry & PTE_ADDRESS);
}

static inline struct page *page_of_table(const uint64_t *table)
{
	return page_of_va(table);
}

/* Of a level 1 entry. A page without rights is not present, its address inverted. */
static inline paddr_t entry_address(uint64_t entry)
{
	return (entry & PTE_PRESENT ? entry : ~entry) & PTE_ADDRESS;
}

/* CPUs walk the tables meanwhile. */
static inline void entry_set(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* The first address after va whose level `level` entry is another. */
static inline uint64_t next_entry(uint64_t va, unsigned level)
{
	return (va | (level_size(level) - 1)) + 1;
}

/* The level 2 entry of va; NULL: none. *next: up to there the answer is the same. */
uint64_t *pt_block_find(const struct pagetable *pt, uint64_t va, uint64_t *next);
/* The same, with the tables above made; it may be 0. NULL without memory. */
uint64_t *pt_block_make(struct pagetable *pt, uint64_t va);
/* The level 1 table of va, made, and the space's own. NULL without memory. */
uint64_t *pt_table_make(struct pagetable *pt, uint64_t va);
/* Makes the table behind a level 2 entry that is not 0 the space's own. 0 or -ENOMEM. */
int pt_block_own(struct pagetable *pt, uint64_t va, uint64_t *block);

#endif

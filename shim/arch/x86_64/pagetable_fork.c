/* pagetable_fork.c: what fork makes of the tables of a space, and how they part again.
 *
 * A table of many pages is not copied: two spaces or more then have one level 1 table,
 * whose struct page counts them. Their level 2 entries lack the W bit, so the CPU changes
 * nothing in it but A bits, and the kernel nothing but that it takes W bits away. A space
 * that wants to change more takes a copy. The last one left sets the W bit of its level 2
 * entry again: pages that no other table has come to map have kept theirs. */
#include "shim/arch/x86_64/pagetable_tables.h"
#include "shim/arch/x86_64/smp.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"

#define SHARE_PAGES_MIN 64u /* fewer are copied: most children write to them soon */

/* The entry for a second table; from now on neither may write to the page in place. */
static uint64_t entry_lend(uint64_t *entry, struct page *page)
{
	page_get(page);
	if (*entry & PTE_WRITE)
		return __atomic_and_fetch(entry, ~PTE_WRITE, __ATOMIC_SEQ_CST);
	return *entry;
}

static void table_copy(uint64_t *to, uint64_t *from)
{
	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		to[i] = !from[i] ? 0
				 : entry_lend(&from[i],
					      page_of_pa(entry_address(from[i])));
	page_of_table(to)->table = page_of_table(from)->table;
}

int pt_block_own(struct pagetable *pt, uint64_t va, uint64_t *block)
{
	if (*block & PTE_WRITE)
		return 0;
	struct page *shared = page_of_table(table_of(*block));
	if (shared->refs == 1) {
		entry_set(block, *block | PTE_WRITE);
		return 0;
	}
	struct page *page = page_alloc(pt->account, 0, false);
	if (!page)
		return -ENOMEM;
	table_copy(page_va(page), page_va(shared));
	entry_set(block, page_pa(page) | TABLE_FLAGS);
	/* CPUs keep level 2 entries too (paging-structure caches). Flushing one address
	 * drops all of those (SDM 3, 4.10.4.1); translations of pages stay true. */
	pt_flush_local(pt->root, va, va + PAGE_SIZE);
	smp_flush(pt->root, va, va + PAGE_SIZE, true);
	page_put(shared);
	return 0;
}

int pt_own(struct pagetable *pt, uint64_t start, uint64_t end)
{
	uint64_t next;
	for (uint64_t va = start; va < end; va = next) {
		uint64_t *block = pt_block_find(pt, va, &next);
		if (block && pt_block_own(pt, va, block) < 0)
			return -ENOMEM;
	}
	return 0;
}

uint32_t pt_sharers(const struct pagetable *pt, uint64_t va)
{
	uint64_t next;
	const uint64_t *block = pt_block_find(pt, va, &next);
	return block ? page_of_table(table_of(*block))->refs : 0;
}

static int block_share(struct pagetable *to, uint64_t va, uint64_t *block)
{
	uint64_t *other = pt_block_make(to, va);
	if (!other)
		return -ENOMEM;
	KASSERT(!*other);
	page_get(page_of_table(table_of(*block)));
	entry_set(block, *block & ~PTE_WRITE);
	*other = *block;
	page_of_table(other)->table.used++;
	to->resident += page_of_table(table_of(*block))->table.resident;
	return 0;
}

/* Pages of the image cost a fault to find again, and most children exec first. */
static int block_copy(struct pagetable *to, uint64_t va, uint64_t end, uint64_t *from)
{
	uint64_t *table = NULL;
	uint32_t left = page_of_table(from)->table.used;
	for (unsigned i = table_index(va, 1); va < end && left; va += PAGE_SIZE, i++) {
		if (!from[i])
			continue;
		left--;
		struct page *page = page_of_pa(entry_address(from[i]));
		if (page->flags & PAGE_IMAGE)
			continue;
		if (!table && !(table = pt_table_make(to, va)))
			return -ENOMEM;
		table[i] = entry_lend(&from[i], page);
		page_of_table(table)->table.used++;
		page_of_table(table)->table.resident++;
		to->resident++;
	}
	return 0;
}

int pt_fork(struct pagetable *from, struct pagetable *to, uint64_t start, uint64_t end,
	    bool share)
{
	KASSERT(from->account == to->account); /* the last holder pays for a table */
	uint64_t next;
	int rc = 0;
	for (uint64_t va = start; rc == 0 && va < end; va = next) {
		uint64_t *block = pt_block_find(from, va, &next);
		if (!block)
			continue;
		uint64_t last = next < end ? next : end, *table = table_of(*block);
		bool many = !(*block & PTE_WRITE) ||
			    page_of_table(table)->table.used >= SHARE_PAGES_MIN;
		if (share && many && last - va == PT_BLOCK_SIZE)
			rc = block_share(to, va, block);
		else if ((rc = pt_block_own(from, va, block)) == 0)
			rc = block_copy(to, va, last, table_of(*block));
	}
	return rc;
}

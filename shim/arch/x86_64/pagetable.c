/* pagetable.c: the lower half of an address space. A table's struct page counts the
 * entries in use (page->table), so an empty one is known without looking through it.
 *
 * The CPU sets A and D by itself: entries are changed by atomic exchange. A page without
 * rights keeps its entry, not present and with the address inverted, so that L1TF cannot
 * reach its frame. */
#include "shim/arch/x86_64/pagetable.h"

#include "shim/arch/x86_64/kernel_map.h"
#include "shim/arch/x86_64/pagetable_tables.h"
#include "shim/arch/x86_64/smp.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"

static uint64_t entry_make(paddr_t pa, unsigned flags)
{
	if (!(flags & (PT_READ | PT_WRITE | PT_EXEC)))
		return (~pa & PTE_ADDRESS) | PTE_HELD;
	uint64_t entry = pa | PTE_PRESENT | PTE_USER;
	if (flags & PT_WRITE)
		entry |= PTE_WRITE;
	if (!(flags & PT_EXEC))
		entry |= PTE_NX;
	return entry;
}

static unsigned entry_flags(uint64_t entry)
{
	if (!(entry & PTE_PRESENT))
		return 0;
	return PT_READ | (entry & PTE_WRITE ? PT_WRITE : 0u) |
	       (entry & PTE_NX ? 0u : PT_EXEC);
}

uint64_t *pt_block_find(const struct pagetable *pt, uint64_t va, uint64_t *next)
{
	uint64_t *table = phys_to_virt(pt->root);
	for (unsigned level = 4;; level--) {
		uint64_t *entry = &table[table_index(va, level)];
		*next = next_entry(va, level);
		if (!*entry)
			return NULL;
		if (level == 2)
			return entry;
		table = table_of(*entry);
	}
}

/* The level 1 table of va; NULL: none. */
static uint64_t *table_find(const struct pagetable *pt, uint64_t va)
{
	uint64_t next;
	const uint64_t *block = pt_block_find(pt, va, &next);
	return block ? table_of(*block) : NULL;
}

static bool table_add(struct pagetable *pt, uint64_t *entry)
{
	struct page *page = page_alloc(pt->account, 0, true);
	if (!page)
		return false;
	page->private = 0; /* both counts */
	entry_set(entry, page_pa(page) | TABLE_FLAGS);
	page_of_table(entry)->table.used++;
	return true;
}

uint64_t *pt_block_make(struct pagetable *pt, uint64_t va)
{
	uint64_t *table = phys_to_virt(pt->root);
	for (unsigned level = 4; level > 2; level--) {
		uint64_t *entry = &table[table_index(va, level)];
		if (!*entry && !table_add(pt, entry))
			return NULL;
		table = table_of(*entry);
	}
	return &table[table_index(va, 2)];
}

uint64_t *pt_table_make(struct pagetable *pt, uint64_t va)
{
	uint64_t *block = pt_block_make(pt, va);
	if (!block)
		return NULL;
	if (!(*block & PTE_WRITE) &&
	    !(*block ? pt_block_own(pt, va, block) == 0 : table_add(pt, block)))
		return NULL;
	return table_of(*block);
}

int pt_init(struct pagetable *pt, struct account *account)
{
	struct page *page = page_alloc(account, 0, false);
	if (!page)
		return -ENOMEM;
	uint64_t *table = page_va(page);
	const uint64_t *kernel = phys_to_virt(kernel_root);
	memset(table, 0, PAGE_SIZE / 2);
	memcpy(table + TABLE_ENTRIES / 2, kernel + TABLE_ENTRIES / 2, PAGE_SIZE / 2);
	page->private = 0;
	pt->root = page_pa(page);
	pt->account = account;
	pt->resident = 0;
	return 0;
}

/* What another space shares stays. Of the root the lower half alone is counted, and
 * freed. */
static void table_free(uint64_t *table, unsigned level)
{
	struct page *page = page_of_table(table);
	uint64_t used = page->refs == 1 ? page->table.used : 0;
	for (unsigned i = 0; used && i < TABLE_ENTRIES; i++) {
		while (i % 4 == 0 &&
		       !(table[i] | table[i + 1] | table[i + 2] | table[i + 3]))
			i += 4; /* ends: one in use lies ahead */
		if (!table[i])
			continue;
		if (level > 1)
			table_free(table_of(table[i]), level - 1);
		else
			page_put(page_of_pa(entry_address(table[i])));
		used--;
	}
	page_put(page);
}

void pt_free(struct pagetable *pt)
{
	if (!pt->root)
		return;
	KASSERT(!smp_root_is_loaded(pt->root));
	table_free(phys_to_virt(pt->root), 4);
	pt->root = 0;
}

/* Of the frame that a level 1 entry leads to. */
static int is_resident(paddr_t pa)
{
	return pa != page_zeros_pa;
}

static void resident_add(struct pagetable *pt, const uint64_t *table, int pages)
{
	page_of_table(table)->table.resident += (uint32_t)pages;
	pt->resident += (uint64_t)pages;
}

int pt_map(struct pagetable *pt, uint64_t va, paddr_t pa, unsigned flags)
{
	KASSERT(va < USER_ADDRESS_END);
	uint64_t *table = pt_table_make(pt, va);
	if (!table)
		return -ENOMEM;
	uint64_t old = __atomic_exchange_n(&table[table_index(va, 1)],
					   entry_make(pa, flags), __ATOMIC_SEQ_CST);
	page_of_table(table)->table.used += !old;
	resident_add(pt, table,
		     is_resident(pa) - (old && is_resident(entry_address(old))));
	return 0;
}

int pt_map_missing(struct pagetable *pt, uint64_t start, uint64_t end, paddr_t pa,
		   unsigned flags)
{
	KASSERT(start < end && end <= USER_ADDRESS_END &&
		start / level_size(2) == (end - 1) / level_size(2));
	uint64_t *table = pt_table_make(pt, start);
	if (!table)
		return -ENOMEM;
	uint64_t *entry = &table[table_index(start, 1)];
	unsigned added = 0;
	for (uint64_t va = start; va < end; va += PAGE_SIZE, pa += PAGE_SIZE, entry++) {
		if (*entry)
			continue;
		__atomic_store_n(entry, entry_make(pa, flags), __ATOMIC_RELAXED);
		added++;
	}
	page_of_table(table)->table.used += added;
	resident_add(pt, table, (int)added);
	return 0;
}

paddr_t pt_unmap(struct pagetable *pt, uint64_t va, bool *dirty)
{
	if (dirty)
		*dirty = false;
	uint64_t *table = table_find(pt, va);
	if (!table || !table[table_index(va, 1)])
		return 0;
	KASSERT(page_of_table(table)->refs == 1);
	uint64_t old =
		__atomic_exchange_n(&table[table_index(va, 1)], 0, __ATOMIC_SEQ_CST);
	page_of_table(table)->table.used--;
	resident_add(pt, table, -is_resident(entry_address(old)));
	if (dirty)
		*dirty = old & PTE_DIRTY;
	return entry_address(old);
}

bool pt_protect(struct pagetable *pt, uint64_t va, unsigned flags)
{
	uint64_t *table = table_find(pt, va);
	if (!table)
		return false;
	uint64_t *entry = &table[table_index(va, 1)];
	uint64_t old = *entry, new;
	if (!old)
		return false;
	KASSERT(page_of_table(table)->refs == 1);
	do {
		new = entry_make(entry_address(old), flags);
		if (new &PTE_PRESENT)
			new |= old &(PTE_ACCESSED | PTE_DIRTY);
		else
			new |= old &PTE_DIRTY;
	} while (!__atomic_compare_exchange_n(entry, &old, new, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return true;
}

paddr_t pt_lookup(const struct pagetable *pt, uint64_t va, unsigned *flags)
{
	uint64_t next;
	const uint64_t *block = pt_block_find(pt, va, &next);
	uint64_t entry = block ? table_of(*block)[table_index(va, 1)] : 0;
	if (flags)
		*flags = entry_flags(entry);
	if (flags && entry && !(*block & PTE_WRITE))
		*flags &= ~(unsigned)PT_WRITE; /* the CPU wants it at every level */
	return entry ? entry_address(entry) : 0;
}

struct walk {
	void (*visit)(void *context, uint64_t va, paddr_t pa, unsigned flags);
	void *context;
};

static void walk_pages(const struct walk *walk, uint64_t *table, uint64_t va,
		       uint64_t end)
{
	uint32_t left = page_of_table(table)->table.used; /* before a visit unmaps */
	for (; va < end && left; va += PAGE_SIZE) {
		uint64_t entry = table[table_index(va, 1)];
		if (!entry)
			continue;
		left--;
		walk->visit(walk->context, va, entry_address(entry), entry_flags(entry));
	}
}

/* Of a table above level 1. */
static void walk_table(const struct walk *walk, uint64_t *table, unsigned level,
		       uint64_t va, uint64_t end)
{
	uint64_t next;
	for (; va < end; va = next) {
		uint64_t entry = table[table_index(va, level)];
		next = next_entry(va, level);
		if (!entry)
			continue;
		uint64_t last = next < end ? next : end;
		if (level > 2)
			walk_table(walk, table_of(entry), level - 1, va, last);
		else
			walk_pages(walk, table_of(entry), va, last);
	}
}

void pt_walk(struct pagetable *pt, uint64_t start, uint64_t end,
	     void (*visit)(void *context, uint64_t va, paddr_t pa, unsigned flags),
	     void *context)
{
	struct walk walk = {visit, context};
	if (end > USER_ADDRESS_END)
		end = USER_ADDRESS_END;
	walk_table(&walk, phys_to_virt(pt->root), 4, start, end);
}

struct unlinking {
	struct pagetable *pt;
	bool shared; /* those that others have too; else those that are empty */
	struct list tables;
};

static void unlink_below(struct unlinking *unlinking, uint64_t *table, unsigned level,
			 uint64_t va, uint64_t end)
{
	for (uint64_t next; va < end; va = next) {
		uint64_t *entry = &table[table_index(va, level)];
		next = next_entry(va, level);
		if (!*entry)
			continue;
		struct page *page = page_of_table(table_of(*entry));
		if (level > 2)
			unlink_below(unlinking, table_of(*entry), level - 1, va,
				     next < end ? next : end);
		if (unlinking->shared ? page->refs == 1 : page->table.used > 0)
			continue;
		KASSERT(!unlinking->shared || (va % PT_BLOCK_SIZE == 0 && next <= end));
		entry_set(entry, 0);
		page_of_table(table)->table.used--;
		unlinking->pt->resident -= page->table.resident;
		list_append(&unlinking->tables, &page->link);
	}
}

static void tables_unlink(struct pagetable *pt, uint64_t start, uint64_t end, bool shared)
{
	struct unlinking unlinking = {pt, shared, LIST_INIT(unlinking.tables)};
	if (end > USER_ADDRESS_END)
		end = USER_ADDRESS_END;
	unlink_below(&unlinking, phys_to_virt(pt->root), 4, start, end);
	if (list_empty(&unlinking.tables))
		return;
	/* CPUs keep upper levels too (paging-structure caches): flush before reuse. */
	pt_flush_local(pt->root, start, end);
	smp_flush(pt->root, start, end, true);
	list_for_each_safe(page, &unlinking.tables, struct page, link) {
		list_remove(&page->link);
		page_put(page);
	}
}

void pt_leave(struct pagetable *pt, uint64_t start, uint64_t end)
{
	tables_unlink(pt, start, end, true);
}

void pt_trim(struct pagetable *pt, uint64_t start, uint64_t end)
{
	tables_unlink(pt, start, end, false);
}

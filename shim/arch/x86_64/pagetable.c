/* pagetable.c: the lower half of an address space. A table's struct page counts the
 * entries in use (page->private), so an empty one is known without looking through it.
 *
 * The CPU sets A and D by itself: entries are changed by atomic exchange. A page without
 * rights keeps its entry, not present and with the address inverted, so that L1TF cannot
 * reach its frame. */
#include "shim/arch/x86_64/pagetable.h"

#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/kernel_map.h"
#include "shim/arch/x86_64/pagetable_entry.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/smp.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"

#define TABLE_FLAGS     (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)
#define FLUSH_PAGES_MAX 32u /* more: everything is dropped at once */

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

static paddr_t entry_address(uint64_t entry)
{
	return (entry & PTE_PRESENT ? entry : ~entry) & PTE_ADDRESS;
}

static unsigned entry_flags(uint64_t entry)
{
	if (!(entry & PTE_PRESENT))
		return 0;
	return PT_READ | (entry & PTE_WRITE ? PT_WRITE : 0u) |
	       (entry & PTE_NX ? 0u : PT_EXEC);
}

static uint64_t *table_of(uint64_t entry)
{
	return phys_to_virt(entry & PTE_ADDRESS);
}

static struct page *page_of_table(const uint64_t *table)
{
	return page_of_va(table);
}

/* The level 1 table of va; NULL: none, and none was made. */
static uint64_t *table_find(const struct pagetable *pt, uint64_t va)
{
	uint64_t *table = phys_to_virt(pt->root);
	for (unsigned level = 4; level > 1; level--) {
		uint64_t entry = table[table_index(va, level)];
		if (!entry)
			return NULL;
		table = table_of(entry);
	}
	return table;
}

static uint64_t *table_make(struct pagetable *pt, uint64_t va)
{
	uint64_t *table = phys_to_virt(pt->root);
	for (unsigned level = 4; level > 1; level--) {
		uint64_t *entry = &table[table_index(va, level)];
		if (!*entry) {
			struct page *page = page_alloc(pt->account, 0, true);
			if (!page)
				return NULL;
			page->private = 0;
			*entry = page_pa(page) | TABLE_FLAGS;
			page_of_table(table)->private ++;
		}
		table = table_of(*entry);
	}
	return table;
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
	pt->mapped = 0;
	return 0;
}

/* Of the root the lower half alone is counted, and freed. */
static void table_free(uint64_t *table, unsigned level)
{
	uint64_t used = page_of_table(table)->private;
	for (unsigned i = 0; level > 1 && used && i < TABLE_ENTRIES; i++) {
		while (i % 4 == 0 &&
		       !(table[i] | table[i + 1] | table[i + 2] | table[i + 3]))
			i += 4; /* ends: one in use lies ahead */
		if (!table[i])
			continue;
		table_free(table_of(table[i]), level - 1);
		used--;
	}
	page_put(page_of_table(table));
}

void pt_free(struct pagetable *pt)
{
	if (!pt->root)
		return;
	KASSERT(!smp_root_is_loaded(pt->root));
	table_free(phys_to_virt(pt->root), 4);
	pt->root = 0;
}

static void root_load(paddr_t root)
{
	struct percpu *self = percpu();
	if (self->root == root)
		return;
	self->root = root;
	write_cr3(root);
}

void pt_load(const struct pagetable *pt)
{
	root_load(pt->root);
}

void pt_load_kernel(void)
{
	root_load(kernel_root);
}

int pt_map(struct pagetable *pt, uint64_t va, paddr_t pa, unsigned flags)
{
	KASSERT(va < USER_ADDRESS_END);
	uint64_t *table = table_make(pt, va);
	if (!table)
		return -ENOMEM;
	uint64_t old = __atomic_exchange_n(&table[table_index(va, 1)],
					   entry_make(pa, flags), __ATOMIC_SEQ_CST);
	if (!old) {
		page_of_table(table)->private ++;
		pt->mapped++;
	}
	return 0;
}

int pt_map_missing(struct pagetable *pt, uint64_t start, uint64_t end, paddr_t pa,
		   unsigned flags)
{
	KASSERT(start < end && end <= USER_ADDRESS_END &&
		start / level_size(2) == (end - 1) / level_size(2));
	uint64_t *table = table_make(pt, start);
	if (!table)
		return -ENOMEM;
	uint64_t *entry = &table[table_index(start, 1)], added = 0;
	for (uint64_t va = start; va < end; va += PAGE_SIZE, pa += PAGE_SIZE, entry++) {
		if (*entry)
			continue;
		__atomic_store_n(entry, entry_make(pa, flags), __ATOMIC_RELAXED);
		added++;
	}
	page_of_table(table)->private += added;
	pt->mapped += added;
	return 0;
}

paddr_t pt_unmap(struct pagetable *pt, uint64_t va, bool *dirty)
{
	if (dirty)
		*dirty = false;
	uint64_t *table = table_find(pt, va);
	if (!table || !table[table_index(va, 1)])
		return 0;
	uint64_t old =
		__atomic_exchange_n(&table[table_index(va, 1)], 0, __ATOMIC_SEQ_CST);
	page_of_table(table)->private --;
	pt->mapped--;
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
	const uint64_t *table = table_find(pt, va);
	uint64_t entry = table ? table[table_index(va, 1)] : 0;
	if (flags)
		*flags = entry_flags(entry);
	return entry ? entry_address(entry) : 0;
}

/* The first address at or after va whose level `level` entry is another. */
static uint64_t next_entry(uint64_t va, unsigned level)
{
	return (va | (level_size(level) - 1)) + 1;
}

struct walk {
	void (*visit)(void *context, uint64_t va, paddr_t pa, unsigned flags);
	void *context;
};

static void walk_pages(const struct walk *walk, uint64_t *table, uint64_t va,
		       uint64_t end)
{
	uint64_t left = page_of_table(table)->private; /* before a visit unmaps */
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

/* Unlinks empty tables below `table` and collects them in freed. */
static void trim_table(uint64_t *table, unsigned level, uint64_t va, uint64_t end,
		       struct list *freed)
{
	for (; va < end; va = next_entry(va, level)) {
		uint64_t *entry = &table[table_index(va, level)];
		if (!*entry)
			continue;
		uint64_t *below = table_of(*entry), next = next_entry(va, level);
		if (level > 2)
			trim_table(below, level - 1, va, next < end ? next : end, freed);
		if (page_of_table(below)->private)
			continue;
		*entry = 0;
		page_of_table(table)->private --;
		list_append(freed, &page_of_table(below)->link);
	}
}

void pt_trim(struct pagetable *pt, uint64_t start, uint64_t end)
{
	struct list freed = LIST_INIT(freed);
	if (end > USER_ADDRESS_END)
		end = USER_ADDRESS_END;
	trim_table(phys_to_virt(pt->root), 4, start, end, &freed);
	if (list_empty(&freed))
		return;
	/* CPUs keep upper levels too (paging-structure caches): flush before reuse. */
	pt_flush_local(pt->root, start, end);
	smp_flush(pt->root, start, end, true);
	list_for_each_safe(page, &freed, struct page, link) {
		list_remove(&page->link);
		page_put(page);
	}
}

void pt_flush_local(paddr_t root, uint64_t start, uint64_t end)
{
	if (percpu()->root != root)
		return;
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE) {
		write_cr3(root); /* kernel pages are global and stay */
		return;
	}
	for (uint64_t va = PAGE_ROUND_DOWN(start); va < end; va += PAGE_SIZE)
		invlpg(va);
}

void pt_flush_here(const struct pagetable *pt, uint64_t start, uint64_t end)
{
	pt_flush_local(pt->root, start, end);
}

void pt_flush(struct pagetable *pt, uint64_t start, uint64_t end)
{
	pt_flush_local(pt->root, start, end);
	smp_flush(pt->root, start, end, false);
}

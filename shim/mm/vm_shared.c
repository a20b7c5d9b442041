/* vm_shared.c: the pages behind a shared anonymous mapping, kept by every area that maps
 * them: of one process, or of several after fork. */
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"

/* Pages are found through tables of one page each, so a sparse gigabyte costs what it
 * uses. */
#define SLOTS (PAGE_SIZE / sizeof(void *))

struct shared_pages {
	struct account *account;
	uint32_t refs;
	struct page
		*top; /* SLOTS pointers to tables of SLOTS pointers to tables of pages */
};

struct shared_pages *shared_pages_make(struct account *account)
{
	struct shared_pages *pages = kzalloc(account, sizeof(*pages));
	if (!pages)
		return NULL;
	pages->account = account;
	pages->refs = 1;
	pages->top = page_alloc(account, 0, true);
	if (!pages->top) {
		kfree(pages);
		return NULL;
	}
	return pages;
}

void shared_pages_get(struct shared_pages *pages)
{
	pages->refs++;
}

static void free_level(struct page *table, int level)
{
	struct page **slot = page_va(table);
	for (size_t i = 0; level > 0 && i < SLOTS; i++)
		if (slot[i])
			free_level(slot[i], level - 1);
	page_put(table);
}

void shared_pages_put(struct shared_pages *pages)
{
	if (--pages->refs)
		return;
	free_level(pages->top, 3);
	kfree(pages);
}

struct page *shared_pages_page(struct shared_pages *pages, uint64_t index)
{
	if (index >= SLOTS * SLOTS * SLOTS)
		return NULL;
	struct page *at = pages->top;
	for (int shift = 18; shift >= 0; shift -= 9) {
		struct page **slot =
			(struct page **)page_va(at) + (index >> shift & (SLOTS - 1));
		if (!*slot)
			*slot = page_alloc(pages->account, 0, true);
		if (!*slot)
			return NULL;
		at = *slot;
	}
	page_get(at);
	return at;
}

/* vm_fork.c: a copy of an address space for fork: the same areas, private pages shared
 * read-only by both until one of them writes. */
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"

struct fork_context {
	struct vmspace *parent, *child;
	bool failed;
};

static void fork_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	struct fork_context *fork = context;
	struct page *page = page_of_pa(pa);
	/* Pages of the image cost a fault to find again, and most children exec first. */
	if (fork->failed || (page->flags & PAGE_IMAGE))
		return;
	unsigned shared = flags & ~(unsigned)PT_WRITE;
	if (flags & PT_WRITE)
		pt_protect(&fork->parent->pt, va, shared);
	page_get(page);
	if (pt_map(&fork->child->pt, va, PAGE_ROUND_DOWN(pa), shared) < 0) {
		page_put(page);
		fork->failed = true;
	}
}

/* Pages of shared areas are found again by faults; only private ones must be copied. */
static bool fork_area(struct fork_context *fork, struct vm_area *area)
{
	struct vmspace *child = fork->child;
	if (area->dont_fork)
		return true;
	struct vm_area *copy = vm_area_copy(child, area);
	if (!copy)
		return false;
	if (vm_area_insert(child, child->area_count, copy) < 0) {
		vm_area_free(child, copy);
		return false;
	}
	child->mapped_bytes += area->end - area->start;
	if (!area->shared && !area->wipe_on_fork)
		pt_walk(&fork->parent->pt, area->start, area->end, fork_page, fork);
	return !fork->failed;
}

struct vmspace *vm_fork(struct vmspace *parent)
{
	struct vmspace *child = vm_make(parent->account);
	if (!child)
		return NULL;
	child->mmap_top = parent->mmap_top;
	child->brk_start = parent->brk_start;
	child->brk = parent->brk;
	child->stack_top = parent->stack_top;
	child->vdso = parent->vdso;
	struct fork_context fork = {parent, child, false};
	bool ok = true;
	for (uint32_t i = 0; ok && i < parent->area_count; i++)
		ok = fork_area(&fork, parent->area[i]);
	pt_flush(&parent->pt, 0, USER_ADDRESS_END);
	if (!ok) {
		vm_put(child);
		return NULL;
	}
	return child;
}

/* vm_fork.c: a copy of an address space for fork: the same areas, private pages shared
 * read-only by both until one of them writes. Of big anonymous areas the page tables are
 * shared too, so that a fork costs little for each gigabyte. */
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"

/* Pages of shared areas are found again by faults; only private ones must be copied. Of
 * files they are let go one by one (vm_file.c): those tables are not shared. */
static bool fork_area(struct vmspace *parent, struct vmspace *child, struct vm_area *area)
{
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
	if (area->shared || area->wipe_on_fork)
		return true;
	return pt_fork(&parent->pt, &child->pt, area->start, area->end, !area->vnode) ==
	       0;
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
	bool ok = true;
	for (uint32_t i = 0; ok && i < parent->area_count; i++)
		ok = fork_area(parent, child, parent->area[i]);
	pt_flush(&parent->pt, 0, USER_ADDRESS_END);
	if (!ok) {
		vm_put(child);
		return NULL;
	}
	return child;
}

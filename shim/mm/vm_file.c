/* vm_file.c: mapped files whose pages change: what is mapped of the old ones is
 * forgotten, so that the next touch finds the new ones, or the end of the file. */
#include "shim/mm/page.h"
#include "shim/mm/vm.h"
#include "shim/vfs/vnode.h"

struct forgetting {
	struct vm_gather gather;
	const struct vm_area *area;
	bool all; /* else what is the file's, not copies of it */
};

static void forget_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	struct forgetting *forgetting = context;
	const struct vm_area *area = forgetting->area;
	struct page *page = page_of_pa(pa);
	uint64_t index = (area->offset + (va - area->start)) >> PAGE_SHIFT;
	(void)flags;
	if (forgetting->all || page->flags & PAGE_IMAGE ||
	    vnode_has_page(area->vnode, index, page))
		vm_gather_page(&forgetting->gather, va, page);
}

void vm_forget_file(struct vmspace *vm, const struct vnode *vnode, uint64_t first,
		    uint64_t end, bool copies)
{
	for (uint32_t i = 0; i < vm->area_count; i++) {
		const struct vm_area *area = vm->area[i];
		uint64_t from = area->offset >> PAGE_SHIFT;
		uint64_t to = from + ((area->end - area->start) >> PAGE_SHIFT);
		if (area->vnode != vnode || end <= from || first >= to)
			continue;
		uint64_t low = first > from ? first : from, high = end < to ? end : to;
		uint64_t start_va = area->start + ((low - from) << PAGE_SHIFT);
		uint64_t end_va = area->start + ((high - from) << PAGE_SHIFT);
		struct forgetting forgetting = {
			.gather.vm = vm, .area = area, .all = area->shared || copies};
		vm_note_peaks(vm);
		pt_walk(&vm->pt, start_va, end_va, forget_page, &forgetting);
		vm_gather_end(&forgetting.gather);
	}
}

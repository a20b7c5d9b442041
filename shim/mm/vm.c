/* vm.c: the areas of an address space: mapping, unmapping, protecting, moving. Filling
 * pages in is vm_fault.c's; copying a whole space is vm_fork.c's. */
#include "shim/mm/vm.h"

#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/vfs/vnode.h"

#define MMAP_RANDOM_PAGES                                                                \
	(1ull << 28) /* 40 bits of mmap ASLR, as Linux: 28 of page number */

struct vmspace *vm_make(struct account *account)
{
	struct vmspace *vm = kzalloc(account, sizeof(*vm));
	if (!vm)
		return NULL;
	vm->account = account;
	vm->refs = 1;
	if (pt_init(&vm->pt, account) < 0) {
		kfree(vm);
		return NULL;
	}
	/* The stack lies in the topmost 16 GiB, mmap's top somewhere in the TiB below it.
	 */
	vm->stack_top =
		USER_ADDRESS_END - PAGE_SIZE - (random_u64() & 0x3fffff) * PAGE_SIZE;
	vm->mmap_top = vm->stack_top - VM_STACK_SIZE - (64ull << 20) -
		       (random_u64() % MMAP_RANDOM_PAGES) * PAGE_SIZE;
	return vm;
}

void vm_get(struct vmspace *vm)
{
	vm->refs++;
}

void vm_put(struct vmspace *vm)
{
	if (!vm || --vm->refs)
		return;
	pt_free(&vm->pt);
	for (uint32_t i = 0; i < vm->area_count; i++)
		vm_area_free(vm, vm->area[i]);
	kfree(vm->area);
	kfree(vm);
}

void vm_area_free(struct vmspace *vm, struct vm_area *area)
{
	(void)vm;
	if (area->vnode)
		vnode_put(area->vnode);
	if (area->pages)
		shared_pages_put(area->pages);
	kfree(area);
}

struct vm_area *vm_area_copy(struct vmspace *vm, const struct vm_area *from)
{
	struct vm_area *area = kmalloc(vm->account, sizeof(*area));
	if (!area)
		return NULL;
	*area = *from;
	if (area->vnode)
		vnode_get(area->vnode);
	if (area->pages)
		shared_pages_get(area->pages);
	return area;
}

int vm_area_insert(struct vmspace *vm, uint32_t index, struct vm_area *area)
{
	if (vm->area_count == vm->area_room) {
		uint32_t room = vm->area_room ? vm->area_room * 2 : 8;
		struct vm_area **grown =
			krealloc(vm->account, vm->area, room * sizeof(*vm->area));
		if (!grown)
			return -ENOMEM;
		vm->area = grown;
		vm->area_room = room;
	}
	memmove(&vm->area[index + 1], &vm->area[index],
		(vm->area_count - index) * sizeof(*vm->area));
	vm->area[index] = area;
	vm->area_count++;
	return 0;
}

static void areas_remove(struct vmspace *vm, uint32_t index, uint32_t count)
{
	for (uint32_t i = index; i < index + count; i++)
		vm_area_free(vm, vm->area[i]);
	vm->area_count -= count;
	memmove(&vm->area[index], &vm->area[index + count],
		(vm->area_count - index) * sizeof(*vm->area));
}

struct vm_area *vm_find(struct vmspace *vm, uint64_t va, uint32_t *index)
{
	uint32_t low = 0, high = vm->area_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (vm->area[middle]->end <= va)
			low = middle + 1;
		else
			high = middle;
	}
	if (index)
		*index = low;
	return low < vm->area_count ? vm->area[low] : NULL;
}

bool vm_range_mapped(struct vmspace *vm, uint64_t start, uint64_t size)
{
	uint64_t at = start, end = start + size;
	uint32_t i;
	vm_find(vm, start, &i);
	for (; at < end; i++) {
		if (i >= vm->area_count || vm->area[i]->start > at)
			return false;
		at = vm->area[i]->end;
	}
	return true;
}

/* Makes an area begin at va when one holds it in its middle. 0 or -ENOMEM. */
static int split_at(struct vmspace *vm, uint64_t va)
{
	uint32_t i;
	struct vm_area *area = vm_find(vm, va, &i);
	if (!area || area->start >= va)
		return 0;
	if (vm->area_count >= VM_AREAS_MAX)
		return -ENOMEM;
	struct vm_area *upper = vm_area_copy(vm, area);
	if (!upper)
		return -ENOMEM;
	upper->start = va;
	upper->offset += va - area->start;
	if (vm_area_insert(vm, i + 1, upper) < 0) {
		vm_area_free(vm, upper);
		return -ENOMEM;
	}
	area->end = va;
	return 0;
}

int vm_split_range(struct vmspace *vm, uint64_t start, uint64_t end, uint32_t *first)
{
	int rc = split_at(vm, start);
	if (rc == 0)
		rc = split_at(vm, end);
	vm_find(vm, start, first);
	return rc;
}

static bool can_merge(const struct vm_area *a, const struct vm_area *b)
{
	return a->end == b->start && a->prot == b->prot && a->shared == b->shared &&
	       a->stack == b->stack && a->heap == b->heap && a->no_write == b->no_write &&
	       a->grows_down == b->grows_down && a->dont_fork == b->dont_fork &&
	       a->wipe_on_fork == b->wipe_on_fork && a->vnode == b->vnode &&
	       a->pages == b->pages &&
	       ((!a->vnode && !a->pages) || a->offset + (a->end - a->start) == b->offset);
}

void vm_merge_around(struct vmspace *vm, uint64_t start, uint64_t end)
{
	uint32_t i;
	vm_find(vm, start ? start - 1 : 0, &i);
	while (i + 1 < vm->area_count && vm->area[i]->start <= end) {
		struct vm_area *a = vm->area[i], *b = vm->area[i + 1];
		if (!can_merge(a, b)) {
			i++;
			continue;
		}
		a->end = b->end;
		areas_remove(vm, i + 1, 1);
	}
}

uint64_t vm_resident(const struct vmspace *vm)
{
	return vm->pt.resident;
}

uint64_t vm_resident_peak(const struct vmspace *vm)
{
	uint64_t now = vm_resident(vm);
	return now > vm->resident_peak ? now : vm->resident_peak;
}

uint64_t vm_mapped_bytes_peak(const struct vmspace *vm)
{
	return vm->mapped_bytes > vm->mapped_bytes_peak ? vm->mapped_bytes
							: vm->mapped_bytes_peak;
}

void vm_note_peaks(struct vmspace *vm)
{
	vm->resident_peak = vm_resident_peak(vm);
	vm->mapped_bytes_peak = vm_mapped_bytes_peak(vm);
}

static void gather_flush(struct vm_gather *gather)
{
	if (gather->end > gather->start)
		pt_flush(&gather->vm->pt, gather->start, gather->end);
	for (unsigned i = 0; i < gather->count; i++)
		page_put(gather->page[i]);
	gather->count = 0;
	gather->start = gather->end;
}

void vm_gather_page(struct vm_gather *gather, uint64_t va, struct page *page)
{
	pt_unmap(&gather->vm->pt, va, NULL);
	if (gather->count == VM_GATHER_PAGES)
		gather_flush(gather);
	if (gather->end == gather->start)
		gather->start = va;
	gather->end = va + PAGE_SIZE;
	gather->page[gather->count++] = page;
}

void vm_gather_end(struct vm_gather *gather)
{
	gather_flush(gather);
}

static void drop_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	(void)flags;
	vm_gather_page(context, va, page_of_pa(pa));
}

void vm_drop_pages(struct vmspace *vm, uint64_t start, uint64_t end)
{
	struct vm_gather gather = {.vm = vm};
	vm_note_peaks(vm);
	pt_leave(&vm->pt, start, end);
	pt_walk(&vm->pt, start, end, drop_page, &gather);
	vm_gather_end(&gather);
	pt_trim(&vm->pt, start, end);
}

/* Before vm_drop_pages: makes the tables its own that map pages beyond the range too. 0
 * or -ENOMEM. */
static int own_edges(struct vmspace *vm, uint64_t start, uint64_t end)
{
	int rc = start % PT_BLOCK_SIZE ? pt_own(&vm->pt, start, start + PAGE_SIZE) : 0;
	if (rc == 0 && end % PT_BLOCK_SIZE)
		rc = pt_own(&vm->pt, end - PAGE_SIZE, end);
	return rc;
}

bool vm_range_legal(uint64_t start, uint64_t size)
{
	return size <= USER_ADDRESS_END && start <= USER_ADDRESS_END - size;
}

int vm_unmap(struct vmspace *vm, uint64_t start, uint64_t size)
{
	size = PAGE_ROUND_UP(size);
	if ((start & PAGE_MASK) || size == 0 || !vm_range_legal(start, size))
		return -EINVAL;
	uint64_t end = start + size;
	uint32_t i;
	int rc = vm_split_range(vm, start, end, &i);
	if (rc == 0)
		rc = own_edges(vm, start, end);
	if (rc < 0)
		return rc;
	uint32_t count = 0;
	vm_note_peaks(vm);
	for (; i + count < vm->area_count && vm->area[i + count]->start < end; count++)
		vm->mapped_bytes -= vm->area[i + count]->end - vm->area[i + count]->start;
	if (count) {
		areas_remove(vm, i, count);
		vm_drop_pages(vm, start, end);
	}
	return 0;
}

/* The highest hole of size bytes below top; 0: none. */
static uint64_t find_hole(struct vmspace *vm, uint64_t size, uint64_t top)
{
	uint32_t i;
	vm_find(vm, top, &i);
	if (i < vm->area_count && vm->area[i]->start < top)
		top = vm->area[i]->start;
	for (;;) {
		uint64_t bottom = i ? vm->area[i - 1]->end : USER_ADDRESS_START;
		if (top >= bottom && top - bottom >= size)
			return top - size;
		if (i == 0)
			return 0;
		top = vm->area[--i]->start;
	}
}

int vm_choose_address(struct vmspace *vm, const struct vm_request *r, uint64_t size,
		      uint64_t *at)
{
	if (r->fixed) {
		if (!vm_range_legal(r->address, size))
			return -ENOMEM;
		if (r->address & PAGE_MASK)
			return -EINVAL;
		if (r->address < USER_ADDRESS_START)
			return -EPERM; /* as vm.mmap_min_addr */
		*at = r->address;
		struct vm_area *next = vm_find(vm, r->address, NULL);
		if (!next || next->start >= r->address + size)
			return 0;
		return r->no_replace ? -EEXIST : vm_unmap(vm, r->address, size);
	}
	uint64_t hint = PAGE_ROUND_DOWN(r->address);
	if (hint && hint < USER_ADDRESS_START)
		hint = USER_ADDRESS_START;
	if (hint && vm_range_legal(hint, size)) {
		struct vm_area *next = vm_find(vm, hint, NULL);
		if (!next || next->start >= hint + size) {
			*at = hint;
			return 0;
		}
	}
	*at = find_hole(vm, size, r->below ? r->below : vm->mmap_top);
	if (!*at && !r->below)
		*at = find_hole(vm, size, USER_ADDRESS_END);
	return *at ? 0 : -ENOMEM;
}

int vm_map(struct vmspace *vm, const struct vm_request *r, uint64_t *at)
{
	uint64_t size = PAGE_ROUND_UP(r->size);
	if (r->size == 0 || (r->offset & PAGE_MASK))
		return -EINVAL;
	if (size < r->size || size > USER_ADDRESS_END)
		return -ENOMEM;
	if (r->offset + size < r->offset)
		return -EOVERFLOW;
	if (vm->area_count >= VM_AREAS_MAX)
		return -ENOMEM;
	struct vm_area *area = kzalloc(vm->account, sizeof(*area));
	if (!area)
		return -ENOMEM;
	int rc = -ENOMEM;
	if (r->pages) {
		shared_pages_get(r->pages);
		area->pages = r->pages;
	} else if (r->shared && !r->vnode) {
		area->pages = shared_pages_make(vm->account);
		if (!area->pages)
			goto fail;
	}
	rc = vm_choose_address(vm, r, size, at);
	if (rc < 0)
		goto fail;
	area->start = *at;
	area->end = *at + size;
	area->prot = r->prot;
	area->shared = r->shared;
	area->stack = r->stack;
	area->heap = r->heap;
	area->no_write = r->no_write;
	area->grows_down = r->grows_down;
	area->vnode = r->vnode;
	area->offset = r->offset;
	if (area->vnode)
		vnode_get(area->vnode);
	uint32_t i;
	vm_find(vm, *at, &i);
	rc = vm_area_insert(vm, i, area);
	if (rc < 0)
		goto fail;
	vm->mapped_bytes += size;
	if (!area->pages)
		vm_merge_around(vm, *at, *at + size);
	return 0;
fail:
	vm_area_free(vm, area);
	return rc;
}

struct protect_context {
	struct vmspace *vm;
	const struct vm_area *area;
	bool lowered;
};

static void protect_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	struct protect_context *p = context;
	/* Write access comes by a fault where a copy may be due. Without any right
	 * (PROT_NONE) the page stays, out of ring 3's reach. */
	unsigned wanted = p->area->prot;
	if (wanted)
		wanted |= PT_READ; /* the CPU knows no less */
	if (!(flags & PT_WRITE) &&
	    (p->area->shared || !vm_page_is_own(p->vm, page_of_pa(pa))))
		wanted &= ~(unsigned)PT_WRITE;
	if (wanted == flags)
		return;
	pt_protect(&p->vm->pt, va, wanted);
	if (flags & ~wanted)
		p->lowered = true;
}

int vm_protect(struct vmspace *vm, uint64_t start, uint64_t size, uint8_t prot)
{
	if (start & PAGE_MASK)
		return -EINVAL;
	if (size == 0)
		return 0;
	if (!vm_range_legal(start, size))
		return -ENOMEM;
	uint64_t at = start, end = start + PAGE_ROUND_UP(size);
	uint32_t i;
	struct vm_area *area = vm_find(vm, start, &i);
	if (!area || area->start > start)
		return -ENOMEM;
	if (area->end >= end && area->prot == prot)
		return 0;
	int rc = vm_split_range(vm, start, end, &i);
	if (rc < 0)
		return rc;
	struct protect_context context = {vm, NULL, false};
	/* As Linux: on a hole or a refusal, what lies before it has changed. */
	for (; rc == 0 && at < end; i++) {
		area = i < vm->area_count ? vm->area[i] : NULL;
		if (!area || area->start > at) {
			rc = -ENOMEM;
		} else if (area->no_write && (prot & PT_WRITE)) {
			rc = -EACCES;
		} else if (area->prot == prot) {
			at = area->end;
		} else if ((rc = pt_own(&vm->pt, area->start, area->end)) == 0) {
			at = area->end;
			area->prot = prot;
			context.area = area;
			pt_walk(&vm->pt, area->start, area->end, protect_page, &context);
		}
	}
	if (context.lowered)
		pt_flush(&vm->pt, start, at);
	vm_merge_around(vm, start, end);
	return rc;
}

int vm_discard(struct vmspace *vm, uint64_t start, uint64_t size)
{
	uint64_t end = start + PAGE_ROUND_UP(size);
	uint32_t i;
	for (vm_find(vm, start, &i); i < vm->area_count && vm->area[i]->start < end;
	     i++) {
		struct vm_area *area = vm->area[i];
		uint64_t from = area->start > start ? area->start : start;
		uint64_t to = area->end < end ? area->end : end;
		if (own_edges(vm, from, to) < 0)
			return -EAGAIN;
		vm_drop_pages(vm, from, to);
	}
	return vm_range_mapped(vm, start, end - start) ? 0 : -ENOMEM;
}

int vm_set_fork(struct vmspace *vm, uint64_t start, uint64_t size,
		enum vm_fork_policy policy)
{
	uint64_t end = start + PAGE_ROUND_UP(size), at = start;
	uint32_t i;
	int rc = vm_split_range(vm, start, end, &i);
	for (; rc == 0 && i < vm->area_count && vm->area[i]->start < end; i++) {
		struct vm_area *area = vm->area[i];
		if (policy == VM_FORK_WIPE && (area->shared || area->vnode)) {
			rc = -EINVAL;
			break;
		}
		if (policy == VM_FORK_OMIT || policy == VM_FORK_COPY)
			area->dont_fork = policy == VM_FORK_OMIT;
		else
			area->wipe_on_fork = policy == VM_FORK_WIPE;
		at = area->start > at ? at : area->end;
	}
	vm_merge_around(vm, start, end);
	return rc == 0 && at < end ? -ENOMEM : rc;
}

uint64_t vm_brk(struct vmspace *vm, uint64_t wanted)
{
	uint64_t old_end = PAGE_ROUND_UP(vm->brk), new_end = PAGE_ROUND_UP(wanted);
	if (wanted < vm->brk_start || wanted >= USER_ADDRESS_END)
		return vm->brk;
	if (new_end > old_end) {
		struct vm_request request = {.address = old_end,
					     .size = new_end - old_end,
					     .prot = PT_READ | PT_WRITE,
					     .fixed = true,
					     .no_replace = true,
					     .heap = true};
		uint64_t at;
		if (vm_map(vm, &request, &at) < 0)
			return vm->brk;
	} else if (new_end < old_end) {
		if (vm_unmap(vm, new_end, old_end - new_end) < 0)
			return vm->brk;
	}
	return vm->brk = wanted;
}

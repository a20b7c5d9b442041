/* vm_remap.c: mremap: areas that grow, shrink and move with their pages. */
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/mm/vm.h"

struct move_context {
	struct vmspace *vm;
	uint64_t from, to;
	int error;
};

static void move_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	struct move_context *move = context;
	if (move->error)
		return;
	/* Map first: that may need memory, and then the page is still where it was. */
	move->error = pt_map(&move->vm->pt, va - move->from + move->to, pa, flags);
	if (move->error == 0)
		pt_unmap(&move->vm->pt, va, NULL);
}

static int move_pages(struct vmspace *vm, uint64_t from, uint64_t to, uint64_t size)
{
	if (pt_own(&vm->pt, from, from + size) < 0)
		return -ENOMEM;
	struct move_context move = {vm, from, to, 0};
	pt_walk(&vm->pt, from, from + size, move_page, &move);
	if (move.error) {
		struct move_context back = {vm, to, from, 0};
		pt_walk(&vm->pt, to, to + size, move_page, &back);
		KASSERT(back.error == 0); /* the old tables are still there */
	}
	pt_flush(&vm->pt, from, from + size);
	return move.error;
}

struct remap {
	uint64_t old, old_size, new_size;
	unsigned flags;
	uint64_t address; /* exact with VM_REMAP_FIXED, else a hint */
};

/* The new area at *at, the like of the old one from r->old on. */
static int area_duplicate(struct vmspace *vm, const struct remap *r, uint64_t *at)
{
	struct vm_request where = {.address = r->address,
				   .fixed = (r->flags & VM_REMAP_FIXED) != 0};
	int rc = vm_choose_address(vm, &where, r->new_size, at);
	if (rc < 0)
		return rc;
	const struct vm_area *old = vm_find(vm, r->old, NULL);
	struct vm_area *area = vm_area_copy(vm, old);
	if (!area)
		return -ENOMEM;
	area->offset += r->old - old->start;
	area->start = *at;
	area->end = *at + r->new_size;
	area->heap = area->stack = false;
	uint32_t i;
	vm_find(vm, *at, &i);
	rc = vm_area_insert(vm, i, area);
	if (rc < 0)
		vm_area_free(vm, area);
	else
		vm->mapped_bytes += r->new_size;
	return rc;
}

static int remap_move(struct vmspace *vm, struct remap *r, uint64_t *at)
{
	if (vm->area_count + 3 > VM_AREAS_MAX)
		return -ENOMEM;
	int rc = area_duplicate(vm, r, at);
	if (rc < 0)
		return rc;
	uint64_t moved = r->old_size < r->new_size ? r->old_size : r->new_size;
	rc = move_pages(vm, r->old, *at, moved);
	if (rc < 0) {
		vm_unmap(vm, *at, r->new_size);
		return rc;
	}
	if (r->old_size && !(r->flags & VM_REMAP_DONTUNMAP))
		rc = vm_unmap(vm, r->old, r->old_size);
	vm_merge_around(vm, *at, *at + r->new_size);
	return rc;
}

/* In place, when the range ends its area and there is room behind it. */
static bool grow_in_place(struct vmspace *vm, const struct remap *r)
{
	uint32_t i;
	struct vm_area *area = vm_find(vm, r->old, &i);
	uint64_t limit =
		i + 1 < vm->area_count ? vm->area[i + 1]->start : USER_ADDRESS_END;
	if (!r->old_size || area->end != r->old + r->old_size ||
	    !vm_range_legal(r->old, r->new_size) || r->old + r->new_size > limit)
		return false;
	area->end = r->old + r->new_size;
	vm->mapped_bytes += r->new_size - r->old_size;
	vm_merge_around(vm, area->start, area->end);
	return true;
}

static int remap_check(struct vmspace *vm, const struct remap *r)
{
	if ((r->flags & ~7u) || (r->old & PAGE_MASK) || r->new_size == 0)
		return -EINVAL;
	if ((r->flags & (VM_REMAP_FIXED | VM_REMAP_DONTUNMAP)) &&
	    !(r->flags & VM_REMAP_MAYMOVE))
		return -EINVAL;
	if ((r->flags & VM_REMAP_DONTUNMAP) && r->old_size != r->new_size)
		return -EINVAL;
	struct vm_area *area = vm_find(vm, r->old, NULL);
	if (!area || area->start > r->old)
		return -EFAULT;
	if ((r->flags & VM_REMAP_FIXED) &&
	    ((r->address & PAGE_MASK) || !vm_range_legal(r->address, r->new_size) ||
	     (r->address < r->old + r->old_size && r->old < r->address + r->new_size)))
		return -EINVAL;
	if (r->old_size == 0 && !area->shared)
		return -EINVAL;
	/* What shrinks may span areas; what moves or grows is one. */
	bool resized =
		r->new_size > r->old_size || (r->flags & ~(unsigned)VM_REMAP_MAYMOVE);
	uint64_t kept = r->old_size < r->new_size ? r->old_size : r->new_size;
	if (resized && area->end - r->old < kept)
		return -EFAULT;
	return 0;
}

int vm_remap(struct vmspace *vm, uint64_t old, uint64_t old_size, uint64_t new_size,
	     unsigned flags, uint64_t address, uint64_t *at)
{
	struct remap r = {old, PAGE_ROUND_UP(old_size), PAGE_ROUND_UP(new_size), flags,
			  address};
	int rc = remap_check(vm, &r);
	if (rc < 0)
		return rc;
	*at = old;
	if (r.old_size > r.new_size) {
		rc = vm_unmap(vm, old + r.new_size, r.old_size - r.new_size);
		if (rc < 0)
			return rc;
		r.old_size = r.new_size;
	}
	if (!(flags & (VM_REMAP_FIXED | VM_REMAP_DONTUNMAP))) {
		if (r.new_size == r.old_size || grow_in_place(vm, &r))
			return 0;
		if (!(flags & VM_REMAP_MAYMOVE))
			return -ENOMEM;
		r.address = 0;
	}
	return remap_move(vm, &r, at);
}

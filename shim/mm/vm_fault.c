/* vm_fault.c: filling in the pages of an address space when they are first touched, and
 * giving a private page its own copy when it is first written. */
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"
#include "shim/vfs/vnode.h"

/* A read fault on a packed file maps this many pages around it: they are in memory
 * anyway, and a fault costs more than some hundred page table entries. */
#define FAULT_AROUND_PAGES 128u
#define STACK_GUARD_GAP    (1ull << 20)

/* What may be written may be read: so it is with the CPU, and Linux on it. */
static unsigned read_only(const struct vm_area *area)
{
	return (area->prot & ~(unsigned)PT_WRITE) | PT_READ;
}

/* Maps a page whose reference passes to the table. */
static enum vm_fault_result install(struct vmspace *vm, uint64_t va, struct page *page,
				    unsigned rights)
{
	if (pt_map(&vm->pt, va, page_pa(page), rights) == 0)
		return VM_OK;
	page_put(page);
	return VM_NO_MEMORY;
}

static enum vm_fault_result object_page(struct vm_area *area, uint64_t va, bool write,
					struct page **page)
{
	uint64_t offset = area->offset + (va - area->start);
	if (area->pages) {
		*page = shared_pages_page(area->pages, offset >> PAGE_SHIFT);
		return *page ? VM_OK : VM_NO_MEMORY;
	}
	int rc = vnode_page(area->vnode, offset >> PAGE_SHIFT, write, page);
	if (rc == 0)
		return VM_OK;
	return rc == -ENOMEM ? VM_NO_MEMORY : VM_PAST_END;
}

/* A page of this address space alone with the bytes of from (NULL: zero). */
static enum vm_fault_result install_copy(struct vmspace *vm, struct vm_area *area,
					 uint64_t va, const struct page *from)
{
	struct page *page = page_alloc(vm->account, 0, !from);
	if (!page)
		return VM_NO_MEMORY;
	if (from)
		memcpy(page_va(page), page_va(from), PAGE_SIZE);
	return install(vm, va, page, area->prot);
}

/* The pages around va of a packed file that nobody has changed. */
static void map_around(struct vmspace *vm, struct vm_area *area, uint64_t va)
{
	uint64_t block = (uint64_t)FAULT_AROUND_PAGES * PAGE_SIZE;
	uint64_t start = va & ~(block - 1), end = start + block;
	size_t size;
	const uint8_t *bytes = vnode_image_bytes(area->vnode, &size);
	if (!bytes)
		return;
	if (start < area->start)
		start = area->start;
	if (end > area->end)
		end = area->end;
	uint64_t offset = area->offset + (start - area->start);
	uint64_t file_end = start + (PAGE_ROUND_UP(size) - offset);
	if (end > file_end)
		end = file_end;
	/* Pages of the image are not counted. Without memory for a table they fault in
	 * one by one. */
	(void)pt_map_missing(&vm->pt, start, end, virt_to_phys(bytes + offset),
			     read_only(area));
}

static enum vm_fault_result fill_private(struct vmspace *vm, struct vm_area *area,
					 uint64_t va, bool write)
{
	if (!area->vnode) {
		if (write)
			return install_copy(vm, area, va, NULL);
		return install(vm, va, page_zeros(), read_only(area));
	}
	struct page *page;
	enum vm_fault_result result = object_page(area, va, false, &page);
	if (result != VM_OK)
		return result;
	if (write) {
		result = install_copy(vm, area, va, page);
		page_put(page);
		return result;
	}
	bool packed = page->flags & PAGE_IMAGE;
	result = install(vm, va, page, read_only(area));
	if (result == VM_OK && packed)
		map_around(vm, area, va);
	return result;
}

static enum vm_fault_result fill_shared(struct vmspace *vm, struct vm_area *area,
					uint64_t va, bool write)
{
	/* A packed file that nobody has changed can be mapped from the image for reading.
	 * Of any other the page must be the upper layer's own at once, so that later
	 * writes by others show. */
	bool own = write || area->pages || (area->prot & PT_WRITE);
	size_t size;
	if (!own && !vnode_image_bytes(area->vnode, &size))
		own = true;
	struct page *page;
	enum vm_fault_result result = object_page(area, va, own, &page);
	if (result != VM_OK)
		return result;
	if (write && area->vnode)
		vnode_written(area->vnode);
	return install(vm, va, page, own ? area->prot : read_only(area));
}

bool vm_page_is_own(const struct vmspace *vm, const struct page *page)
{
	return !(page->flags & PAGE_IMAGE) && page->refs == 1 &&
	       page->account == vm->account;
}

/* A write to a private page that is there without write access. */
static enum vm_fault_result copy_on_write(struct vmspace *vm, struct vm_area *area,
					  uint64_t va, paddr_t pa)
{
	struct page *old = page_of_pa(pa);
	if (pt_own(&vm->pt, va, va + PAGE_SIZE) < 0)
		return VM_NO_MEMORY;
	if (vm_page_is_own(vm, old)) {
		pt_protect(&vm->pt, va, area->prot);
		pt_flush_here(&vm->pt, va, va + PAGE_SIZE);
		return VM_OK;
	}
	enum vm_fault_result result =
		install_copy(vm, area, va, old == page_zeros() ? NULL : old);
	if (result == VM_OK) {
		pt_flush(&vm->pt, va, va + PAGE_SIZE);
		page_put(old);
	}
	return result;
}

/* A touch below an area that grows down: extends it, but not to within a mebibyte of what
 * is below, nor beyond the size of a stack (Linux' stack_guard_gap and RLIMIT_STACK). */
static bool grow_down(struct vmspace *vm, uint32_t index, uint64_t va)
{
	struct vm_area *area = vm->area[index];
	uint64_t below = index ? vm->area[index - 1]->end : USER_ADDRESS_START;
	if (!area->grows_down || va < below + STACK_GUARD_GAP ||
	    area->end - va > VM_STACK_SIZE)
		return false;
	vm->mapped_bytes += area->start - va;
	area->start = va;
	return true;
}

enum vm_fault_result vm_fault(struct vmspace *vm, uint64_t va, enum vm_access access)
{
	va = PAGE_ROUND_DOWN(va);
	uint32_t index;
	struct vm_area *area = vm_find(vm, va, &index);
	if (!area || (area->start > va && !grow_down(vm, index, va)))
		return VM_UNMAPPED;
	bool write = access == VM_WRITE;
	if (access == VM_READ ? area->prot == 0 : !(area->prot & access))
		return VM_FORBIDDEN;
	unsigned rights;
	paddr_t pa = pt_lookup(&vm->pt, va, &rights);
	if (!pa)
		return area->shared ? fill_shared(vm, area, va, write)
				    : fill_private(vm, area, va, write);
	if (write && !(rights & PT_WRITE) && !area->shared)
		return copy_on_write(vm, area, va, pa);
	if (write && !(rights & PT_WRITE)) {
		/* Shared, mapped for reading: the writable page may be another one. */
		vm_drop_pages(vm, va, va + PAGE_SIZE);
		return fill_shared(vm, area, va, true);
	}
	/* Already right: a stale translation, or rights that grew (SDM 3, 4.10.4.3). */
	if (!write && (rights | read_only(area)) != rights) {
		if (pt_own(&vm->pt, va, va + PAGE_SIZE) < 0)
			return VM_NO_MEMORY;
		pt_protect(&vm->pt, va, rights | read_only(area));
	}
	pt_flush_here(&vm->pt, va, va + PAGE_SIZE);
	return VM_OK;
}

enum vm_fault_result vm_populate(struct vmspace *vm, uint64_t start, uint64_t size,
				 bool write)
{
	for (uint64_t at = PAGE_ROUND_DOWN(start), end = start + size; at < end;
	     at += PAGE_SIZE) {
		unsigned rights;
		struct vm_area *area = vm_find(vm, at, NULL);
		if (!area || area->start > at)
			return VM_UNMAPPED;
		enum vm_access access =
			write && (area->prot & PT_WRITE) ? VM_WRITE : VM_READ;
		if (pt_lookup(&vm->pt, at, &rights) && (rights & access))
			continue;
		enum vm_fault_result result = vm_fault(vm, at, access);
		if (result != VM_OK)
			return result;
	}
	return VM_OK;
}

int vm_write(struct vmspace *vm, uint64_t va, const void *from, uint64_t size)
{
	const uint8_t *bytes = from;
	while (size) {
		unsigned rights;
		paddr_t pa = pt_lookup(&vm->pt, va, &rights);
		if (!pa || !(rights & PT_WRITE)) {
			if (vm_fault(vm, va, VM_WRITE) != VM_OK)
				return -EFAULT;
			pa = pt_lookup(&vm->pt, va, &rights);
		}
		uint64_t in_page = va & PAGE_MASK, n = PAGE_SIZE - in_page;
		if (n > size)
			n = size;
		memcpy((uint8_t *)phys_to_virt(PAGE_ROUND_DOWN(pa)) + in_page, bytes, n);
		va += n;
		bytes += n;
		size -= n;
	}
	return 0;
}

paddr_t vm_frame(struct vmspace *vm, uint64_t va)
{
	paddr_t pa = pt_lookup(&vm->pt, va, NULL);
	if (!pa && vm_fault(vm, va, VM_READ) == VM_OK)
		pa = pt_lookup(&vm->pt, va, NULL);
	return pa ? PAGE_ROUND_DOWN(pa) | (va & PAGE_MASK) : 0;
}

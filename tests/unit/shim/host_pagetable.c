/* host_pagetable.c: page tables as a flat array per space, and a file, for the vm tests.
 */
#include "host_pagetable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_machine.h"
#include "shim/lib/random.h"
#include "shim/vfs/vnode.h"

#define ENTRIES 4096u
struct entry {
	uint64_t va;
	paddr_t pa; /* 0: free */
	unsigned flags;
};

uint64_t host_pt_maps_left = UINT64_MAX;

static struct entry **entries_of(const struct pagetable *pt)
{
	return phys_to_virt(pt->root); /* the root page holds a pointer to the array */
}

int pt_init(struct pagetable *pt, struct account *account)
{
	struct page *root = page_alloc(account, 0, true);
	if (!root)
		return -ENOMEM;
	pt->root = page_pa(root);
	pt->account = account;
	pt->mapped = 0;
	*entries_of(pt) = calloc(ENTRIES, sizeof(struct entry));
	return 0;
}

void pt_free(struct pagetable *pt)
{
	free(*entries_of(pt));
	page_put(page_of_pa(pt->root));
}

static struct entry *find(const struct pagetable *pt, uint64_t va)
{
	struct entry *e = *entries_of(pt);
	for (unsigned i = 0; i < ENTRIES; i++)
		if (e[i].pa && e[i].va == va)
			return &e[i];
	return NULL;
}

int pt_map(struct pagetable *pt, uint64_t va, paddr_t pa, unsigned flags)
{
	struct entry *e = find(pt, va);
	assert_int_equal(va & PAGE_MASK, 0);
	assert_true(pa != 0);
	if (!e && host_pt_maps_left == 0) {
		host_pt_maps_left = UINT64_MAX;
		return -ENOMEM;
	}
	if (!e) {
		if (host_pt_maps_left != UINT64_MAX)
			host_pt_maps_left--;
		for (e = *entries_of(pt); e->pa; e++)
			assert_true(e < *entries_of(pt) + ENTRIES - 1);
		pt->mapped++;
	}
	*e = (struct entry){va, pa, flags};
	return 0;
}

int pt_map_missing(struct pagetable *pt, uint64_t start, uint64_t end, paddr_t pa,
		   unsigned flags)
{
	int rc = 0;
	for (uint64_t va = start; !rc && va < end; va += PAGE_SIZE, pa += PAGE_SIZE)
		if (!find(pt, va))
			rc = pt_map(pt, va, pa, flags);
	return rc;
}

paddr_t pt_unmap(struct pagetable *pt, uint64_t va, bool *dirty)
{
	struct entry *e = find(pt, va);
	paddr_t pa = e ? e->pa : 0;
	if (dirty)
		*dirty = true;
	if (e) {
		e->pa = 0;
		pt->mapped--;
	}
	return pa;
}

bool pt_protect(struct pagetable *pt, uint64_t va, unsigned flags)
{
	struct entry *e = find(pt, va);
	if (e)
		e->flags = flags;
	return e != NULL;
}

paddr_t pt_lookup(const struct pagetable *pt, uint64_t va, unsigned *flags)
{
	struct entry *e = find(pt, va & ~PAGE_MASK);
	if (e && flags)
		*flags = e->flags;
	return e ? e->pa : 0;
}

void pt_walk(struct pagetable *pt, uint64_t start, uint64_t end,
	     void (*visit)(void *context, uint64_t va, paddr_t pa, unsigned flags),
	     void *context)
{
	struct entry *e = *entries_of(pt);
	for (unsigned i = 0; i < ENTRIES; i++)
		if (e[i].pa && e[i].va >= start && e[i].va < end)
			visit(context, e[i].va, e[i].pa, e[i].flags);
}

void pt_trim(struct pagetable *pt, uint64_t start, uint64_t end)
{
	(void)pt;
	(void)start;
	(void)end;
}

void pt_flush_here(const struct pagetable *pt, uint64_t start, uint64_t end)
{
	(void)pt;
	(void)start;
	(void)end;
}

void pt_flush(struct pagetable *pt, uint64_t start, uint64_t end)
{
	(void)pt;
	(void)start;
	(void)end;
}

uint64_t random_u64(void)
{
	static uint64_t state = 88172645463325252ull;
	return (uint64_t)random_below(&state, UINT32_MAX) << 20;
}

struct vnode {
	uint32_t refs;
	struct page *page[FILE_PAGES];
};

struct vnode *host_file_make(void)
{
	struct vnode *file = calloc(1, sizeof(*file));
	file->refs = 1;
	for (uint32_t i = 0; i < FILE_PAGES; i++) {
		file->page[i] = page_alloc(&kernel_account, 0, true);
		*(uint64_t *)page_va(file->page[i]) = FILE_WORD(i);
	}
	return file;
}

uint32_t host_file_refs(const struct vnode *file)
{
	return file->refs;
}

void host_file_free(struct vnode *file)
{
	for (uint32_t i = 0; i < FILE_PAGES; i++) {
		assert_int_equal(file->page[i]->refs, 1);
		page_put(file->page[i]);
	}
	free(file);
}

void vnode_get(struct vnode *vnode)
{
	vnode->refs++;
}

void vnode_put(struct vnode *vnode)
{
	vnode->refs--;
}

int vnode_page(struct vnode *vnode, uint64_t index, bool write, struct page **out)
{
	(void)write;
	if (index >= FILE_PAGES)
		return -ENXIO;
	*out = vnode->page[index];
	page_get(*out);
	return 0;
}

bool vnode_has_page(const struct vnode *vnode, uint64_t index, const struct page *page)
{
	return index < FILE_PAGES && vnode->page[index] == page;
}

void vnode_written(struct vnode *vnode)
{
	(void)vnode;
}

const void *vnode_image_bytes(struct vnode *vnode, size_t *size)
{
	(void)vnode;
	*size = 0;
	return NULL;
}

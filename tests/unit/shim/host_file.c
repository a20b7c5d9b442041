/* host_file.c: a file for the vm tests, and their random numbers. */
#include "host_file.h"

#include <errno.h>
#include <stdlib.h>

#include "host_machine.h"
#include "shim/lib/random.h"
#include "shim/vfs/vnode.h"

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

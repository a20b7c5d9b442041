/* kmem.c: slabs of one page each. What is known of a slab is in its struct page, so
 * objects fill their page from its first byte; free objects are chained through their
 * first word. A slab with room is in its account's list, a full one in none. */
#include "shim/mm/kmem.h"

#include "shim/lib/print.h"
#include "shim/mm/page.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

static const uint16_t class_bytes[KMEM_CLASSES] = {16,  32,  48,  64,  96,   128,
						   192, 256, 384, 512, 1024, 2048};
#define SLAB_BYTES_MAX 2048u

static unsigned class_of(size_t size)
{
	unsigned index = size <= 64 ? 0 : size <= 256 ? 4 : 8;
	while (class_bytes[index] < size)
		index++;
	return index;
}

/* Of the smallest block of pages that holds size; above PAGE_ORDER_MAX: none does. */
static unsigned order_of(size_t size)
{
	unsigned order = 0;
	while (order <= PAGE_ORDER_MAX && PAGE_SIZE << order < size)
		order++;
	return order;
}

static uint32_t slab_objects(const struct page *slab)
{
	return (uint32_t)PAGE_SIZE / class_bytes[slab->slab_class];
}

static struct page *slab_make(struct account *account, unsigned index)
{
	struct page *slab = page_alloc(account, 0, false);
	if (!slab)
		return NULL;
	slab->flags |= PAGE_SLAB;
	slab->slab_class = (uint16_t)index;
	slab->slab_free = NULL;
	slab->slab_used = slab->slab_carved = 0;
	list_prepend(&account->slabs[index], &slab->link);
	return slab;
}

void *kmalloc(struct account *account, size_t size)
{
	if (size > SLAB_BYTES_MAX) {
		struct page *block = page_alloc(account, order_of(size), false);
		return block ? page_va(block) : NULL;
	}
	unsigned index = class_of(size);
	struct list *with_room = &account->slabs[index];
	struct page *slab = list_empty(with_room)
				    ? slab_make(account, index)
				    : list_entry(with_room->next, struct page, link);
	if (!slab)
		return NULL;
	void *object = slab->slab_free;
	if (object)
		slab->slab_free = *(void **)object;
	else
		object = (char *)page_va(slab) + class_bytes[index] * slab->slab_carved++;
	if (++slab->slab_used == slab_objects(slab))
		list_remove(&slab->link);
	return object;
}

void *kzalloc(struct account *account, size_t size)
{
	void *object = kmalloc(account, size);
	if (object)
		memset(object, 0, size);
	return object;
}

void kfree(void *object)
{
	if (!object)
		return;
	struct page *slab = page_of_va(object);
	if (!(slab->flags & PAGE_SLAB)) {
		KASSERT(((uintptr_t)object & PAGE_MASK) == 0);
		page_put(slab);
		return;
	}
	KASSERT(slab->slab_used > 0 &&
		((uintptr_t)object & PAGE_MASK) % class_bytes[slab->slab_class] == 0);
	if (slab->slab_used-- == slab_objects(slab))
		list_prepend(&slab->account->slabs[slab->slab_class], &slab->link);
	if (slab->slab_used == 0) {
		list_remove(&slab->link);
		page_put(slab);
		return;
	}
	*(void **)object = slab->slab_free;
	slab->slab_free = object;
}

size_t kmem_size(const void *object)
{
	const struct page *page = page_of_va(object);
	return page->flags & PAGE_SLAB ? class_bytes[page->slab_class]
				       : (size_t)PAGE_SIZE << page->order;
}

void *krealloc(struct account *account, void *object, size_t size)
{
	if (!object)
		return kmalloc(account, size);
	size_t have = kmem_size(object);
	if (size <= have && size > have / 2)
		return object;
	void *moved = kmalloc(account, size);
	if (!moved)
		return size <= have ? object : NULL;
	memcpy(moved, object, size < have ? size : have);
	kfree(object);
	return moved;
}

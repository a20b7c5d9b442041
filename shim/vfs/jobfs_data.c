/* jobfs_data.c: the bytes of a job's regular files: pages of the upper layer in a tree of
 * 64-way tables, over the image's bytes, over holes.
 *
 * A slot of the tree holds a page; or the zero page, which makes a hole in the image's
 * bytes and counts as no page; or a page with the lowest bit of its address set:
 * fallocate's, not written yet, zeros. */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/lib/print.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"
#include "shim/proc/process.h"
#include "shim/vfs/jobfs.h"

/* A tree of height h holds pages [0, 64^h); height 0 is one page without a table. */
#define FAN_BITS 6u
#define FAN      (1u << FAN_BITS)

struct fan {
	void *slot[FAN]; /* struct fan, or a page's at height 1 */
};

static bool within(unsigned height, uint64_t index)
{
	return height * FAN_BITS >= 64 || index >> height * FAN_BITS == 0;
}

static void *find(const struct node *node, uint64_t index)
{
	if (!node->pages || !within(node->pages_height, index))
		return NULL;
	void *at = node->pages;
	for (unsigned h = node->pages_height; h > 0 && at; h--)
		at = ((struct fan *)at)->slot[index >> (h - 1) * FAN_BITS & (FAN - 1)];
	return at;
}

static bool is_unwritten(const void *slot)
{
	return (uintptr_t)slot & 1;
}

static struct page *slot_page(void *slot)
{
	return (struct page *)((uintptr_t)slot & ~(uintptr_t)1);
}

bool data_has_page(const struct node *node, uint64_t index, const struct page *page)
{
	return slot_page(find(node, index)) == page;
}

static struct page *zero_page(void)
{
	static struct page *page;
	if (!page) {
		page = page_alloc(&kernel_account, 0, true);
		if (!page)
			panic("no memory for the page behind holes");
		page->flags |= PAGE_IMAGE; /* shared by all, never counted */
	}
	return page;
}

/* Makes the tree reach index; *slot is where its page belongs. */
static int reach(struct node *node, uint64_t index, void ***slot)
{
	struct account *account = node->vnode.root->account;
	while (!within(node->pages_height, index)) {
		if (node->pages) {
			struct fan *fan = kzalloc(account, sizeof(*fan));
			if (!fan)
				return -ENOMEM;
			fan->slot[0] = node->pages;
			node->pages = fan;
		}
		node->pages_height++;
	}
	void **at = &node->pages;
	for (unsigned h = node->pages_height; h > 0; h--) {
		if (!*at)
			*at = kzalloc(account, sizeof(struct fan));
		if (!*at)
			return -ENOMEM;
		at = &((struct fan *)*at)->slot[index >> (h - 1) * FAN_BITS & (FAN - 1)];
	}
	*slot = at;
	return 0;
}

static uint64_t lower_pages(const struct node *node)
{
	return (node->lower_size + PAGE_MASK) / PAGE_SIZE;
}

static const uint8_t *lower_page(const struct node *node, uint64_t index)
{
	return index < lower_pages(node) ? node->lower + index * PAGE_SIZE : NULL;
}

uint64_t data_pages(const struct node *node)
{
	return node->pages_count + lower_pages(node) - node->lower_covered;
}

/* Is there anything but a hole? */
static bool is_data(const struct node *node, uint64_t index)
{
	void *slot = find(node, index);
	return slot ? slot != zero_page() && !is_unwritten(slot)
		    : lower_page(node, index) != NULL;
}

/* Pages [first, end) are others now: mappings of them, which only this job can have, go.
 */
static void unmap(struct node *node, uint64_t first, uint64_t end, bool copies)
{
	if (!node->vnode.mapped)
		return;
	list_for_each(process, &job_current()->processes, struct process, job_link)
		if (process->vm)
			vm_forget_file(process->vm, &node->vnode, first, end, copies);
}

/* A page of the upper layer at index, where none was: a copy of the page below, or zeros.
 */
static int make_page(struct node *node, uint64_t index, bool unwritten, struct page **out)
{
	struct rootfs *root = node->vnode.root;
	void **slot;
	if (root->pages_used >= root->pages_limit)
		return -ENOSPC;
	int rc = reach(node, index, &slot);
	if (rc < 0)
		return rc;
	const uint8_t *lower = *slot ? NULL : lower_page(node, index);
	struct page *page = page_alloc(root->account, 0, !lower);
	if (!page)
		return -ENOMEM;
	if (lower)
		memcpy(page_va(page), lower, PAGE_SIZE);
	node->lower_covered += lower != NULL;
	*slot = (void *)((uintptr_t)page | unwritten);
	root->pages_used++;
	node->pages_count++;
	node->data_changed = true;
	unmap(node, index, index + 1, false);
	*out = page;
	return 0;
}

static int written_page(struct node *node, uint64_t index, struct page **out)
{
	void *slot = find(node, index);
	if (!slot || slot == zero_page())
		return make_page(node, index, false, out);
	*out = slot_page(slot);
	if (!is_unwritten(slot))
		return 0;
	void **at;
	int rc = reach(node, index, &at);
	if (rc == 0)
		*at = *out;
	return rc;
}

int data_page(struct node *node, uint64_t index, bool write, struct page **out)
{
	if (write)
		return written_page(node, index, out);
	*out = slot_page(find(node, index));
	if (*out)
		return 0;
	const uint8_t *lower = lower_page(node, index);
	*out = lower ? page_of_va(lower) : zero_page();
	return 0;
}

int data_allocate(struct node *node, uint64_t index)
{
	struct page *page;
	void *slot = find(node, index);
	if (slot &&
	    slot != zero_page()) /* a second time makes it data, as on Linux' tmpfs */
		return written_page(node, index, &page);
	return make_page(node, index, slot || !lower_page(node, index), &page);
}

static void drop_page(struct node *node, void *slot, uint64_t index)
{
	node->lower_covered -= lower_page(node, index) != NULL;
	if (slot == zero_page())
		return;
	page_put(slot_page(slot));
	node->pages_count--;
	node->vnode.root->pages_used--;
}

/* An unwritten page goes, and what it was made over is seen again: a hole. */
static void drop_unwritten(struct node *node, void **slot, uint64_t index)
{
	bool covers = lower_page(node, index) != NULL;
	drop_page(node, *slot, index);
	*slot = covers ? zero_page() : NULL;
	node->lower_covered += covers;
}

/* Drops the pages of [start, end) from the tree at *slot, whose first page is base; or
 * only those not written yet. */
static void drop_range(struct node *node, void **slot, unsigned height, uint64_t base,
		       uint64_t start, uint64_t end, bool unwritten)
{
	if (!*slot)
		return;
	if (height == 0 && unwritten) {
		if (is_unwritten(*slot))
			drop_unwritten(node, slot, base);
		return;
	}
	if (height == 0) {
		drop_page(node, *slot, base);
		*slot = NULL;
		return;
	}
	struct fan *fan = *slot;
	unsigned shift = (height - 1) * FAN_BITS;
	bool any = false;
	for (uint64_t i = 0; i < FAN; i++) {
		uint64_t first = base + (i << shift),
			 last = first + ((1ull << shift) - 1);
		if (fan->slot[i] && first < end && last >= start)
			drop_range(node, &fan->slot[i], height - 1, first, start, end,
				   unwritten);
		any = any || fan->slot[i];
	}
	if (!any) {
		kfree(fan);
		*slot = NULL;
	}
}

static void drop(struct node *node, uint64_t start, uint64_t end, bool unwritten)
{
	if (start >= end || (node->pages_height == 0 && start > 0))
		return;
	drop_range(node, &node->pages, node->pages_height, 0, start, end, unwritten);
	if (!node->pages)
		node->pages_height = 0;
}

void data_unallocate(struct node *node, uint64_t start, uint64_t end)
{
	unmap(node, start, end, false);
	drop(node, start, end, true);
}

void data_free(struct node *node)
{
	drop(node, 0, UINT64_MAX, false);
}

/* Zeroes bytes [from, to) of one page, if there is anything but zeros. */
static int clear_part(struct node *node, uint64_t from, uint64_t to)
{
	uint64_t index = from >> PAGE_SHIFT;
	struct page *page;
	if (from >= to || !is_data(node, index))
		return 0;
	int rc = data_page(node, index, true, &page);
	if (rc == 0)
		memset((char *)page_va(page) + (from & PAGE_MASK), 0, to - from);
	return rc;
}

int data_truncate(struct node *node, uint64_t size)
{
	if (size <= node->size) {
		uint64_t tail = PAGE_ROUND_UP(size);
		int rc = clear_part(node, size, tail < node->size ? tail : node->size);
		if (rc < 0)
			return rc;
		drop(node, tail >> PAGE_SHIFT, UINT64_MAX, false);
		unmap(node, tail >> PAGE_SHIFT, UINT64_MAX, true);
		if (node->lower_size > size)
			node->lower_size = size;
	}
	node->data_changed = node->data_changed || size != node->size;
	node->size = size;
	return 0;
}

/* Holes over packed bytes, page by page: where memory ends, what follows is as it was. */
static int cover_lower(struct node *node, uint64_t start, uint64_t end)
{
	for (uint64_t index = start; index < end && lower_page(node, index); index++) {
		void **slot;
		int rc = reach(node, index, &slot);
		if (rc < 0)
			return rc;
		if (*slot)
			drop_page(node, *slot, index);
		*slot = zero_page();
		node->lower_covered++;
	}
	return 0;
}

int data_punch(struct node *node, uint64_t start, uint64_t end)
{
	uint64_t first = PAGE_ROUND_UP(start), last = PAGE_ROUND_DOWN(end);
	node->data_changed = true;
	if (first > last)
		return clear_part(node, start, end);
	int rc = clear_part(node, start, first);
	if (rc == 0)
		rc = clear_part(node, last, end);
	if (rc < 0)
		return rc;
	first >>= PAGE_SHIFT;
	last >>= PAGE_SHIFT;
	unmap(node, first, last, false);
	rc = cover_lower(node, first, last);
	if (rc < 0)
		return rc;
	if (first < lower_pages(node))
		first = lower_pages(node);
	drop(node, first, last, false);
	return 0;
}

/* Smallest index >= from that has a page in the tree at slot; UINT64_MAX: none. */
static uint64_t next_page(void *slot, unsigned height, uint64_t base, uint64_t from)
{
	if (!slot)
		return UINT64_MAX;
	if (height == 0)
		return base >= from ? base : UINT64_MAX;
	unsigned shift = (height - 1) * FAN_BITS;
	for (uint64_t i = 0; i < FAN; i++) {
		uint64_t first = base + (i << shift),
			 last = first + ((1ull << shift) - 1);
		if (last < from)
			continue;
		uint64_t found =
			next_page(((struct fan *)slot)->slot[i], height - 1, first, from);
		if (found != UINT64_MAX)
			return found;
	}
	return UINT64_MAX;
}

uint64_t data_seek(const struct node *node, uint64_t from, bool data)
{
	while (is_data(node, from) != data) {
		from++;
		if (data && from >= lower_pages(node))
			from = next_page(node->pages, node->pages_height, 0, from);
		if (from == UINT64_MAX)
			break;
	}
	return from;
}

/* page.c: a binary buddy allocator over the frames of RAM. A free block is known by its
 * first frame alone, so giving the allocator a gigabyte at boot touches a few hundred
 * entries.
 *
 * Single pages are what nearly everybody wants: those put back last wait in a short
 * stack, warm in the cache and not joined to their buddies, for the next who asks. */
#include "shim/mm/page.h"

#include "shim/lib/print.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

#define STACK_PAGES_MAX 512u

static struct list free_blocks[PAGE_ORDER_MAX + 1];
static struct list stack;
static uint64_t stack_pages;
uint64_t page_frame_count;
paddr_t page_zeros_pa;
static uint64_t total_pages, free_pages, reserve_pages;

static inline uint64_t frame_of(const struct page *page)
{
	return (uint64_t)(page - page_array);
}

static void block_free(struct page *page, unsigned order)
{
	uint64_t frame = frame_of(page);
	for (; order < PAGE_ORDER_MAX; order++) {
		uint64_t buddy = frame ^ 1ull << order;
		if (buddy + (1ull << order) > page_frame_count)
			break;
		struct page *other = &page_array[buddy];
		if (!(other->flags & PAGE_FREE) || other->order != order)
			break;
		list_remove(&other->link);
		other->flags = 0;
		frame &= ~(1ull << order);
	}
	page = &page_array[frame];
	page->flags = PAGE_FREE;
	page->order = (uint8_t)order;
	list_prepend(&free_blocks[order], &page->link);
}

static struct page *block_take(unsigned order)
{
	unsigned have = order;
	while (have <= PAGE_ORDER_MAX && list_empty(&free_blocks[have]))
		have++;
	if (have > PAGE_ORDER_MAX)
		return NULL;
	struct page *page = list_entry(free_blocks[have].next, struct page, link);
	list_remove(&page->link);
	while (have > order) {
		struct page *upper = page + (1ull << --have);
		upper->flags = PAGE_FREE;
		upper->order = (uint8_t)have;
		list_prepend(&free_blocks[have], &upper->link);
	}
	return page;
}

static struct page *stack_take(void)
{
	struct page *page = list_entry(stack.next, struct page, link);
	list_remove(&page->link);
	stack_pages--;
	return page;
}

static struct page *take(unsigned order)
{
	if (order == 0 && stack_pages)
		return stack_take();
	struct page *page = block_take(order);
	if (page || order == 0 || !stack_pages)
		return page;
	while (stack_pages)
		block_free(stack_take(), 0);
	return block_take(order);
}

struct page *page_alloc(struct account *account, unsigned order, bool zero)
{
	uint64_t pages = 1ull << order;
	uint64_t keep = account->uses_reserve ? 0 : reserve_pages;
	struct page *page = NULL;
	if (order <= PAGE_ORDER_MAX && account->limit_pages >= pages &&
	    account->used_pages <= account->limit_pages - pages &&
	    free_pages >= keep + pages)
		page = take(order);
	if (!page) {
		account->refused = true;
		return NULL;
	}
	free_pages -= pages;
	account->used_pages += pages;
	if (account->peak_pages < account->used_pages)
		account->peak_pages = account->used_pages;
	page->refs = 1;
	page->flags = 0;
	page->order = (uint8_t)order;
	page->account = account;
	if (zero)
		memset(page_va(page), 0, PAGE_SIZE << order);
	return page;
}

void page_get(struct page *page)
{
	if (!(page->flags & PAGE_IMAGE))
		page->refs++;
}

void page_put(struct page *page)
{
	if (page->flags & PAGE_IMAGE)
		return;
	KASSERT(page->refs > 0);
	if (--page->refs)
		return;
	uint64_t pages = 1ull << page->order;
	KASSERT(page->account->used_pages >= pages);
	page->account->used_pages -= pages;
	page->flags = 0;
	page->account = NULL;
	free_pages += pages;
	if (page->order == 0 && stack_pages < STACK_PAGES_MAX) {
		list_prepend(&stack, &page->link);
		stack_pages++;
		return;
	}
	block_free(page, page->order);
}

struct page *page_zeros(void)
{
	if (page_zeros_pa)
		return page_of_pa(page_zeros_pa);
	struct page *page = page_alloc(&kernel_account, 0, true);
	if (!page)
		panic("no memory for the page of zeros");
	page->flags |= PAGE_IMAGE;
	page_zeros_pa = page_pa(page);
	return page;
}

uint64_t page_count_total(void)
{
	return total_pages;
}

uint64_t page_count_free(void)
{
	return free_pages;
}

void page_init(uint64_t frames)
{
	page_frame_count = frames;
	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
		list_init(&free_blocks[order]);
	list_init(&stack);
	page_zeros_pa = 0;
	stack_pages = total_pages = free_pages = reserve_pages = 0;
	account_init(&kernel_account, "kernel", UINT64_MAX);
	kernel_account.uses_reserve = true;
}

/* RAM below 4 GiB ends here: above it lies the hole for devices. */
static paddr_t low_end;

static void low_end_note(paddr_t end)
{
	if (end <= 1ull << 32 && end > low_end)
		low_end = end;
}

paddr_t page_low_end(void)
{
	return low_end;
}

void page_give(paddr_t start, paddr_t end)
{
	low_end_note(end);
	uint64_t frame = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	if (frame == 0)
		frame = 1; /* physical address 0 means "none" to those who map pages */
	while (frame < last) {
		unsigned order = PAGE_ORDER_MAX;
		while (frame & ((1ull << order) - 1) || frame + (1ull << order) > last)
			order--;
		total_pages += 1ull << order;
		free_pages += 1ull << order;
		block_free(&page_array[frame], order);
		frame += 1ull << order;
	}
}

void page_mark_image(paddr_t start, paddr_t end)
{
	low_end_note(end);
	for (uint64_t frame = start >> PAGE_SHIFT; frame < end >> PAGE_SHIFT; frame++) {
		KASSERT(!(page_array[frame].flags & PAGE_FREE));
		page_array[frame].flags = PAGE_IMAGE;
		page_array[frame].refs = 1;
	}
}

void page_reserve_set(uint64_t pages)
{
	reserve_pages = pages;
}

/* page.h: physical memory by 4 KiB pages: a buddy allocator with exact accounting.
 *
 * Every frame from the first byte of RAM to the last has a struct page. Frames that hold
 * the boot bundle are marked PAGE_IMAGE: they are mapped into programs as they are, never
 * counted, never freed, and get and put do nothing to them.
 * All under the kernel lock. */
#ifndef SHIM_MM_PAGE_H
#define SHIM_MM_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef ELFPACK_KERNEL
#include "shim/arch/x86_64/relocate.h"
#endif
#include "shim/lib/list.h"
#include "shim/mm/account.h"

#define PAGE_SHIFT         12
#define PAGE_SIZE          4096ull
#define PAGE_MASK          (PAGE_SIZE - 1)
#define PAGE_ROUND_UP(n)   (((n) + PAGE_MASK) & ~PAGE_MASK)
#define PAGE_ROUND_DOWN(n) ((n) & ~PAGE_MASK)
#define PAGE_ORDER_MAX     10u

typedef uint64_t paddr_t;

enum page_flags {
	PAGE_FREE = 1 << 0,  /* in the buddy's lists */
	PAGE_IMAGE = 1 << 1, /* part of the boot bundle */
	PAGE_SLAB = 1 << 2,  /* kmem.c's */
};

struct page {
	uint32_t refs;
	uint8_t flags;
	uint8_t order;       /* of the block this page heads */
	uint16_t slab_class; /* kmem.c */
	struct account *account;
	struct list link; /* free list, slab list; the holder's while allocated */
	union {
		void *slab_free;  /* kmem.c: first free object */
		uint64_t private; /* the holder's */
		struct {
			uint32_t used, resident; /* entries; those that count as memory */
		} table;                         /* pagetable.c */
	};
	uint32_t slab_used; /* objects in use */
	uint32_t
		slab_carved; /* objects ever given out of it; those after are untouched */
};

/* Allocates 2^order contiguous pages charged to the account, with one reference. zero:
 * bytes are zero. Returns NULL when the account's limit or memory is reached; then
 * account->refused is set. An account other than the kernel's is also refused when it
 * would eat the reserve kept for kernel and front. */
struct page *page_alloc(struct account *account, unsigned order, bool zero);
void page_get(struct page *page);
void page_put(struct page *page); /* the last put frees the block and uncharges it */

/* What reads of anonymous memory see that was never written. PAGE_IMAGE, so that get and
 * put do nothing; made when first asked for. */
struct page *page_zeros(void);
extern paddr_t page_zeros_pa; /* 0 before */

#ifdef ELFPACK_KERNEL
#define page_array ((struct page *)page_array_place())
#define direct_map direct_map_place()
#else
extern struct page *page_array; /* the test's */
extern uint8_t *direct_map;
#endif
extern uint64_t page_frame_count;

static inline void *phys_to_virt(paddr_t pa)
{
	return direct_map + pa;
}

static inline paddr_t virt_to_phys(const void *va) /* in the direct map */
{
	return (paddr_t)((const uint8_t *)va - direct_map);
}

static inline paddr_t page_pa(const struct page *page)
{
	return (paddr_t)(page - page_array) << PAGE_SHIFT;
}

static inline void *page_va(const struct page *page) /* in the direct map */
{
	return phys_to_virt(page_pa(page));
}

/* Of RAM: holes between RAM have no struct page. */
static inline struct page *page_of_pa(paddr_t pa)
{
	uint64_t frame = pa >> PAGE_SHIFT;
	return frame < page_frame_count ? &page_array[frame] : NULL;
}

static inline struct page *page_of_va(const void *va)
{
	return page_of_pa(virt_to_phys(va));
}

paddr_t page_low_end(void);      /* of the RAM below 4 GiB */
uint64_t page_count_total(void); /* pages ever given to the allocator */
uint64_t page_count_free(void);

/* At boot, by arch boot.c: the array of struct page stands mapped at page_array for
 * frames 0 to frame_count - 1. It is zeroed, but for blocks of 2^PAGE_ORDER_MAX frames
 * that page_give gets whole. */
void page_init(uint64_t frame_count);
void page_give(paddr_t start, paddr_t end);       /* RAM to hand out, page aligned */
void page_mark_image(paddr_t start, paddr_t end); /* the boot bundle's frames */
/* Pages that only accounts with uses_reserve may take the last of. */
void page_reserve_set(uint64_t pages);

#endif

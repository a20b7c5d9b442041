/* pagetable.h: the translation of one address space: 4 levels, 4 KiB pages, below the
 * upper half that all share. Tables are charged to the account of the space. */
#ifndef SHIM_ARCH_X86_64_PAGETABLE_H
#define SHIM_ARCH_X86_64_PAGETABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/mm/page.h"

enum pt_flags { PT_READ = 1, PT_WRITE = 2, PT_EXEC = 4 };

struct pagetable {
	paddr_t root;
	struct account *account;
	uint64_t resident; /* pages; that of zeros is nobody's */
};

#define USER_ADDRESS_END   0x7ffffffff000ull /* the last page below is never mapped */
#define USER_ADDRESS_START 0x10000ull

int pt_init(struct pagetable *pt, struct account *account); /* 0 or -ENOMEM */
/* Frees the tables and lets go of the pages they map. No CPU may have it loaded. */
void pt_free(struct pagetable *pt);
void pt_load(const struct pagetable *pt); /* makes it this CPU's */
void pt_load_kernel(void);                /* a space without a lower half */

/* Fork: `to`, which maps nothing there, gets the pages of [start, end) too, and neither
 * may write to them in place; pages of the image it does without. share: tables of blocks
 * of PT_BLOCK_SIZE that lie wholly in the range and map many pages become both spaces'
 * until one of them needs its own. The caller flushes `from`, even after -ENOMEM. Both
 * have one account. 0 or -ENOMEM. */
#define PT_BLOCK_SIZE (2ull << 20)
int pt_fork(struct pagetable *from, struct pagetable *to, uint64_t start, uint64_t end,
	    bool share);
/* How many spaces have this one's table at va; 0: it has none. */
uint32_t pt_sharers(const struct pagetable *pt, uint64_t va);
/* Makes the tables of all blocks that [start, end) touches the space's own again. To be
 * called before pt_unmap and pt_protect, before a look at who else holds a page, and, for
 * blocks that it covers in part only, before pt_leave. 0 or -ENOMEM. */
int pt_own(struct pagetable *pt, uint64_t start, uint64_t end);

/* Maps one page, replacing what was there (the caller has dropped that). 0 or -ENOMEM. */
int pt_map(struct pagetable *pt, uint64_t va, paddr_t pa, unsigned flags);
/* Maps the frames from pa on at [start, end), of one 2 MiB block, where nothing is mapped
 * yet. 0 or -ENOMEM. */
int pt_map_missing(struct pagetable *pt, uint64_t start, uint64_t end, paddr_t pa,
		   unsigned flags);
/* Removes the mapping; returns its physical address or 0 for none. *dirty when not NULL.
 * The page may be reused after pt_flush only. */
paddr_t pt_unmap(struct pagetable *pt, uint64_t va, bool *dirty);
/* Changes the rights of a page that is there; false when it is not. Lowering takes effect
 * after pt_flush. */
bool pt_protect(struct pagetable *pt, uint64_t va, unsigned flags);
/* The page and rights at va; 0 when nothing is there. */
paddr_t pt_lookup(const struct pagetable *pt, uint64_t va, unsigned *flags);
/* Calls visit for each mapped page in [start, end), skipping what has no tables. visit
 * may unmap or protect that page (pt_own), and map others outside of the range. */
void pt_walk(struct pagetable *pt, uint64_t start, uint64_t end,
	     void (*visit)(void *context, uint64_t va, paddr_t pa, unsigned flags),
	     void *context);
/* Leaves tables in [start, end) that other spaces share to those, with all pages. */
void pt_leave(struct pagetable *pt, uint64_t start, uint64_t end);
/* Frees tables that map nothing in [start, end) any more. */
void pt_trim(struct pagetable *pt, uint64_t start, uint64_t end);
/* Drops stale translations of [start, end) on every CPU that has pt loaded. */
void pt_flush(struct pagetable *pt, uint64_t start, uint64_t end);
/* On this CPU alone: after rights were raised, which others may learn by a fault. */
void pt_flush_here(const struct pagetable *pt, uint64_t start, uint64_t end);

#endif

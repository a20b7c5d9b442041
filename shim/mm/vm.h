/* vm.h: address spaces: what is mapped where (areas), and the faults that fill pages in.
 *
 *   0x0000_0000_0001_0000  programs at fixed addresses (0x200000, 0x400000)
 *   0x0000_55xx_xxxx_x000  position-independent programs, then their heap (brk)
 *   ...
 *   0x0000_7fxx_xxxx_x000  mmap, downwards, and the vDSO
 *   0x0000_7ff?_????_?000  stack, VM_STACK_SIZE, a hole below and above
 *   0x0000_7fff_ffff_f000  USER_ADDRESS_END
 *
 * Private pages are demand-zero and copy on write; pages of packed files are mapped from
 * the image's own memory and never copied to be read or executed. Under the kernel lock.
 */
#ifndef SHIM_MM_VM_H
#define SHIM_MM_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/arch/x86_64/pagetable.h"
#include "shim/mm/account.h"
#include "shim/mm/page.h"

struct vnode;
struct shared_pages; /* pages of a MAP_SHARED|MAP_ANONYMOUS area: vm_shared.c */

#define VM_STACK_SIZE (8ull << 20)

struct vm_area {
	uint64_t start, end; /* page aligned, [start, end) */
	uint8_t prot;        /* PT_READ | PT_WRITE | PT_EXEC */
	bool shared;         /* writes reach the object */
	bool stack, heap;    /* for /proc/self/maps */
	bool no_write;       /* shared, of a file not open for writing */
	bool grows_down;     /* MAP_GROWSDOWN */
	bool dont_fork, wipe_on_fork;
	struct vnode *vnode;        /* NULL: anonymous */
	struct shared_pages *pages; /* shared anonymous */
	uint64_t offset;            /* bytes, of start in the object */
};

struct vmspace {
	struct pagetable pt;
	struct account *account;
	uint32_t refs;
	struct vm_area **area; /* sorted by address */
	uint32_t area_count, area_room;
	uint64_t mmap_top; /* mappings go below */
	uint64_t brk_start, brk;
	uint64_t stack_top;
	uint64_t vdso; /* 0: none */
	uint64_t mapped_bytes, mapped_bytes_peak;
	uint64_t resident_peak; /* pages; both peaks are as of the last that went */
};

#define VM_AREAS_MAX 65530u /* Linux' vm.max_map_count */

struct vmspace *vm_make(struct account *account);
void vm_get(struct vmspace *vm);
void vm_put(struct vmspace *vm); /* the last put frees it; it must not be loaded then */
/* A copy-on-write copy (fork), charged to the same account. NULL without memory. */
struct vmspace *vm_fork(struct vmspace *parent);

struct vm_request {
	uint64_t address; /* hint, or exact with fixed */
	uint64_t size;    /* bytes, rounded up to pages */
	uint8_t prot;
	bool fixed;      /* at address, replacing what is there */
	bool no_replace; /* fixed, but -EEXIST when something is there */
	bool shared;
	bool stack, heap;
	uint64_t below; /* not fixed: not above this address; 0: anywhere */
	bool no_write;  /* vm_protect may not add PT_WRITE: -EACCES */
	bool grows_down;
	struct vnode *vnode; /* the area takes its own reference */
	struct shared_pages
		*pages; /* shared: these instead of new ones; also referenced */
	uint64_t offset;
};
/* Maps; *at is the address it got. -EINVAL, -ENOMEM, -EEXIST. */
int vm_map(struct vmspace *vm, const struct vm_request *request, uint64_t *at);
int vm_unmap(struct vmspace *vm, uint64_t start, uint64_t size);
int vm_protect(struct vmspace *vm, uint64_t start, uint64_t size, uint8_t prot);
/* Moves or resizes; flags are Linux' MREMAP_*. *at is the new address. */
enum vm_remap_flags { VM_REMAP_MAYMOVE = 1, VM_REMAP_FIXED = 2, VM_REMAP_DONTUNMAP = 4 };
int vm_remap(struct vmspace *vm, uint64_t old, uint64_t old_size, uint64_t new_size,
	     unsigned flags, uint64_t address, uint64_t *at);
/* Drops the pages of a private range: zero, or the file's again, when next touched. */
int vm_discard(struct vmspace *vm, uint64_t start, uint64_t size);
/* What fork makes of a range: madvise's DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK. -ENOMEM
 * when not all of it is mapped; wiping is for private anonymous areas only (-EINVAL). */
enum vm_fork_policy { VM_FORK_OMIT, VM_FORK_COPY, VM_FORK_WIPE, VM_FORK_KEEP };
int vm_set_fork(struct vmspace *vm, uint64_t start, uint64_t size,
		enum vm_fork_policy policy);
uint64_t vm_brk(struct vmspace *vm, uint64_t wanted);
/* Unmaps the pages [first, end) of a file wherever they are mapped. Of private areas only
 * those that are not copied yet when the page behind them is new; the copies too when
 * they are past the end now (copies). */
void vm_forget_file(struct vmspace *vm, const struct vnode *vnode, uint64_t first,
		    uint64_t end, bool copies);

/* The area that holds va, or the first above it (then va < start); NULL: none. */
struct vm_area *vm_find(struct vmspace *vm, uint64_t va, uint32_t *index);
/* Does it end below USER_ADDRESS_END? */
bool vm_range_legal(uint64_t start, uint64_t size);
bool vm_range_mapped(struct vmspace *vm, uint64_t start, uint64_t size);

enum vm_access { VM_READ = PT_READ, VM_WRITE = PT_WRITE, VM_EXEC = PT_EXEC };
enum vm_fault_result {
	VM_OK,
	VM_UNMAPPED,  /* SIGSEGV, SEGV_MAPERR */
	VM_FORBIDDEN, /* SIGSEGV, SEGV_ACCERR */
	VM_PAST_END,  /* SIGBUS, BUS_ADRERR */
	VM_NO_MEMORY, /* the job is out of memory */
};
enum vm_fault_result vm_fault(struct vmspace *vm, uint64_t va, enum vm_access access);

/* Pages that are there, as Linux counts them; the most there ever were. */
uint64_t vm_resident(const struct vmspace *vm);
uint64_t vm_resident_peak(const struct vmspace *vm);
uint64_t vm_mapped_bytes_peak(const struct vmspace *vm);

/* Writes into an address space that need not be loaded (exec's stack). 0 or -EFAULT. */
int vm_write(struct vmspace *vm, uint64_t va, const void *from, uint64_t size);
/* The frame behind va after making it present; 0: none (futex keys). */
paddr_t vm_frame(struct vmspace *vm, uint64_t va);

/* Touches every page of a range, writing where that is allowed and wanted; stops at the
 * first that cannot be. */
enum vm_fault_result vm_populate(struct vmspace *vm, uint64_t start, uint64_t size,
				 bool write);

/* For vm_*.c only. */
/* Before pages or areas go. */
void vm_note_peaks(struct vmspace *vm);
/* May a private page be written in place: has it no other holder? */
bool vm_page_is_own(const struct vmspace *vm, const struct page *page);
/* Splits so that [start, end) consists of whole areas; *first is the index of the first.
 */
int vm_split_range(struct vmspace *vm, uint64_t start, uint64_t end, uint32_t *first);
/* Joins areas around [start, end) that have become alike. */
void vm_merge_around(struct vmspace *vm, uint64_t start, uint64_t end);
int vm_choose_address(struct vmspace *vm, const struct vm_request *request, uint64_t size,
		      uint64_t *at);
int vm_area_insert(struct vmspace *vm, uint32_t index, struct vm_area *area);
void vm_area_free(struct vmspace *vm, struct vm_area *area);
struct vm_area *vm_area_copy(struct vmspace *vm, const struct vm_area *from);
/* Unmaps the pages of a range and lets go of them. Tables that the range covers in part
 * only are the space's own (pt_own). */
void vm_drop_pages(struct vmspace *vm, uint64_t start, uint64_t end);
/* Pages on their way out of a space, in ascending order: they are let go of once no CPU
 * has a translation to them left. Starts with vm alone set; pages that end gathers are
 * gone. */
#define VM_GATHER_PAGES 64u
struct vm_gather {
	struct vmspace *vm;
	uint64_t start, end; /* of what is unmapped and not yet flushed */
	unsigned count;
	struct page *page[VM_GATHER_PAGES];
};
void vm_gather_page(struct vm_gather *gather, uint64_t va, struct page *page);
void vm_gather_end(struct vm_gather *gather);
struct shared_pages *shared_pages_make(struct account *account);
void shared_pages_get(struct shared_pages *pages);
void shared_pages_put(struct shared_pages *pages);
/* The page at index, made zero at first use; carries a reference. NULL without memory. */
struct page *shared_pages_page(struct shared_pages *pages, uint64_t index);

#endif

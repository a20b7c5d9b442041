/* pagetable_entry.h: the bits of page table entries (SDM 3, 4.5), for pagetable.c and
 * kernel_map.c. */
#ifndef SHIM_ARCH_X86_64_PAGETABLE_ENTRY_H
#define SHIM_ARCH_X86_64_PAGETABLE_ENTRY_H

#include <stdint.h>

#define PTE_PRESENT  0x001ull
#define PTE_WRITE    0x002ull
#define PTE_USER     0x004ull
#define PTE_PWT      0x008ull
#define PTE_PCD      0x010ull
#define PTE_ACCESSED 0x020ull
#define PTE_DIRTY    0x040ull
#define PTE_LARGE    0x080ull /* in levels 2 and 3 */
#define PTE_GLOBAL   0x100ull
#define PTE_HELD                                                                         \
	0x200ull /* ours, in entries that are not present: a page without rights */
#define PTE_NX      (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

#define TABLE_ENTRIES 512u

static inline unsigned table_index(uint64_t va, unsigned level)
{
	return (unsigned)(va >> (12 + 9 * (level - 1))) & (TABLE_ENTRIES - 1);
}

static inline uint64_t level_size(unsigned level)
{
	return 1ull << (12 + 9 * (level - 1));
}

#endif

/* relocate.c: what an attacker knows of the kernel's binary must not tell him where it is
 * (KASLR). In physical memory it stays where it was loaded. It gets a second mapping, at
 * a random distance from that which it was linked for; all places that hold an address of
 * its own are changed by the distance, text and data, under our feet: both mappings show
 * the same bytes, so it does not matter which of them is used meanwhile. Then we jump,
 * and the first mapping goes when kernel_map.c makes the final tables.
 *
 * The places are in .relocations: cmake/kernel_tables.c. */
#include "shim/arch/x86_64/relocate.h"

#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/arch/x86_64/pagetable_entry.h"
#include "shim/lib/random.h"
#include "shim/mm/page.h"

/* Alignments in the kernel hold: BOOT_STACK_SIZE is the largest. */
#define KERNEL_STEP BOOT_STACK_SIZE
/* The last GiB, but for its end, where pointers are errors. */
#define KERNEL_AREA 0xffffffffc0000000ull
#define KERNEL_ROOM (0x40000000ull - 2 * KERNEL_MOST)
#define AREA_STEP   0x40000000ull /* the largest page */

struct relocations {
	uint32_t kernel_64, kernel_32, area_64, zero;
	uint32_t place[]; /* physical */
};
extern const uint8_t relocations_start[], kernel_end[];

/* head.S's, zero */
extern uint64_t early_pdpt_kernel[], early_moved_pd[];
extern uint64_t early_moved_pt[EARLY_MOVED_TABLES][TABLE_ENTRIES];
_Static_assert((EARLY_MOVED_TABLES - 1) * 0x200000 >= KERNEL_MOST,
	       "they show the kernel");

static void map_at(uint64_t va)
{
	uint64_t pa = KERNEL_PHYS, end = kernel_phys(kernel_end);
	uint64_t first = table_index(va, 2);
	early_pdpt_kernel[table_index(va, 3)] =
		kernel_phys(early_moved_pd) | PTE_PRESENT | PTE_WRITE;
	for (uint64_t i = 0; i < EARLY_MOVED_TABLES; i++)
		early_moved_pd[first + i] =
			kernel_phys(early_moved_pt[i]) | PTE_PRESENT | PTE_WRITE;
	for (; pa < end; pa += PAGE_SIZE, va += PAGE_SIZE)
		early_moved_pt[table_index(va, 2) - first][table_index(va, 1)] =
			pa | PTE_PRESENT | PTE_WRITE;
}

/* In text and tables, at any address. */
typedef uint64_t unaligned_64 __attribute__((aligned(1)));
typedef uint32_t unaligned_32 __attribute__((aligned(1)));

static const uint32_t *add_64(const uint32_t *place, uint32_t count, uint64_t distance)
{
	for (; count; count--)
		*(unaligned_64 *)(uint64_t)*place++ += distance;
	return place;
}

/* Sign-extended ones: the sum stays in the last 2 GiB. */
static const uint32_t *add_32(const uint32_t *place, uint32_t count, uint64_t distance)
{
	for (; count; count--)
		*(unaligned_32 *)(uint64_t)*place++ += (uint32_t)distance;
	return place;
}

/* CPUID serializes: text that was changed through another address than it is run at
 * (SDM 3, 8.1.3). */
__attribute__((noinline)) static void apply(uint64_t kernel_distance,
					    uint64_t area_distance)
{
	const struct relocations *r = (const void *)kernel_phys(relocations_start);
	const uint32_t *place = add_64(r->place, r->kernel_64, kernel_distance);
	place = add_32(place, r->kernel_32, kernel_distance);
	add_64(place, r->area_64, area_distance);
	(void)cpuid(0, 0);
}

/* next's value is the one it was linked with: no instruction that names it runs again
 * here. */
__attribute__((noinline)) _Noreturn void kernel_move(void (*next)(uint64_t argument),
						     uint64_t argument)
{
	uint64_t kernel_distance =
		KERNEL_AREA - KERNEL_BASE - KERNEL_PHYS +
		random_early() % (KERNEL_ROOM / KERNEL_STEP) * KERNEL_STEP;
	uint64_t area_distance =
		random_early() % (AREA_SLIDE_MOST / AREA_STEP) * AREA_STEP;
	map_at(KERNEL_BASE + KERNEL_PHYS + kernel_distance);
	apply(kernel_distance, area_distance);
	__asm__ volatile("and $-16, %%rsp\n\t"
			 "add %0, %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%1\n\t"
			 "ud2"
			 :
			 : "r"(kernel_distance), "r"((uint64_t)next + kernel_distance),
			   "D"(argument)
			 : "memory");
	__builtin_unreachable();
}

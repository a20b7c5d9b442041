/* kernel_map.c: the kernel's page tables: all RAM at direct_map in the largest pages
 * that fit, the array of struct page, the kernel's segments with their rights. Nothing
 * that the firmware does not call RAM is mapped, so the CPU cannot even guess its way
 * there.
 *
 * While they are built we run on head.S's tables, which map 4 GiB one to one: new tables
 * are taken from below that. */
#include "shim/arch/x86_64/kernel_map.h"

#include "shim/arch/x86_64/device_map.h"
#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/arch/x86_64/pagetable_entry.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/relocate.h"
#include "shim/lib/string.h"

#define EARLY_MAP_END 0x100000000ull
/* struct pages of so many frames fill whole pages, and it is the buddy allocator's
 * largest block, which looks at its neighbour's first frame. */
#define ARRAY_GRANULE (PAGE_SIZE << PAGE_ORDER_MAX)
#define GRANULE_BYTES ((ARRAY_GRANULE / PAGE_SIZE) * sizeof(struct page))
_Static_assert(GRANULE_BYTES % PAGE_SIZE == 0, "granules share no page of the array");

extern const uint8_t text_end[], rodata_start[], rodata_end[], data_start[], kernel_end[];

paddr_t kernel_root;

/* Of the build alone. */
static struct memory_map *source;
static bool failed;

static uint64_t *early_table(void)
{
	uint64_t pa = memory_map_take(source, PAGE_SIZE, PAGE_SIZE, 0, EARLY_MAP_END);
	if (!pa) {
		failed = true;
		return NULL;
	}
	memset((void *)pa, 0, PAGE_SIZE);
	return (uint64_t *)pa;
}

/* The entry of va at level, with tables above it. */
static uint64_t *early_entry(uint64_t va, unsigned level)
{
	uint64_t *table = (uint64_t *)kernel_root;
	for (unsigned l = 4; l > level; l--) {
		uint64_t *entry = &table[table_index(va, l)];
		if (!*entry) {
			uint64_t *made = early_table();
			if (!made)
				return NULL;
			*entry = (uint64_t)made | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
		}
		table = (uint64_t *)(*entry & PTE_ADDRESS);
	}
	return &table[table_index(va, level)];
}

static unsigned level_that_fits(uint64_t va, uint64_t pa, uint64_t size)
{
	unsigned level = cpu_features.gib_pages ? 3 : 2;
	while (level > 1 &&
	       (((va | pa) & (level_size(level) - 1)) || size < level_size(level)))
		level--;
	return level;
}

static void map(uint64_t va, uint64_t pa, uint64_t size, uint64_t bits)
{
	bits |= PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL;
	while (size && !failed) {
		unsigned level = level_that_fits(va, pa, size);
		uint64_t *entry = early_entry(va, level);
		if (!entry)
			return;
		*entry = pa | bits | (level > 1 ? PTE_LARGE : 0);
		va += level_size(level);
		pa += level_size(level);
		size -= level_size(level);
	}
}

static void map_kernel(void)
{
	const struct {
		const uint8_t *start, *end;
		uint64_t bits;
	} segment[] = {
		{kernel_start, text_end, 0},
		{rodata_start, rodata_end, PTE_NX},
		{data_start, kernel_end, PTE_WRITE | PTE_NX},
	};
	for (int i = 0; i < 3; i++)
		map((uint64_t)segment[i].start, kernel_phys(segment[i].start),
		    PAGE_ROUND_UP((uint64_t)(segment[i].end - segment[i].start)),
		    segment[i].bits);
}

/* Direct map of [start, end): read-only where it meets one of the two ranges. */
static void map_direct(uint64_t start, uint64_t end,
		       const struct memory_range read_only[2])
{
	while (start < end) {
		uint64_t stop = end, bits = PTE_WRITE | PTE_NX;
		for (int i = 0; i < 2; i++) {
			if (start >= read_only[i].start && start < read_only[i].end) {
				bits = PTE_NX;
				stop = read_only[i].end < stop ? read_only[i].end : stop;
			} else if (start < read_only[i].start &&
				   read_only[i].start < stop) {
				stop = read_only[i].start;
			}
		}
		map((uint64_t)direct_map + start, start, stop - start, bits);
		start = stop;
	}
}

/* The array of struct page, for RAM's granules alone; elsewhere it has no memory behind
 * it. Calls each with the runs of granules, by bytes of the array. */
static void array_runs(const struct memory_map *ram,
		       void (*each)(uint64_t va, uint64_t size))
{
	uint64_t from = 0, to = 0;
	for (uint32_t i = 0; i <= ram->count; i++) {
		uint64_t start = UINT64_MAX, end = 0;
		if (i < ram->count) {
			start = ram->range[i].start / ARRAY_GRANULE;
			end = (ram->range[i].end + ARRAY_GRANULE - 1) / ARRAY_GRANULE;
		}
		if (start <= to) {
			to = end;
			continue;
		}
		if (to > from)
			each((uint64_t)page_array + from * GRANULE_BYTES,
			     (to - from) * GRANULE_BYTES);
		from = start;
		to = end;
	}
}

static void array_map(uint64_t va, uint64_t size)
{
	uint64_t align = size >= 16 * level_size(2) ? level_size(2) : PAGE_SIZE;
	uint64_t pa = memory_map_take(source, size, align, va & (align - 1), UINT64_MAX);
	if (!pa) {
		failed = true;
		return;
	}
	map(va, pa, size, PTE_WRITE | PTE_NX);
}

/* Not the granules that are free from end to end: the allocator takes those as one block,
 * writes each struct page before it reads it, and never reads beyond a block of that
 * size. So booting does not take longer the more memory there is. */
static void array_zero(uint64_t va, uint64_t size)
{
	for (uint64_t end = va + size; va < end; va += GRANULE_BYTES) {
		uint64_t pa = (va - (uint64_t)page_array) / GRANULE_BYTES * ARRAY_GRANULE;
		if (!memory_map_covers(source, pa, pa + ARRAY_GRANULE))
			memset((void *)va, 0, GRANULE_BYTES);
	}
}

uint64_t kernel_map_build(const struct memory_map *ram, struct memory_map *free,
			  uint64_t image_start, uint64_t image_end)
{
	const struct memory_range read_only[2] = {
		{KERNEL_PHYS, PAGE_ROUND_UP(kernel_phys(rodata_end))},
		{image_start, PAGE_ROUND_UP(image_end)},
	};
	source = free;
	kernel_root = (paddr_t)early_table();
	if (failed)
		return 0;
	map_kernel();
	for (uint32_t i = 0; i < ram->count; i++)
		map_direct(ram->range[i].start, ram->range[i].end, read_only);
	array_runs(ram, array_map);
	early_entry(device_map_start(), 3);
	early_entry(device_map_start() + DEVICE_MAP_SIZE - 1, 3);
	if (failed)
		return 0;
	write_cr3(kernel_root);
	percpu()->root = kernel_root;
	array_runs(ram, array_zero); /* nothing is taken from source any more */
	return ram->range[ram->count - 1].end >> PAGE_SHIFT;
}

bool kernel_map_page(uint64_t va, paddr_t pa, uint64_t pte_bits)
{
	uint64_t *table = phys_to_virt(kernel_root);
	for (unsigned level = 4; level > 1; level--) {
		uint64_t *entry = &table[table_index(va, level)];
		if (!*entry) {
			struct page *page = page_alloc(&kernel_account, 0, true);
			if (!page)
				return false;
			*entry = page_pa(page) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
		}
		table = phys_to_virt(*entry & PTE_ADDRESS);
	}
	table[table_index(va, 1)] = pa | pte_bits | PTE_PRESENT | PTE_GLOBAL | PTE_NX |
				    PTE_ACCESSED | PTE_DIRTY;
	return true;
}

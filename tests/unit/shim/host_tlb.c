/* host_tlb.c: translations that CPUs keep, the SDM's way (volume 3, 4.10): of pages with
 * the rights of all levels, and of level 2 entries. A page or table that is given back
 * while a CPU knows it is an error too. */
#include "host_tlb.h"

#include <string.h>

#include "host_machine.h"
#include "shim/arch/x86_64/kernel_map.h"
#include "shim/arch/x86_64/pagetable_entry.h"
#include "shim/arch/x86_64/smp.h"

#define PAIRS 4u
#define PAGES (HOST_TLB_BLOCKS * TABLE_ENTRIES)

struct translation {
	paddr_t pa; /* 0: none */
	bool write, execute;
};

struct cpu {
	paddr_t root;
	struct translation page[PAGES];
	paddr_t table[HOST_TLB_BLOCKS]; /* level 1, as a level 2 entry said */
};
static struct cpu running[PAIRS], other[PAIRS];

paddr_t kernel_root;

static bool is_free(paddr_t pa)
{
	const struct page *page = page_of_pa(pa);
	return !(page->flags & PAGE_IMAGE) && !page->account;
}

/* The level 2 entry; 0: none. */
static uint64_t walk_block(paddr_t root, uint64_t va)
{
	uint64_t entry = root | PTE_PRESENT | PTE_WRITE | PTE_USER;
	for (unsigned level = 4; level > 1 && entry; level--) {
		const uint64_t *table = phys_to_virt(entry & PTE_ADDRESS);
		entry = table[table_index(va, level)];
		assert_true(!entry || (entry & PTE_PRESENT));
	}
	return entry;
}

static struct translation walk_page(uint64_t block, uint64_t va)
{
	struct translation none = {0, false, false};
	if (!block)
		return none;
	const uint64_t *table = phys_to_virt(block & PTE_ADDRESS);
	uint64_t entry = table[table_index(va, 1)];
	if (!(entry & PTE_PRESENT))
		return none;
	return (struct translation){entry & PTE_ADDRESS, (entry & block & PTE_WRITE) != 0,
				    !(entry & PTE_NX)};
}

static void cpu_load(struct cpu *cpu, const struct vmspace *vm)
{
	memset(cpu, 0, sizeof(*cpu));
	cpu->root = vm ? vm->pt.root : 0;
}

void host_tlb_load(unsigned pair, const struct vmspace *vm)
{
	assert_true(pair < PAIRS);
	cpu_load(&running[pair], vm);
	cpu_load(&other[pair], vm);
}

static void page_check(struct translation *kept, struct translation now)
{
	if (kept->pa) {
		assert_int_equal(kept->pa, now.pa);
		assert_true(now.write || !kept->write);
		assert_true(now.execute || !kept->execute);
	}
	*kept = now;
}

static void cpu_check(struct cpu *cpu)
{
	for (unsigned i = 0; i < HOST_TLB_BLOCKS; i++) {
		uint64_t va = HOST_TLB_BASE + i * PT_BLOCK_SIZE;
		uint64_t block = walk_block(cpu->root, va);
		if (cpu->table[i])
			assert_int_equal(cpu->table[i], block & PTE_ADDRESS);
		cpu->table[i] = block & PTE_ADDRESS;
		for (unsigned k = 0; k < TABLE_ENTRIES; k++)
			page_check(&cpu->page[i * TABLE_ENTRIES + k],
				   walk_page(block, va + k * PAGE_SIZE));
	}
}

void host_tlb_check(unsigned pair)
{
	cpu_check(&running[pair]);
	cpu_check(&other[pair]);
}

static void cpus_flush(struct cpu *cpus, paddr_t root, uint64_t start, uint64_t end)
{
	for (unsigned pair = 0; pair < PAIRS; pair++) {
		struct cpu *cpu = &cpus[pair];
		if (cpu->root != root)
			continue;
		for (unsigned i = 0; i < PAGES; i++) {
			uint64_t va = HOST_TLB_BASE + i * PAGE_SIZE;
			if (va + PAGE_SIZE <= start || va >= end)
				continue;
			assert_false(cpu->page[i].pa && is_free(cpu->page[i].pa));
			cpu->page[i].pa = 0;
		}
		for (unsigned i = 0; i < HOST_TLB_BLOCKS; i++) {
			assert_false(cpu->table[i] && is_free(cpu->table[i]));
			cpu->table[i] = 0;
		}
	}
}

void pt_flush_local(uint64_t root, uint64_t start, uint64_t end)
{
	cpus_flush(running, root, start, end);
}

void smp_flush(uint64_t root, uint64_t start, uint64_t end, bool tables_freed)
{
	(void)tables_freed;
	cpus_flush(other, root, start, end);
}

void pt_flush_here(const struct pagetable *pt, uint64_t start, uint64_t end)
{
	pt_flush_local(pt->root, start, end);
}

void pt_flush(struct pagetable *pt, uint64_t start, uint64_t end)
{
	pt_flush_local(pt->root, start, end);
	smp_flush(pt->root, start, end, false);
}

bool smp_root_is_loaded(uint64_t root)
{
	for (unsigned pair = 0; pair < PAIRS; pair++)
		if (running[pair].root == root)
			return true;
	return false;
}

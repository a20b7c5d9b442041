/* tlb.c: which space a CPU has loaded, and the translations that it keeps of it. The
 * other CPUs' part is smp.c's. */
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/kernel_map.h"
#include "shim/arch/x86_64/pagetable.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/smp.h"

#define FLUSH_PAGES_MAX 32u /* more: everything is dropped at once */

static void root_load(paddr_t root)
{
	struct percpu *self = percpu();
	if (self->root == root)
		return;
	self->root = root;
	write_cr3(root);
}

void pt_load(const struct pagetable *pt)
{
	root_load(pt->root);
}

void pt_load_kernel(void)
{
	root_load(kernel_root);
}

void pt_flush_local(paddr_t root, uint64_t start, uint64_t end)
{
	if (percpu()->root != root)
		return;
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE) {
		write_cr3(root); /* kernel pages are global and stay */
		return;
	}
	for (uint64_t va = PAGE_ROUND_DOWN(start); va < end; va += PAGE_SIZE)
		invlpg(va);
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

/* arch_thread.c: a thread's kernel stack, ring 3 registers and segment bases, and the
 * switch from one thread to another. */
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/fpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/trap.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/page.h"

#define STACK_ORDER 2u
_Static_assert(PAGE_SIZE << STACK_ORDER == KERNEL_STACK_SIZE, "cpu.h");
#define STACK_CANARY 0x5a3c96f00f69c3a5ull /* in a stack's lowest word */

void stack_switch(uint64_t *save_rsp, uint64_t load_rsp);
void thread_first(void);
_Noreturn void return_to_frame(struct trapframe *frame);

/* What stack_switch pops first in a new thread. */
struct first_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp, rip, end;
};

int arch_thread_init(struct arch_thread *t, struct account *account,
		     void (*entry)(void *argument), void *argument)
{
	struct page *stack = page_alloc(account, STACK_ORDER, false);
	if (!stack)
		return -ENOMEM;
	memset(t, 0, sizeof(*t));
	if (fpu_make(t, account) < 0) {
		page_put(stack);
		return -ENOMEM;
	}
	t->stack = page_va(stack);
	memcpy(t->stack, &(uint64_t){STACK_CANARY}, sizeof(uint64_t));
	t->frame = (struct trapframe *)((uint8_t *)t->stack + KERNEL_STACK_SIZE) - 1;
	memset(t->frame, 0, sizeof(*t->frame));
	trap_frame_init(t->frame);
	struct first_frame *first = (struct first_frame *)t->frame - 1;
	*first = (struct first_frame){.r12 = (uint64_t)entry,
				      .r13 = (uint64_t)argument,
				      .rip = (uint64_t)thread_first};
	t->saved_rsp = (uint64_t)first;
	return 0;
}

void arch_thread_free(struct arch_thread *t)
{
	KASSERT(percpu()->arch != t);
	if (t->stack)
		page_put(page_of_va(t->stack));
	kfree(t->fpu);
	t->stack = t->fpu = NULL;
}

static bool is_running(const struct arch_thread *t)
{
	return percpu()->arch == t;
}

void arch_thread_switch(struct arch_thread *from, struct arch_thread *to)
{
	struct percpu *self = percpu();
	if (from->fpu) {
		from->fs_base = rdfsbase();
		from->gs_base = rdgsbase_user();
		fpu_leave(from);
		if (*(const uint64_t *)from->stack != STACK_CANARY)
			panic("a kernel stack overflowed");
	}
	if (to->fpu) {
		wrfsbase(to->fs_base);
		wrgsbase_user(to->gs_base);
		fpu_enter(to);
		self->kernel_rsp = (uint64_t)to->stack + KERNEL_STACK_SIZE;
		self->tss.rsp[0] = self->kernel_rsp;
	}
	stack_switch(&from->saved_rsp, to->saved_rsp);
}

_Noreturn void arch_enter_user(struct arch_thread *t)
{
	trap_leave(t->frame);
	return_to_frame(t->frame);
}

uint64_t arch_fs_base(const struct arch_thread *t)
{
	return is_running(t) ? rdfsbase() : t->fs_base;
}

uint64_t arch_gs_base(const struct arch_thread *t)
{
	return is_running(t) ? rdgsbase_user() : t->gs_base;
}

/* WRFSBASE of a non-canonical address is #GP. */
static uint64_t canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16);
}

void arch_set_fs_base(struct arch_thread *t, uint64_t base)
{
	t->fs_base = canonical(base);
	if (is_running(t))
		wrfsbase(t->fs_base);
}

void arch_set_gs_base(struct arch_thread *t, uint64_t base)
{
	t->gs_base = canonical(base);
	if (is_running(t))
		wrgsbase_user(t->gs_base);
}

void arch_thread_copy_user(struct arch_thread *child, const struct arch_thread *parent)
{
	if (is_running(parent))
		fpu_save((struct arch_thread *)parent);
	memcpy(child->fpu, parent->fpu, fpu_area_size());
	*child->frame = *parent->frame;
	child->frame->rax = 0;
	child->fs_base = arch_fs_base(parent);
	child->gs_base = arch_gs_base(parent);
}

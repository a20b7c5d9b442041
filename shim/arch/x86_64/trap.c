/* trap.c: exceptions and interrupts, from entry.S to who handles them. */
#include "shim/arch/x86_64/trap.h"

#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/arch/x86_64/pagetable.h"
#include "shim/arch/x86_64/panic.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/smp.h"
#include "shim/lib/print.h"

_Static_assert(TRAP_SYSCALL == VECTOR_SYSCALL, "layout.h");
_Static_assert(offsetof(struct trapframe, r11) == FRAME_R11, "layout.h");
_Static_assert(offsetof(struct trapframe, rcx) == FRAME_RCX, "layout.h");
_Static_assert(offsetof(struct trapframe, vector) == FRAME_VECTOR, "layout.h");
_Static_assert(offsetof(struct trapframe, error) == FRAME_ERROR, "layout.h");
_Static_assert(offsetof(struct trapframe, rip) == FRAME_RIP, "layout.h");
_Static_assert(offsetof(struct trapframe, cs) == FRAME_CS, "layout.h");
_Static_assert(offsetof(struct trapframe, rflags) == FRAME_RFLAGS, "layout.h");
_Static_assert(offsetof(struct trapframe, rsp) == FRAME_RSP, "layout.h");
_Static_assert(offsetof(struct trapframe, ss) == FRAME_SS, "layout.h");
_Static_assert(sizeof(struct trapframe) == FRAME_SIZE, "layout.h");

enum {
	RFLAGS_IF = 1 << 9,
	RFLAGS_ONE = 1 << 1,
	/* CF PF AF ZF SF TF DF OF RF AC ID: what ring 3 may have as it likes. */
	RFLAGS_USER = 0x250dd5,
	ERROR_WRITE = 2, /* of a page fault */
};

struct fixup {
	int32_t fault, target; /* from their own places */
};
extern const struct fixup extable_start[], extable_end[];

static uint64_t fixup_find(uint64_t rip)
{
	for (const struct fixup *f = extable_start; f < extable_end; f++)
		if ((uint64_t)&f->fault + (uint64_t)(int64_t)f->fault == rip)
			return (uint64_t)&f->target + (uint64_t)(int64_t)f->target;
	return 0;
}

void trap_frame_init(struct trapframe *frame)
{
	frame->cs = SEL_USER_CODE;
	frame->ss = SEL_USER_DATA;
	frame->rflags = RFLAGS_IF | RFLAGS_ONE;
}

static bool is_canonical(uint64_t address)
{
	return address == (uint64_t)((int64_t)(address << 16) >> 16);
}

void trap_leave(struct trapframe *frame)
{
	/* IRETQ to a non-canonical address is #GP in ring 0; ring 3 would have got it. */
	while (!is_canonical(frame->rip)) {
		frame->vector = VECTOR_GENERAL_PROTECTION;
		frame->error = 0;
		user_fault(frame, 0);
		user_return(frame);
	}
	frame->cs = SEL_USER_CODE;
	frame->ss = SEL_USER_DATA;
	frame->rflags = (frame->rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_ONE;
	kernel_unlock();
}

bool trap_is_interrupt(const struct trapframe *frame)
{
	return frame->vector >= VECTOR_PIC && frame->vector != VECTOR_SYSCALL;
}

static bool is_lockless(const struct trapframe *frame)
{
	return frame->vector >= VECTOR_LOCKLESS && frame->vector != VECTOR_SYSCALL;
}

static void take_interrupt_or_exception(struct trapframe *frame)
{
	uint64_t address = 0;
	if (frame->vector == VECTOR_PAGE_FAULT)
		address = read_cr2(); /* before anything else can fault */
	kernel_lock();
	if (frame->vector < VECTOR_PIC)
		user_fault(frame, address);
	else if (!is_lockless(frame))
		irq_dispatch((unsigned)frame->vector);
}

void trap_from_user(struct trapframe *frame)
{
	if (frame->vector == VECTOR_SYSCALL) {
		kernel_lock();
		syscall_enter(frame);
	} else {
		if (is_lockless(frame)) {
			irq_dispatch_lockless((unsigned)frame->vector);
			if (frame->vector != VECTOR_WAKE)
				return;
		}
		take_interrupt_or_exception(frame);
	}
	user_return(frame);
	trap_leave(frame);
}

void trap_from_kernel(struct trapframe *frame)
{
	if (is_lockless(frame)) {
		irq_dispatch_lockless((unsigned)frame->vector);
		return;
	}
	if (frame->vector >= VECTOR_PIC) {
		/* In cpu_idle or cpu_take_interrupts, which left the lock and get it back
		 * from here. */
		struct percpu *self = percpu();
		if (!self->handler_locked)
			kernel_lock();
		self->handler_locked = true;
		irq_dispatch((unsigned)frame->vector);
		return;
	}
	uint64_t address = frame->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;
	uint64_t target = fixup_find(frame->rip);
	if (!target)
		panic_exception(frame, address);
	if (frame->vector == VECTOR_PAGE_FAULT && address < USER_ADDRESS_END &&
	    kernel_user_fault(address, frame->error & ERROR_WRITE))
		return;
	frame->rip = target;
}

void trap_on_ist(struct trapframe *frame)
{
	struct percpu *self = percpu();
	if (frame->vector == VECTOR_NMI) {
		while (smp_is_stopping())
			__asm__ volatile("cli; hlt");
		self->nmi_count++; /* none is asked for; the platform's are not ours to
				      judge */
		return;
	}
	if (frame->vector == VECTOR_DEBUG) {
		/* MOV SS before syscall delays a trap into ring 0; DR7 stays 0, so there
		 * is nothing to do but to clear the cause. */
		__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ull));
		frame->rflags &= ~(uint64_t)RFLAGS_TF;
		return;
	}
	panic_exception(frame, 0);
}

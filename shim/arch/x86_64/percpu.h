/* percpu.h: what each CPU has of its own, found through GS while ring 0 runs. All of it
 * is that CPU's alone to change, but where a field says otherwise. */
#ifndef SHIM_ARCH_X86_64_PERCPU_H
#define SHIM_ARCH_X86_64_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/layout.h"

struct arch_thread;
struct thread;

/* SDM 3, 8.7: no I/O map, so its base lies past the end. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map_base;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM 3, 8.7");

struct ist_stack {
	uint8_t room[IST_STACK_USED];
	struct percpu *owner;
	uint64_t unused;
} __attribute__((aligned(IST_STACK_SIZE)));
_Static_assert(sizeof(struct ist_stack) == IST_STACK_SIZE, "entry.S finds the owner");

struct percpu {
	struct percpu *self; /* at %gs:0 */
	uint64_t kernel_rsp; /* top of the running thread's stack, for syscall */
	uint64_t user_rsp;   /* syscall's, until it is in the frame */
	unsigned id, apic_id;
	struct thread *thread;
	struct arch_thread *arch;
	const struct arch_thread *fpu_owner; /* whose FPU state the registers hold */
	uint64_t root;     /* the page table loaded; others read it to shoot down */
	bool flush_wanted; /* smp.c; set by others, cleared by this CPU */
	bool lock_waits;   /* for the kernel lock: touches no user memory before it has it
			    */
	bool flush_late;   /* set by the lock's holder while lock_waits: drop all then */
	bool handler_locked; /* an interrupt in cpu_idle or cpu_take_interrupts has taken
				the kernel lock, and left it to them */
	uint64_t nmi_count, spurious_count;
	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
	struct ist_stack ist[IST_COUNT];
};

_Static_assert(offsetof(struct percpu, self) == PERCPU_SELF, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, kernel_rsp) == PERCPU_KERNEL_RSP,
	       "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, user_rsp) == PERCPU_USER_RSP, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, thread) == PERCPU_THREAD, "percpu_offsets.h");

/* Volatile: a thread may go on on another CPU after a switch. */
static inline struct percpu *percpu(void)
{
	struct percpu *self;
	__asm__ volatile("mov %%gs:%c1, %0" : "=r"(self) : "i"(PERCPU_SELF));
	return self;
}

/* cpu.c. Loads GDT, TSS, IDT, GS, control registers and syscall MSRs of the CPU that runs
 * it; every CPU does the same. boot checks what the kernel cannot do without and refuses
 * a CPU that lacks it. */
void cpu_setup(struct percpu *self, unsigned id);
/* What the kernel needs and this CPU has not; NULL: nothing. */
const char *cpu_lacks(void);

extern struct percpu boot_percpu;

#endif

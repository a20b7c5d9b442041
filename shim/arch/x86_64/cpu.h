/* cpu.h: the CPU as the portable kernel sees it: per-CPU data, threads' machine state,
 * ring 3 entry and exit. The kernel runs with interrupts off: they are taken in ring 3,
 * in cpu_idle and in cpu_take_interrupts, where a long call yields, so no lock needs an
 * irq-safe form. NMI, #MC and #DF have stacks of their own (IST). */
#ifndef SHIM_ARCH_X86_64_CPU_H
#define SHIM_ARCH_X86_64_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/arch/x86_64/percpu_offsets.h"

#define KERNEL_STACK_SIZE 16384u /* order 2 */

/* Ring 3's registers, pushed at every entry from ring 3 (entry.S knows the order). */
struct trapframe {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector; /* exception or interrupt; TRAP_SYSCALL for syscall */
	uint64_t error;  /* the CPU's error code; for syscall: the call's number */
	uint64_t rip, cs, rflags, rsp, ss;
};
#define TRAP_SYSCALL 0x100u
/* Came from a device, a timer or another CPU, not from what ring 3 did. */
bool trap_is_interrupt(const struct trapframe *frame);

/* The machine part of a thread. */
struct arch_thread {
	void *stack;               /* lowest byte of KERNEL_STACK_SIZE; NULL: not made */
	uint64_t saved_rsp;        /* while it is not running */
	uint64_t fs_base, gs_base; /* of ring 3 */
	void *fpu;        /* fpu_area_size() bytes, 64-byte aligned; NULL: no ring 3 */
	unsigned fpu_cpu; /* whose registers may still hold it (percpu.h: fpu_owner) */
	struct trapframe *frame; /* ring 3's registers, at the top of the stack */
};

/* Can ring 3 read what is mapped for ring 0 alone (Meltdown), as on Intel's CPUs until
 * about 2018? The kernel does not hide its map of memory from them. */
bool cpu_reads_through(void);

struct account;
struct thread;

/* Makes the stack and the FPU area (initial state), charged to account; the thread will
 * start in entry(argument) on its own stack, under the kernel lock. 0 or -ENOMEM. */
int arch_thread_init(struct arch_thread *t, struct account *account,
		     void (*entry)(void *argument), void *argument);
void arch_thread_free(struct arch_thread *t); /* not while running on it */
/* Saves the running thread in from (FPU and segment bases too when it has ring 3 state)
 * and goes on with to. */
void arch_thread_switch(struct arch_thread *from, struct arch_thread *to);
/* Leaves for ring 3 with the registers of t's frame; does not return. */
_Noreturn void arch_enter_user(struct arch_thread *t);
/* While t runs its bases are the CPU's (ring 3 sets them without a call): ask, don't
 * look. */
uint64_t arch_fs_base(const struct arch_thread *t);
uint64_t arch_gs_base(const struct arch_thread *t);
void arch_set_fs_base(struct arch_thread *t, uint64_t base);
void arch_set_gs_base(struct arch_thread *t, uint64_t base);
/* Copies parent's registers, FPU state and segment bases (fork); the frame's rax is 0. */
void arch_thread_copy_user(struct arch_thread *child, const struct arch_thread *parent);

/* FPU state. save: brings t->fpu up to date when t is running; load: makes it the CPU's.
 * The area is XSAVE's standard form (SDM 1, 13.4). restore_checked takes bytes a program
 * made (sigreturn): false when the CPU refuses them, then the state is the initial one.
 */
size_t fpu_area_size(void);
void fpu_save(struct arch_thread *t);
void fpu_load(struct arch_thread *t);
void fpu_reset(struct arch_thread *t);
bool fpu_restore_checked(struct arch_thread *t, const void *area, size_t size);
uint64_t fpu_features(void); /* XCR0 */

/* What the machine part calls, on the thread's kernel stack, kernel lock held:
 * a system call (arguments in rdi rsi rdx r10 r8 r9, result to rax), */
void syscall_enter(struct trapframe *frame);
/* an exception of ring 3 (address: CR2 of a page fault), */
void user_fault(struct trapframe *frame, uint64_t address);
/* a page fault of ring 0 in usercopy on a user address: true when the page is there now,
 */
bool kernel_user_fault(uint64_t address, bool write);
/* and, last before each return to ring 3, after interrupts too: signals, time slices. */
void user_return(struct trapframe *frame);

/* The kernel lock: held by whoever runs ring 0 code, taken at each entry from ring 3 and
 * left at each return to it, and around cpu_idle's wait. */
void kernel_lock(void);
void kernel_unlock(void);

/* Waits for an interrupt with the kernel lock released; sti and hlt back to back. Returns
 * after one was handled. */
void cpu_idle(void);
/* Looks instead of halting, with interrupts on and the kernel lock released: until done
 * says so, an interrupt wants the lock, or it is end_ns. */
void cpu_idle_until(bool (*done)(const void *context), const void *context,
		    uint64_t end_ns);
/* Those that wait come now: the caller holds nothing but the kernel lock, which is left.
 */
void cpu_take_interrupts(void);

/* Volatile: after a switch it is another. */
static inline struct thread *cpu_current_thread(void)
{
	struct thread *thread;
	__asm__ volatile("mov %%gs:%c1, %0" : "=r"(thread) : "i"(PERCPU_THREAD));
	return thread;
}
void cpu_set_current_thread(struct thread *thread, struct arch_thread *arch);
unsigned cpu_id(void);
#define CPUS_MAX 64u
unsigned cpu_count(void); /* running: numbers 0 to cpu_count() - 1 */
/* Makes CPU id come into the kernel from ring 3 or out of cpu_idle soon. */
void cpu_interrupt(unsigned id);
/* smp.c. Starts the other CPUs; returns when each that came, and this one, has returned
 * from work(context). That runs on all of them at once, without the kernel lock, with
 * interrupts off; then the others wait for the lock and run sched_idle(). */
void smp_start(void (*work)(void *context), void *context);

/* Does read-only memory stop this CPU's ring 0 too? So it is but where the image is made,
 * before anything runs of it. No translation needs to be dropped (SDM 3, 4.6, 4.10). */
void cpu_write_protect(bool on);

/* Interrupts: a free vector for a device; handler runs under the kernel lock. Returns the
 * vector or -ENOSPC. irq_message gives the MSI address and data for it (SDM 3, 11.11). */
int irq_allocate(void (*handler)(void *context), void *context);
void irq_message(int vector, uint64_t *address, uint32_t *data);
/* Routes an I/O APIC line to the vector (virtio over MMIO). level: level-triggered. */
int irq_route_gsi(unsigned gsi, int vector, bool level, bool active_low);

/* Ends the machine. QEMU's isa-debug-exit at port 0x501 gets the status, 0 to 255 (QEMU
 * itself then ends with (2 * status + 1) & 255), after isa-debugcon at 0x502 got it as
 * one byte, for whoever needs all eight bits; without them: ACPI S5, the reset register,
 * the keyboard controller, triple fault. */
_Noreturn void machine_power_off(int status);
/* The same where there is no way to power off yet: else the machine stands still, as a
 * reset would start it again. */
_Noreturn void machine_stop(int status);

/* The HWCAP of AT_HWCAP (CPUID 1 edx) and AT_HWCAP2. */
uint32_t cpu_hwcap(void);
uint32_t cpu_hwcap2(void);

#endif

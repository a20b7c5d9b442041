/* layout.h: numbers that C, assembly and shim.ld share: addresses, stacks, selectors,
 * offsets into structures, vectors. */
#ifndef SHIM_ARCH_X86_64_LAYOUT_H
#define SHIM_ARCH_X86_64_LAYOUT_H

#include "shim/arch/x86_64/address_map.h"
#include "shim/arch/x86_64/percpu_offsets.h"

#define BOOT_STACK_SIZE    16384
/* Tables of 2 MiB each that show KERNEL_MOST bytes from anywhere on. */
#define EARLY_MOVED_TABLES 5
/* The top 16 bytes of an IST stack hold the address of its CPU's struct percpu: ring 3
 * may set any GS base (FSGSBASE), so an entry that can come at any moment trusts only its
 * rsp. */
#define IST_STACK_SIZE     4096
#define IST_STACK_USED     (IST_STACK_SIZE - 16)
#define IST_NMI            1
#define IST_DOUBLE_FAULT   2
#define IST_MACHINE_CHECK  3
#define IST_DEBUG          4
#define IST_COUNT          4

/* Segment selectors; ring 3 sees Linux' values. SYSRET wants user data, then user code.
 */
#define SEL_KERNEL_CODE 0x10
#define SEL_KERNEL_DATA 0x18
#define SEL_USER_BASE   0x23 /* IA32_STAR[63:48] */
#define SEL_USER_DATA   0x2b
#define SEL_USER_CODE   0x33
#define SEL_TSS         0x40
#define SEL_CPU_NUMBER  0x7b /* its limit is the CPU's number, for getcpu in the vDSO */
#define GDT_ENTRIES     16

/* Offsets in struct trapframe, asserted in trap.c. */
#define FRAME_R11    48
#define FRAME_RCX    88
#define FRAME_VECTOR 120
#define FRAME_ERROR  128
#define FRAME_RIP    136
#define FRAME_CS     144
#define FRAME_RFLAGS 152
#define FRAME_RSP    160
#define FRAME_SS     168
#define FRAME_SIZE   176

#define VECTOR_DEBUG              1
#define VECTOR_NMI                2
#define VECTOR_BREAKPOINT         3
#define VECTOR_DOUBLE_FAULT       8
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT         14
#define VECTOR_MACHINE_CHECK      18
#define VECTOR_PIC                0x20 /* 16, the 8259s': masked, only spurious ones arrive */
#define VECTOR_DEVICE             0x30 /* up to VECTOR_TIMER: irq_allocate's */
#define VECTOR_TIMER              0xe0
/* From here on what smp_halt lets through; all need no lock when they come in the kernel.
 */
#define VECTOR_LOCKLESS           0xf0
#define VECTOR_APIC_ERROR         0xf1
#define VECTOR_WAKE               0xf2 /* between CPUs: look at the run queues */
#define VECTOR_FLUSH              0xf3 /* between CPUs: drop stale translations, at once */
#define VECTOR_SPURIOUS           0xff /* ends in F: older APICs cannot do other */
#define VECTOR_SYSCALL            0x100

#define RFLAGS_TF 0x100
#define RFLAGS_RF 0x10000

#endif

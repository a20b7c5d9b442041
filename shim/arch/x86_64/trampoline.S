/* trampoline.S: from the SIPI that starts a CPU to C. Not run here but in a copy: smp.c puts
 * it, as data, on a page below 1 MiB, which early tables of its own map one to one, and fills
 * in what it loads. */
#include "shim/arch/x86_64/layout.h"

#define OFFSET(symbol) ((symbol) - trampoline_start)

	.section .rodata.trampoline, "a", @progbits
	.code16
	.global trampoline_start
trampoline_start:
	/* 1. cs is the page's number, ip 0; every table is addressed from there. */
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	movzwl %ax, %ebx
	shl $4, %ebx /* the page's address, to the end */
	lgdtl OFFSET(trampoline_gdt_pointer)

	/* 2. Protected mode. */
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl *OFFSET(trampoline_jump32)

	/* 3. PAE, long mode with NX (the kernel's entries have that bit), paging; caches stay
	 * off, as INIT left them, until the MTRRs are set. */
	.code32
	.global trampoline_32
trampoline_32:
	mov $0x18, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $0x20, %eax
	mov %eax, %cr4
	mov OFFSET(trampoline_root)(%ebx), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx /* IA32_EFER */
	rdmsr
	or $0x900, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	ljmpl *OFFSET(trampoline_jump64)(%ebx)

	/* 4. A stack and C, at the kernel's own addresses. */
	.code64
	.global trampoline_64
trampoline_64:
	mov OFFSET(trampoline_stack)(%rbx), %rsp
	mov OFFSET(trampoline_argument)(%rbx), %rdi
	mov OFFSET(trampoline_entry)(%rbx), %rax
	xor %ebp, %ebp
	call *%rax
	ud2

	.align 8
	.global trampoline_gdt
trampoline_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* 08: code, 32-bit */
	.quad 0x00af9b000000ffff /* 10: code, 64-bit */
	.quad 0x00cf93000000ffff /* 18: data */
trampoline_gdt_end:
	/* Filled in by smp.c. */
	.global trampoline_gdt_pointer, trampoline_jump32, trampoline_jump64
trampoline_gdt_pointer:
	.word trampoline_gdt_end - trampoline_gdt - 1
	.long 0
trampoline_jump32:
	.long 0
	.word 0x08
trampoline_jump64:
	.long 0
	.word SEL_KERNEL_CODE
	.align 8
	.global trampoline_root, trampoline_stack, trampoline_argument, trampoline_entry
trampoline_root:
	.quad 0
trampoline_stack:
	.quad 0
trampoline_argument:
	.quad 0
trampoline_entry:
	.quad 0
	.global trampoline_end
trampoline_end:

	.section .note.GNU-stack, "", @progbits

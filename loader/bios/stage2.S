/* stage2.S: BIOS stage 2's way from real mode to C, and C's way to the BIOS and the kernel.
 *
 * Real mode and 32-bit mode share one stack (memory: layout.h); all segments
 * start at 0. Everything here lies below 64 KiB. */
#include "loader/bios/layout.h"

#define CODE32 0x08
#define DATA32 0x10
#define CODE16 0x18
#define DATA16 0x20

	.code16
	.section .head, "ax", @progbits
	.global stage2_header
stage2_header: /* struct bios_stage2_header */
	jmp entry
	.org 8
	.ascii "EPSTAGE2"
	.quad 0
	.quad 0

	/* 1. Keep what stage 1 passed; segments, stack. */
entry:	cli
	cld
	mov %ax, %bx
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $STACK_TOP, %esp
	mov %bx, %ax
	mov %eax, stage2_entry_tsc
	mov %ecx, stage2_entry_tsc + 4
	mov %dl, stage2_drive

	/* 2. 32-bit mode. */
	lgdt gdt_pointer
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $CODE32, $1f
	.code32
1:	mov $DATA32, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss

	/* 3. Zero .bss, call C. */
	mov $bss_start, %edi
	mov $bss_end, %ecx
	sub %edi, %ecx
	xor %eax, %eax
	rep stosb
	call stage2_main
	ud2

	/* void bios_call(uint8_t number, struct bios_registers *regs): INT number with regs'
	 * general registers, ds and es; what it returned, and its flags, to regs. */
	.text
	.global bios_call
bios_call:
	pushal
	movb 36(%esp), %al
	movb %al, interrupt_number
	mov 40(%esp), %esi
	mov $registers, %edi
	mov $9, %ecx
	rep movsl
	ljmp $CODE16, $1f
	.code16
1:	mov $DATA16, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	mov %cr0, %eax
	and $0xfe, %al
	mov %eax, %cr0
	ljmp $0, $2f
2:	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	lidt real_idt_pointer
	mov %esp, saved_esp
	mov $registers, %sp /* interrupts are off */
	popal
	pop %es
	pop %ds
	mov %cs:saved_esp, %esp
	sti
	.byte 0xcd /* INT */
interrupt_number:
	.byte 0
	cli /* and the BIOS may have changed any register and the GDT */
	cld
	pushfw
	push %ds
	push %es
	pushal
	xor %ax, %ax
	mov %ax, %ds
	lgdtl gdt_pointer
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $CODE32, $3f
	.code32
3:	mov $DATA32, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	movzwl %sp, %esp
	mov %esp, %esi
	mov saved_esp, %esp
	mov 40(%esp), %edi
	mov $38, %ecx
	rep movsb
	popal
	ret

	/* _Noreturn void kernel_enter(uint32_t entry, const struct bootinfo *info). */
	.global kernel_enter
kernel_enter:
	mov 4(%esp), %eax
	mov 8(%esp), %ebx
	jmp *%eax

	.data
	.align 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00009b000000ffff
	.quad 0x000093000000ffff
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long gdt
real_idt_pointer:
	.word 0x3ff
	.long 0
	.align 4
saved_esp:
	.long 0
registers: /* struct bios_registers */
	.skip 40
	.global stage2_entry_tsc
	.align 8
stage2_entry_tsc:
	.quad 0
	.global stage2_drive
stage2_drive:
	.byte 0

	.section .note.GNU-stack, "", @progbits

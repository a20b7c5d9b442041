/* head.S: from the boot loader to C.
 *
 * PVH and the BIOS loader enter at entry32 (imgfmt/abi/bootinfo.h); a loader that follows
 * the ELF entry and the Linux 64-bit boot protocol enters at entry64 with rsi = boot_params,
 * or as the UEFI loader does with rsi = struct bootinfo.
 * Both run at the physical address, which never changes; C runs at the virtual one, first at that
 * which it was linked for (relocate.c), on tables that map the first 4 GiB one to one as well.
 * boot.c drops that map. */
#include "shim/arch/x86_64/layout.h"

#define PHYS(symbol) ((symbol) - KERNEL_BASE)
#define PTE_TABLE 0x3 /* present, writable */
#define PTE_LARGE 0x83

	.section .note.pvh, "a", @note
	.align 4
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long PHYS(entry32)
	/* imgfmt/pvh.h: where the bundle is, when it is a segment of this file. */
	.global built_in_bundle
	.long 8, 16, 1
	.asciz "elfpack"
built_in_bundle:
	.quad 0, 0

	.section .text.head, "ax", @progbits
	.code32
	.global entry32
entry32:
	/* 1. Our own segments; ebx stays the loader's argument throughout. */
	cld
	cli
	lgdt PHYS(early_gdt_pointer)
	ljmp $0x08, $PHYS(1f)
1:	mov $0x18, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs

	/* 2. Zero .bss, where the tables and the stack are. */
	mov $PHYS(bss_start), %edi
	mov $PHYS(bss_end), %ecx
	sub %edi, %ecx
	shr $2, %ecx
	rep stosl

	/* 3. When our first instruction ran. */
	rdtsc
	mov %eax, PHYS(boot_entry_tsc)
	mov %edx, PHYS(boot_entry_tsc) + 4

	/* 4. Tables: 4 GiB one to one in 2 MiB pages, its first GiB at KERNEL_BASE too. */
	mov $PHYS(early_pdpt) + PTE_TABLE, %eax
	mov %eax, PHYS(early_pml4)
	mov $PHYS(early_pdpt_kernel) + PTE_TABLE, %eax
	mov %eax, PHYS(early_pml4) + 511 * 8
	mov $PHYS(early_pd) + PTE_TABLE, %eax
	mov %eax, PHYS(early_pdpt_kernel) + 510 * 8
	xor %ecx, %ecx
1:	mov %eax, PHYS(early_pdpt)(, %ecx, 8)
	add $0x1000, %eax
	inc %ecx
	cmp $4, %ecx
	jb 1b
	mov $PTE_LARGE, %eax
	xor %ecx, %ecx
1:	mov %eax, PHYS(early_pd)(, %ecx, 8)
	add $0x200000, %eax
	inc %ecx
	cmp $2048, %ecx
	jb 1b

	/* 5. PAE, long mode, paging. */
	mov $0x20, %eax /* PAE alone, whatever a loader had */
	mov %eax, %cr4
	mov $PHYS(early_pml4), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx /* IA32_EFER */
	rdmsr
	or $0x100, %eax /* LME */
	wrmsr
	mov %cr0, %eax
	or $0x80000001, %eax
	mov %eax, %cr0
	ljmp $SEL_KERNEL_CODE, $PHYS(2f)

	/* 6. 64-bit: to the virtual address, a stack, C. */
	.code64
2:	movabs $3f, %rax
	jmp *%rax
3:	lea boot_stack + BOOT_STACK_SIZE(%rip), %rsp
	xor %ebp, %ebp
	mov %ebx, %edi
	call boot_main
	ud2

	/* The Linux 64-bit protocol: paging on, the first GiB mapped one to one. Back to 32-bit
	 * mode without paging, with bit 0 of ebx (never set in the other case: both structures
	 * are aligned) to say what it points at. */
	.global entry64
entry64:
	cld
	cli
	lea 1(%rsi), %ebx
	lgdt early_gdt_pointer64(%rip)
	lea PHYS(early_pdpt), %rax /* any memory of ours as a stack */
	lea 4096(%rax), %rsp
	pushq $0x08
	pushq $PHYS(4f)
	lretq
	.code32
4:	mov $0x18, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov %cr4, %eax
	and $~(1 << 17), %eax /* PCIDE: with it paging cannot be left (SDM 3, 4.10.1) */
	mov %eax, %cr4
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	mov $0xc0000080, %ecx
	rdmsr
	and $0xfffffeff, %eax
	wrmsr
	jmp entry32

	.global entry64_phys
	.set entry64_phys, PHYS(entry64)

	.align 8
early_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* 08: code, 32-bit */
	.quad 0x00af9b000000ffff /* 10: code, 64-bit */
	.quad 0x00cf93000000ffff /* 18: data */
early_gdt_pointer:
	.word early_gdt_pointer - early_gdt - 1
	.long PHYS(early_gdt)
early_gdt_pointer64:
	.word early_gdt_pointer - early_gdt - 1
	.quad PHYS(early_gdt)

	.section .bss
	.align BOOT_STACK_SIZE /* panic.c: a back trace stays on its stack */
	.global boot_stack
boot_stack:
	.skip BOOT_STACK_SIZE
	.align 8
	.global boot_entry_tsc
boot_entry_tsc:
	.skip 8

	.section .early, "aw", @nobits
	.align 4096
early_pml4:
	.skip 4096
early_pdpt:
	.skip 4096
	.global early_pdpt_kernel
early_pdpt_kernel:
	.skip 4096
early_pd:
	.skip 4 * 4096
	.global early_moved_pd, early_moved_pt
early_moved_pd:
	.skip 4096
early_moved_pt:
	.skip EARLY_MOVED_TABLES * 4096

	.section .note.GNU-stack, "", @progbits

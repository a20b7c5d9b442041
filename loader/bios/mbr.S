/* mbr.S: BIOS stage 1, 440 bytes in LBA 0: reads stage 2 whole and jumps to it.
 *
 * Enters at 0000:7c00 or 07c0:0000 with the drive in DL; leaves for 0000:8000 as
 * imgfmt/abi/bios.h says. A drive of larger sectors (2,048 bytes on a CD, 4,096) cannot be read
 * from where stage 2 begins, so there the read starts 1,024 bytes earlier, at 0x7c00, and ends
 * 1,024 bytes short of 32 KiB (stage2.ld keeps those free). */
#define STAGE1_AT 0x600
#define STAGE1_CODE 440 /* BIOS_STAGE1_BYTES */
#define STAGE2_AT 0x8000
#define STACK_TOP 0x7c00
#define PARAMETERS_AT 0x7000 /* INT 13h AH=48h writes here */
#define COM1 0x3f8

	.code16
	.section .text, "ax", @progbits
	.global start
start:
	/* 1. A stack and segments of our own; the time of our first instruction. */
	cli
	cld
	mov %dx, %bp
	rdtsc
	xor %bx, %bx
	mov %bx, %ss
	mov $STACK_TOP, %sp
	mov %bx, %ds
	mov %bx, %es
	sti
	push %edx
	push %eax

	/* 2. Out of the way of what is read; from here labels are where we run. */
	mov $STACK_TOP, %si
	mov $STAGE1_AT, %di
	mov $256, %cx
	rep movsw
	ljmp $0, $1f

	/* 3. Can the BIOS read by block number? */
1:	mov $message_extensions, %di
	mov %bp, %dx
	mov $0x41, %ah
	mov $0x55aa, %bx
	int $0x13
	jc fail
	cmp $0xaa55, %bx
	jne fail
	test $1, %cl
	jz fail

	/* 4. Larger sectors? */
	mov $PARAMETERS_AT, %si
	movw $0x1e, (%si)
	movw $512, 0x18(%si)
	mov %bp, %dx
	mov $0x48, %ah
	int $0x13
	jc 2f
	movzbw PARAMETERS_AT + 0x19, %cx
	shr $1, %cl /* of 512 bytes */
	cmp $1, %cl
	jbe 2f
	mov $64, %ax
	div %cl
	mov %al, count
	mov packet_lba, %ax
	sub $2, %ax
	div %cl
	xor %ah, %ah
	mov %ax, packet_lba
	movw $STACK_TOP, packet_offset

	/* 5. Read, three times at most. */
2:	mov $message_read, %di
	mov $3, %cx
3:	push %cx
	mov count, %al /* of the last try the BIOS wrote what it had read */
	mov %al, packet_count
	mov $packet, %si
	mov %bp, %dx
	mov $0x42, %ah
	int $0x13
	pop %cx
	jnc 4f
	xor %ah, %ah
	mov %bp, %dx
	int $0x13
	loop 3b
	jmp fail

	/* 6. Is it ours? ECX:EAX = the time, DL = the drive. */
4:	mov $message_foreign, %di
	cmpl $0x54535045, STAGE2_AT + 8 /* EPST */
	jne fail
	cmpl $0x32454741, STAGE2_AT + 12 /* AGE2 */
	jne fail
	pop %eax
	pop %ecx
	mov %bp, %dx
	ljmp $0, $STAGE2_AT

	/* Says di's text on the screen and on COM1, then stops. */
fail:	xor %ax, %ax
	mov %ax, %ds
	mov $COM1 + 3, %dx
	mov $0x83, %al
	out %al, %dx
	mov $COM1, %dx
	mov $1, %ax
	out %ax, %dx /* divisor 1: 115,200 baud */
	mov $COM1 + 3, %dx
	mov $0x03, %al
	out %al, %dx
	mov $message_name, %si
	call print
	mov %di, %si
	call print
	mov $message_end, %si
	call print
6:	cli
	hlt
	jmp 6b

print:	lodsb
	test %al, %al
	jz 9f
	push %si
	push %di
	push %ax
	mov $0x0e, %ah
	mov $7, %bx
	int $0x10
	mov $COM1 + 5, %dx
	xor %cx, %cx
7:	in %dx, %al
	test $0x20, %al
	loopz 7b /* at most 65,536 times: COM1 may be absent */
	pop %ax
	mov $COM1, %dx
	out %al, %dx
	pop %di
	pop %si
	jmp print
9:	ret

message_name:
	.asciz "elfpack: "
message_extensions:
	.asciz "the BIOS cannot read this drive by LBA"
message_read:
	.asciz "disk read error in stage 2"
message_foreign:
	.asciz "stage 2 is not in its place"
message_end:
	.asciz "\r\n"

count:	.byte 64

	.org STAGE1_CODE - 16 /* an error when the code is longer */
packet: /* disk address packet, EDD */
	.byte 16, 0
packet_count:
	.word 64
packet_offset:
	.word STAGE2_AT, 0
packet_lba: /* BIOS_STAGE1_LBA_AT: the image writer may put another here */
	.quad 34

	.section .note.GNU-stack, "", @progbits

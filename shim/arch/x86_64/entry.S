/* entry.S: from ring 3 to C and back, and the switch of kernel stacks.
 *
 * GS holds the CPU's struct percpu whenever ring 0 runs C; ring 3's GS base waits in the
 * other register. Three kinds of entry:
 *   syscall        from ring 3, on ring 3's stack: swapgs, then the thread's kernel stack
 *   gates          the saved CS says whether GS must be swapped; the CPU has changed to the
 *                  thread's kernel stack if it came from ring 3
 *   IST gates      NMI, #DF, #MC, #DB: may come where neither CS nor GS can be believed (after
 *                  syscall, before swapgs): GS is saved, set from the stack's own top, and
 *                  put back
 * Every entry builds a struct trapframe (cpu.h). */
#include "shim/arch/x86_64/layout.h"

/* CLAC where the CPU has SMAP (cpu.c patches it in): ring 3 may have set AC, and a fault in
 * usercopy comes with it set. */
	.macro SMAP_CLOSE
7701:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.long 7701b - .
	.long 0xca010f
	.popsection
	.endm

	.macro PUSH_REGISTERS
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %rax
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	.endm

	.macro POP_REGISTERS
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rax
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	.endm

/* Nothing of ring 3 is left in registers that C might use under speculation; rbp = 0 ends
 * back traces. */
	.macro CLEAR_REGISTERS
	xor %eax, %eax
	xor %ecx, %ecx
	xor %edx, %edx
	xor %esi, %esi
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	xor %ebx, %ebx
	xor %ebp, %ebp
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	.endm

	.section .text.entry, "ax", @progbits

/* IA32_LSTAR. rcx = return address, r11 = flags; FMASK has cleared IF DF TF AC NT RF. */
	.global syscall_entry
	.type syscall_entry, @function
syscall_entry:
	swapgs
	mov %rsp, %gs:PERCPU_USER_RSP
	mov %gs:PERCPU_KERNEL_RSP, %rsp
	push $SEL_USER_DATA
	push %gs:PERCPU_USER_RSP
	push %r11
	push $SEL_USER_CODE
	push %rcx
	push %rax /* error: the call's number */
	push $VECTOR_SYSCALL
	PUSH_REGISTERS
	CLEAR_REGISTERS
	mov %rsp, %rdi
	call trap_from_user
	/* fall through */

/* rsp = frame, the kernel lock left. SYSRET only where it restores all that the frame says:
 * with a non-canonical rcx it faults in ring 0 on the stack of ring 3 (Intel), and it loads
 * rip from rcx and the flags from r11. */
	.type return_to_user, @function
return_to_user:
	cmpq $VECTOR_SYSCALL, FRAME_VECTOR(%rsp)
	jne 1f
	mov FRAME_RIP(%rsp), %rcx
	cmp %rcx, FRAME_RCX(%rsp)
	jne 1f
	mov FRAME_RFLAGS(%rsp), %r11
	cmp %r11, FRAME_R11(%rsp)
	jne 1f
	test $(RFLAGS_TF | RFLAGS_RF), %r11d
	jnz 1f
	shr $47, %rcx
	jnz 1f
	POP_REGISTERS
	mov FRAME_RSP - FRAME_VECTOR(%rsp), %rsp
	swapgs
	sysretq
1:	POP_REGISTERS
	add $16, %rsp
	swapgs
	iretq

/* arch_enter_user's end: rdi = frame. */
	.global return_to_frame
	.type return_to_frame, @function
return_to_frame:
	mov %rdi, %rsp
	jmp return_to_user

/* Vector and error code are pushed. */
	.type gate_common, @function
gate_common:
	cld
	SMAP_CLOSE
	PUSH_REGISTERS
	testb $3, FRAME_CS(%rsp)
	jz 1f
	swapgs
	lfence /* no guess at the branch may run on with ring 3's GS */
	mov $SEL_KERNEL_DATA, %eax
	mov %eax, %ss /* a gate leaves it null: as SYSCALL does, or TCG translates all twice */
	CLEAR_REGISTERS
	mov %rsp, %rdi
	call trap_from_user
	jmp return_to_user
1:	lfence
	mov %rsp, %rdi
	call trap_from_kernel
	POP_REGISTERS
	add $16, %rsp
	iretq

/* On an IST stack. rbx keeps GS' base as it was found. */
	.type gate_ist, @function
gate_ist:
	cld
	SMAP_CLOSE
	PUSH_REGISTERS
	rdgsbase %rbx
	mov %rsp, %rax
	or $(IST_STACK_SIZE - 1), %rax
	mov -15(%rax), %rax /* struct ist_stack's owner */
	cmpq $VECTOR_DEBUG, FRAME_VECTOR(%rsp)
	jne 1f
	testb $3, FRAME_CS(%rsp)
	jnz 2f
1:	wrgsbase %rax
	lfence
	mov %rsp, %rdi
	call trap_on_ist
	wrgsbase %rbx
	POP_REGISTERS
	add $16, %rsp
	iretq

/* A #DB of ring 3 (single step, INT1) is an exception like others: its frame moves to the
 * thread's stack, where it may sleep and switch. */
2:	swapgs
	lfence
	mov PERCPU_KERNEL_RSP(%rax), %rdi
	sub $FRAME_SIZE, %rdi
	mov %rsp, %rsi
	mov %rdi, %rdx
	mov $(FRAME_SIZE / 8), %ecx
	rep movsq
	mov %rdx, %rsp
	CLEAR_REGISTERS
	mov %rsp, %rdi
	call trap_from_user
	jmp return_to_user

/* One stub a vector, 16 bytes apart. Those with an error code: SDM 3, 6.15. */
	.macro GATE vector
	.balign 16
	.if (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17) || (\vector == 21) || (\vector == 29) || (\vector == 30)
	.else
	push $0
	.endif
	push $\vector
	.if (\vector == VECTOR_DEBUG) || (\vector == VECTOR_NMI) || (\vector == VECTOR_DOUBLE_FAULT) || (\vector == VECTOR_MACHINE_CHECK)
	jmp gate_ist
	.else
	jmp gate_common
	.endif
	.endm

	.altmacro
	.balign 16
	.global gate_stubs
	.type gate_stubs, @function
gate_stubs:
	.set vector, 0
	.rept 256
	GATE %vector
	.set vector, vector + 1
	.endr

/* void stack_switch(uint64_t *save_rsp, uint64_t load_rsp) */
	.global stack_switch
	.type stack_switch, @function
stack_switch:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rdi)
	mov %rsi, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret

/* Where stack_switch returns to in a new thread: r12 = entry, r13 = its argument. */
	.global thread_first
	.type thread_first, @function
thread_first:
	mov %r13, %rdi
	xor %ebp, %ebp
	call *%r12
	ud2

	.section .note.GNU-stack, "", @progbits

/* copy_user.S: every instruction of ring 0 that touches an address of ring 3, and the MSR
 * accesses that may be refused. Each has a row in .extable (where it may fault, where to go on
 * when the fault cannot be resolved); trap.c reads it. STAC and CLAC are patched over NOPs
 * where the CPU has SMAP. */

	.macro SMAP_OPEN
7701:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.long 7701b - .
	.long 0xcb010f
	.popsection
	.endm

	.macro SMAP_CLOSE
7702:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.long 7702b - .
	.long 0xca010f
	.popsection
	.endm

	.macro FIXUP at, to
	.pushsection .extable, "a"
	.long \at - .
	.long \to - .
	.popsection
	.endm

	.macro FUNCTION name
	.section .text.\name, "ax", @progbits
	.global \name
	.type \name, @function
\name:
	.endm

/* size_t user_copy(void *to, const void *from, size_t size): bytes not copied. A fault among
 * the eights goes on by ones from there, so that every byte before the bad page is copied. */
	FUNCTION user_copy
	SMAP_OPEN
	mov %rdx, %rcx
	and $7, %edx
	shr $3, %rcx
1:	rep movsq
	mov %rdx, %rcx
2:	rep movsb
	mov %rcx, %rax
	SMAP_CLOSE
	ret
3:	lea (%rdx, %rcx, 8), %rcx
	jmp 2b
4:	mov %rcx, %rax
	SMAP_CLOSE
	ret
	FIXUP 1b, 3b
	FIXUP 2b, 4b

/* size_t user_zero(void *to, size_t size): bytes not written. */
	FUNCTION user_zero
	SMAP_OPEN
	xor %eax, %eax
	mov %rsi, %rcx
	and $7, %esi
	shr $3, %rcx
1:	rep stosq
	mov %rsi, %rcx
2:	rep stosb
3:	mov %rcx, %rax
	SMAP_CLOSE
	ret
4:	lea (%rsi, %rcx, 8), %rcx
	jmp 2b
	FIXUP 1b, 4b
	FIXUP 2b, 3b

/* long user_copy_string(char *to, const char *from, size_t room): length without the NUL; room
 * when there was none in so many bytes; -1 on a fault. */
	FUNCTION user_copy_string
	SMAP_OPEN
	xor %eax, %eax
1:	cmp %rdx, %rax
	jae 3f
2:	movzbl (%rsi, %rax), %ecx
	mov %cl, (%rdi, %rax)
	test %cl, %cl
	jz 3f
	inc %rax
	jmp 1b
3:	SMAP_CLOSE
	ret
4:	mov $-1, %rax
	SMAP_CLOSE
	ret
	FIXUP 2b, 4b

/* int user_get32(uint32_t *value, const uint32_t *from): 0, or -1 on a fault. */
	FUNCTION user_get32
	SMAP_OPEN
1:	mov (%rsi), %ecx
	SMAP_CLOSE
	mov %ecx, (%rdi)
	xor %eax, %eax
	ret
2:	SMAP_CLOSE
	mov $-1, %eax
	ret
	FIXUP 1b, 2b

/* int user_put32(uint32_t *to, uint32_t value) */
	FUNCTION user_put32
	SMAP_OPEN
1:	mov %esi, (%rdi)
	SMAP_CLOSE
	xor %eax, %eax
	ret
2:	SMAP_CLOSE
	mov $-1, %eax
	ret
	FIXUP 1b, 2b

/* int user_swap32(uint32_t *at, uint32_t expected, uint32_t desired, uint32_t *old) */
	FUNCTION user_swap32
	SMAP_OPEN
	mov %esi, %eax
1:	lock cmpxchgl %edx, (%rdi)
	SMAP_CLOSE
	mov %eax, (%rcx)
	xor %eax, %eax
	ret
2:	SMAP_CLOSE
	mov $-1, %eax
	ret
	FIXUP 1b, 2b

/* bool rdmsr_safe(uint32_t msr, uint64_t *value) */
	FUNCTION rdmsr_safe
	mov %edi, %ecx
1:	rdmsr
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, (%rsi)
	mov $1, %eax
	ret
2:	xor %eax, %eax
	mov %rax, (%rsi)
	ret
	FIXUP 1b, 2b

/* bool wrmsr_safe(uint32_t msr, uint64_t value) */
	FUNCTION wrmsr_safe
	mov %edi, %ecx
	mov %esi, %eax
	mov %rsi, %rdx
	shr $32, %rdx
1:	wrmsr
	mov $1, %eax
	ret
2:	xor %eax, %eax
	ret
	FIXUP 1b, 2b

/* bool fpu_xrstor_checked(const void *area, uint64_t components) and the older form: false when
 * the CPU refuses the bytes (a program made them). */
	FUNCTION fpu_xrstor_checked
	mov %esi, %eax
	mov %rsi, %rdx
	shr $32, %rdx
1:	xrstor64 (%rdi)
	mov $1, %eax
	ret
2:	xor %eax, %eax
	ret
	FIXUP 1b, 2b

	FUNCTION fpu_fxrstor_checked
1:	fxrstor64 (%rdi)
	mov $1, %eax
	ret
2:	xor %eax, %eax
	ret
	FIXUP 1b, 2b

	.section .note.GNU-stack, "", @progbits

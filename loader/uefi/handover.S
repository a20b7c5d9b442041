/* handover.S: from the firmware's memory to the kernel's. Arguments as Windows passes them:
 * rcx = page tables, rdx = copy of the code below, r8 = pieces, r9 = bootinfo.
 *
 * The kernel's pages may hold whatever the firmware left there, its page tables and our stack
 * included: no stack is used, and all that is read lies in pages of our own. */
	.text
	.global handover
handover:
	cli
	cld
	mov %rcx, %cr3
	jmp *%rdx

	/* Anywhere, with our tables. */
	.global handover_code, handover_code_end
handover_code:
1:	mov (%r8), %rdi
	test %rdi, %rdi
	jz 2f
	mov 8(%r8), %rsi
	mov 16(%r8), %rcx
	rep movsb
	mov 24(%r8), %rcx
	xor %eax, %eax
	rep stosb
	add $32, %r8
	jmp 1b
2:	mov %r9, %rsi /* the kernel's entry64: rsi = bootinfo */
	jmp *8(%r8)
handover_code_end:

/* image.S: the vDSO's bytes in the kernel; mm/vdso.c copies them to a page of their own. */
	.section .rodata
	.globl vdso_image_start, vdso_image_end
	.balign 8
vdso_image_start:
	.incbin VDSO_IMAGE
vdso_image_end:
	.section .note.GNU-stack, "", @progbits

/* mtrr.h: memory types by range (SDM 3, 11.11): the same on every CPU. */
#ifndef SHIM_ARCH_X86_64_MTRR_H
#define SHIM_ARCH_X86_64_MTRR_H

void mtrr_remember(void); /* the boot CPU's, as the firmware set them */
/* Repeats them on a CPU whose caches are off since its INIT (CR0.CD). */
void mtrr_repeat(void);

#endif

/* fpu.h: the arch side of FPU state; cpu.h has what others call. */
#ifndef SHIM_ARCH_X86_64_FPU_H
#define SHIM_ARCH_X86_64_FPU_H

#include <stdbool.h>

struct account;
struct arch_thread;

void fpu_setup(bool first); /* every CPU: XCR0, MXCSR */
int fpu_make(struct arch_thread *t, struct account *account);
/* A switch: the CPU's registers are from's, and to's afterwards. */
void fpu_leave(struct arch_thread *from);
void fpu_enter(struct arch_thread *to);

#endif

/* panic.h: the end of a kernel that found itself wrong. lib/print.h has panic itself. */
#ifndef SHIM_ARCH_X86_64_PANIC_H
#define SHIM_ARCH_X86_64_PANIC_H

#include <stdint.h>

struct trapframe;

_Noreturn void panic_exception(const struct trapframe *frame, uint64_t address);

#endif

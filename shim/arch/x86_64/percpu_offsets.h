/* percpu_offsets.h: where fields of struct percpu (percpu.h) lie, for assembler code and
 * cpu.h. */
#ifndef SHIM_ARCH_X86_64_PERCPU_OFFSETS_H
#define SHIM_ARCH_X86_64_PERCPU_OFFSETS_H

#define PERCPU_SELF       0
#define PERCPU_KERNEL_RSP 8
#define PERCPU_USER_RSP   16
#define PERCPU_THREAD     32

#endif

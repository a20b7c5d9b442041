/* kmain.h: what the machine's own start-up hands to the portable kernel, and what of it
 * the rest may ask for. */
#ifndef SHIM_KMAIN_H
#define SHIM_KMAIN_H

#include <stdbool.h>

#include "imgfmt/abi/bootinfo.h"

/* Runs the image; called by arch boot.c on the boot stack with memory, traps, clock and
 * console ready, interrupts off, the kernel lock held, the bundle marked PAGE_IMAGE. */
_Noreturn void kmain(const struct bootinfo *info);

/* Is word one of the space-separated words of the boot command line (PVH's, or QEMU's
 * fw_cfg item opt/elfpack/cmdline)? `strace`: trace system calls to the console. */
bool boot_flag(const char *word);

#endif

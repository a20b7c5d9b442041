/* bootparams.h: what loaders other than ours hand over: PVH's hvm_start_info (Xen
 * arch-x86/hvm/start_info.h) and Linux' boot_params (Documentation/arch/x86/zero-page).
 * Read where the loader left them, before our own tables are loaded. */
#ifndef SHIM_ARCH_X86_64_BOOTPARAMS_H
#define SHIM_ARCH_X86_64_BOOTPARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/abi/bootinfo.h"

/* Fills info from what entry32's ebx points at (bit 0: boot_params); cmdline gets the
 * command line, at most room - 1 bytes. False: it is none of the three. */
bool bootparams_read(struct bootinfo *info, char *cmdline, uint64_t room,
		     uint32_t argument);

#endif

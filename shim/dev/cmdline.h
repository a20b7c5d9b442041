/* cmdline.h: words for the kernel: the loader's command line, and QEMU's fw_cfg item
 * opt/elfpack/cmdline behind it.
 *
 *   nokaslr                  the kernel stays where it was linked: for a debugger
 *   strace                   system calls are traced to the console
 *   virtio_mmio.device=...   devices that no table names (virtio_mmio.c) */
#ifndef SHIM_DEV_CMDLINE_H
#define SHIM_DEV_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#define CMDLINE_MAX 4096u /* with the NUL: imgfmt/abi/bootinfo.h */

/* The whole text, NUL-terminated: the loader's, to which cmdline_complete adds. Both at
 * boot; neither keeps an address. */
char *cmdline_text(void);
void cmdline_complete(void);
/* Is word one of its space-separated words? */
bool cmdline_has(const char *word);

#endif

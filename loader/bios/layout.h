/* layout.h: the first MiB while stage 2 runs, for C, assembly and stage2.ld.
 *
 *   0x00000  interrupt vectors, BIOS data
 *   0x00600  stage 1 (mbr.S) after it moved itself
 *   0x07000  top of our stack; stage 1: drive parameters
 *   0x07c00  top of stage 1's stack, stage 1 as the BIOS read it
 *   0x08000  stage 2 as read from the disk, at most 31 KiB used
 *   0x10000  stage 2's zeroed data; bootinfo stays there for the kernel
 *   0x20000  bounce buffer for INT 13h, below one 64 KiB boundary
 *   0x30000  free, then the EBDA and the ROMs
 */
#ifndef LOADER_BIOS_LAYOUT_H
#define LOADER_BIOS_LAYOUT_H

/* On a page of its own: stage 1's code is on 0x7c00's, and every write to a page with
 * code that has run is slow, on emulators most of all. */
#define STACK_TOP        0x7000
#define STAGE2_AT        0x8000
#define STAGE2_BYTES_MAX 0x7c00
#define BSS_AT           0x10000
#define BOUNCE_AT        0x20000
#define BOUNCE_BYTES     0x10000
#define HIGH_MEMORY      0x100000

#endif

/* address_map.h: where things lie in memory, drawn once; for C, assembly and shim.ld.
 *
 * Physical                              Virtual
 *   0x0010_0000 the kernel's segments     0000_0000_0001_0000 ring 3 (mm/vm.h)
 *        ...    then the RAM that         0000_7fff_ffff_f000 end of ring 3
 *               page.c gives out
 *   anywhere    the boot bundle           ffff_8000_0000_0000 all RAM, never executable;
 *   0xfec0_0000 I/O APIC                                      the kernel's text and the
 *   0xfee0_0000 local APIC                                    bundle read-only
 *                                         ffff_d000_0000_0000 struct page of each frame
 *                                         ffff_e000_0000_0000 devices, firmware tables
 *                                         ffff_ffff_8010_0000 the kernel: text R-X,
 *                                                             rodata R--, data RW-
 *
 * That is where things are linked. At boot the kernel moves up, to a random place in the
 * last GiB, and the three areas above it, together, by a random number of GiB
 * (relocate.c).
 *
 * Each virtual area has level 4 entries of its own, made at boot and never changed after,
 * so that address spaces share the upper half by copying 256 entries once. */
#ifndef SHIM_ARCH_X86_64_ADDRESS_MAP_H
#define SHIM_ARCH_X86_64_ADDRESS_MAP_H

#define KERNEL_PHYS     0x100000
#define KERNEL_BASE     0xffffffff80000000
#define KERNEL_MOST     0x700000 /* bytes: 8 MiB with what lies below KERNEL_PHYS */
#define DIRECT_MAP_BASE 0xffff800000000000
#define DIRECT_MAP_SIZE 0x400000000000 /* 64 TiB; RAM above is not used */
#define PAGE_ARRAY_BASE 0xffffd00000000000
#define DEVICE_MAP_BASE 0xffffe00000000000
#define DEVICE_MAP_SIZE 0x8000000000
#define AREA_SLIDE_MOST                                                                  \
	0xf0000000000 /* of each of the three: 15 TiB, which all leave free */

#endif

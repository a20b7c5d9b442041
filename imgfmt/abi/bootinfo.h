/* bootinfo.h: what a boot loader tells the kernel.
 *
 * Entry contract (shim/arch/x86_64/head.S): 32-bit protected mode, paging off, flat 4 GiB
 * segments, interrupts off, the shim's ELF segments loaded at their physical addresses,
 * ebx = physical address below 4 GiB of either a struct bootinfo (BIOS) or a PVH
 * hvm_start_info, told apart by their first four bytes. The entry address is that of the
 * ELF note "Xen" type 18 (XEN_ELFNOTE_PHYS32_ENTRY), whose descriptor is 4 or 8 bytes.
 * Nothing else is promised: no stack, no descriptor table, no A20 question.
 *
 * The UEFI loader enters at the ELF header's entry instead: 64-bit mode, the first 4 GiB
 * mapped one to one, interrupts off, rsi = physical address of a struct bootinfo below 4
 * GiB. */
#ifndef ELFPACK_ABI_BOOTINFO_H
#define ELFPACK_ABI_BOOTINFO_H

#include "imgfmt/abi/le.h"

#define BOOTINFO_MAGIC       0x49425045u /* "EPBI" */
#define BOOTINFO_REGIONS_MAX 128u

enum boot_firmware { BOOT_BIOS = 1, BOOT_UEFI = 2, BOOT_PVH = 3 };

/* ACPI 6.4 15: address range types. Anything that is not 1 is never touched. */
enum boot_region_type { BOOT_RAM = 1, BOOT_RESERVED = 2, BOOT_ACPI = 3, BOOT_NVS = 4 };

struct boot_region {
	le64 base;
	le64 size;
	le32 type;
	le32 reserved;
};
_Static_assert(sizeof(struct boot_region) == 24, "bootinfo ABI");

struct bootinfo {
	le32 magic;
	le32 firmware;     /* enum boot_firmware */
	le64 bundle_phys;  /* page aligned for BIOS and UEFI; for PVH wherever the VMM put
			      it */
	le64 bundle_size;  /* bytes handed over; at least the header's bundle_size */
	le64 rsdp_phys;    /* ACPI RSDP, 0 when unknown */
	le64 cmdline_phys; /* NUL-terminated, at most 4,095 bytes; 0 when there is none */
	le64 entry_tsc;    /* TSC when our first instruction ran, 0 when not taken */
	le32 region_count;
	le32 reserved;
	struct boot_region
		region[BOOTINFO_REGIONS_MAX]; /* as the firmware gave them: unsorted,
					       * perhaps overlapping */
};
_Static_assert(sizeof(struct bootinfo) == 56 + 24 * 128, "bootinfo ABI");

#endif

/* bios.h: where the BIOS stages lie on the disk, and what the image writer patches in
 * them.
 *
 *   LBA 0        MBR: 440 bytes of stage 1 code, then the protective partition table
 *   LBA 1..33    GPT header and entries
 *   LBA 34..     stage 2, BIOS_STAGE2_SECTORS sectors, in the gap before 1 MiB; elsewhere
 *                where a format needs this place (-f iso)
 *
 * Stage 2 starts with struct bios_stage2_header; its first bytes are a jump over it. LBAs
 * count 512-byte sectors. Stage 1 always reads 32 KiB; on a drive of larger sectors the
 * read starts 1,024 bytes early and ends as much short: so stage 2 may be 31 KiB, and its
 * LBA is 2 more than a multiple of 8. */
#ifndef ELFPACK_ABI_BIOS_H
#define ELFPACK_ABI_BIOS_H

#include "imgfmt/abi/le.h"

#define BIOS_STAGE1_BYTES   440u
#define BIOS_STAGE1_LBA_AT  432u /* byte of stage 1: where stage 2 lies, le64 */
#define BIOS_STAGE2_LBA     34u
#define BIOS_STAGE2_SECTORS 64u /* always read whole: 32 KiB, no patching of stage 1 */
#define BIOS_STAGE2_LOAD                                                                 \
	0x8000u /* physical; stage 1 jumps to 0000:8000, DL = drive,                     \
		 * ECX:EAX = the TSC when stage 1 started */
#define BIOS_STAGE2_MAGIC "EPSTAGE2" /* 8 bytes, no NUL */

struct bios_stage2_header {
	uint8_t jump[8];
	uint8_t magic[8];
	le64 bundle_lba;     /* patched by the image writer */
	le64 bundle_sectors; /* patched by the image writer */
};
_Static_assert(sizeof(struct bios_stage2_header) == 32, "BIOS stage 2 ABI");

#endif

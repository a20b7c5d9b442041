/* layout.h: where everything lies on the disk. Pure; drawn once here.
 *
 *   LBA 0          MBR with the BIOS first stage
 *   LBA 1..33      GPT
 *   LBA 34..127    BIOS second stage (abi/bios.h), in a BIOS boot partition of its own so
 *                  that no tool takes its place for free. A format may want room of its
 * own here: then that, and 1 KiB and the second stage behind it next 64 KiB    EFI system
 * partition (uefi_system.h), when there is one next 64 KiB    the bundle's partition end
 * GPT's second copy; the disk is whole 4 KiB blocks */
#ifndef ELFPACK_LAYOUT_H
#define ELFPACK_LAYOUT_H

#include "imgfmt/abi/bios.h"
#include "imgfmt/bundle.h"
#include "imgfmt/diag.h"
#include "imgfmt/extents.h"
#include "imgfmt/gpt.h"

#define LAYOUT_ALIGN_SECTORS 128u /* 64 KiB: partitions start on multiples of it */

/* A disk has at least a cylinder (16 heads of 63 sectors), or SeaBIOS cannot read its
 * first sector and does not boot from it: 1 MiB. */
#define LAYOUT_SECTORS_LEAST 2048u

struct image_parts {
	const uint8_t *stage1, *stage2; /* as built: mbr.bin, stage2.bin */
	size_t stage1_size, stage2_size;
	const struct extents *system_partition; /* FAT; NULL: none */
	const uint8_t *uefi; /* bootx64.efi as built, for -f efi; NULL: unknown */
	size_t uefi_size;
	const struct bundle *bundle;
	uint64_t disk_multiple; /* bytes: the disk has whole ones; 0: BUNDLE_BLOCK */
	/* Bytes of the disk that the format fills, from its start and behind the
	 * partition table; whole 64 KiB. */
	uint64_t format_room;
};

struct layout {
	uint64_t bundle_lba, bundle_sectors;
	uint64_t system_lba, system_sectors; /* 0: none */
	uint64_t stage2_lba;
	struct extents extents; /* the whole disk: do not move the struct */
	uint8_t head[GPT_HEAD_SECTORS * GPT_SECTOR];
	uint8_t stage2[BIOS_STAGE2_SECTORS * GPT_SECTOR];
	uint8_t tail[GPT_TAIL_SECTORS * GPT_SECTOR];
};

int layout_plan(struct layout *layout, const struct image_parts *parts, struct diag *why);
void layout_free(struct layout *layout);

#endif

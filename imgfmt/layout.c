/* layout.c: planning a disk image, and patching the BIOS stages for it. */
#include <string.h>

#include "imgfmt/layout.h"

#define BLOCK_SECTORS (BUNDLE_BLOCK / GPT_SECTOR)

_Static_assert(BIOS_STAGE2_LBA >= GPT_HEAD_SECTORS, "stage 2 lies behind the table");
_Static_assert(BIOS_STAGE2_LBA + BIOS_STAGE2_SECTORS <= LAYOUT_ALIGN_SECTORS,
	       "stage 2 lies before the first partition");

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static int put_stages(struct layout *layout, const struct image_parts *parts,
		      struct diag *why)
{
	struct bios_stage2_header *header = (void *)layout->stage2;
	/* A part may be a whole sector; what counts is that nothing lies in the tables.
	 */
	if (parts->stage1_size > GPT_SECTOR)
		return diag_set(why, "mbr.bin: %zu bytes, a sector has %u",
				parts->stage1_size, GPT_SECTOR);
	for (size_t i = BIOS_STAGE1_BYTES; i < parts->stage1_size && i < 510; i++)
		if (parts->stage1[i])
			return diag_set(why, "mbr.bin: code past its %u bytes",
					BIOS_STAGE1_BYTES);
	size_t room = sizeof(layout->stage2);
	if (parts->stage2_size > room || parts->stage2_size < sizeof(*header))
		return diag_set(why, "stage2.bin: %zu bytes, %zu to %zu fit",
				parts->stage2_size, sizeof(*header), room);
	memcpy(layout->head, parts->stage1,
	       parts->stage1_size < BIOS_STAGE1_BYTES ? parts->stage1_size
						      : BIOS_STAGE1_BYTES);
	*(le64 *)(layout->head + BIOS_STAGE1_LBA_AT) = le64_make(layout->stage2_lba);
	memcpy(layout->stage2, parts->stage2, parts->stage2_size);
	if (memcmp(header->magic, BIOS_STAGE2_MAGIC, sizeof(header->magic)) != 0)
		return diag_set(why,
				"stage2.bin: not elfpack's second stage (wrong magic)");
	header->bundle_lba = le64_make(layout->bundle_lba);
	header->bundle_sectors = le64_make(layout->bundle_sectors);
	return 0;
}

static void put_tables(struct layout *layout, const struct image_parts *parts,
		       uint64_t sectors)
{
	static const uint8_t system_type[16] = GPT_TYPE_SYSTEM;
	static const uint8_t boot_type[16] = GPT_TYPE_BIOS_BOOT;
	static const uint8_t bundle_type[16] = BUNDLE_GPT_TYPE;
	const struct bundle_header *header = (const void *)parts->bundle->header;
	struct gpt_partition partition[3] = {
		{.first_lba = layout->stage2_lba,
		 .last_lba = layout->stage2_lba | (LAYOUT_ALIGN_SECTORS - 1),
		 .name = "BIOS boot"}};
	unsigned count = 1;
	memcpy(partition[0].type, boot_type, 16);
	if (layout->system_sectors) {
		memcpy(partition[count].type, system_type, 16);
		partition[count].first_lba = layout->system_lba;
		partition[count].last_lba =
			layout->system_lba + layout->system_sectors - 1;
		partition[count++].name = "EFI system";
	}
	memcpy(partition[count].type, bundle_type, 16);
	partition[count].first_lba = layout->bundle_lba;
	partition[count].last_lba = layout->bundle_lba + layout->bundle_sectors - 1;
	partition[count++].name = "elfpack bundle";
	struct gpt_disk disk = {.sectors = sectors,
				.first_usable_lba = GPT_HEAD_SECTORS,
				.identity = header->sha256,
				.partition = partition,
				.partition_count = count};
	gpt_write(&disk, layout->head, layout->tail);
}

int layout_plan(struct layout *layout, const struct image_parts *parts, struct diag *why)
{
	const struct extents *system = parts->system_partition;
	uint64_t room = parts->format_room / GPT_SECTOR;
	uint64_t next = room + LAYOUT_ALIGN_SECTORS;
	memset(layout, 0, sizeof(*layout));
	layout->stage2_lba = room ? room + 2 : BIOS_STAGE2_LBA;
	if (system) {
		layout->system_lba = next;
		layout->system_sectors = round_up(system->size, GPT_SECTOR) / GPT_SECTOR;
		next = round_up(next + layout->system_sectors, LAYOUT_ALIGN_SECTORS);
	}
	layout->bundle_lba = next;
	layout->bundle_sectors = parts->bundle->extents.size / GPT_SECTOR;
	uint64_t sectors = next + layout->bundle_sectors + GPT_TAIL_SECTORS;
	if (sectors < LAYOUT_SECTORS_LEAST)
		sectors = LAYOUT_SECTORS_LEAST;
	sectors =
		round_up(sectors, parts->disk_multiple ? parts->disk_multiple / GPT_SECTOR
						       : BLOCK_SECTORS);
	if (put_stages(layout, parts, why))
		return -1;
	put_tables(layout, parts, sectors);
	struct extents *all = &layout->extents;
	if (extents_add(all, 0, layout->head, sizeof(layout->head)) ||
	    extents_add(all, layout->stage2_lba * GPT_SECTOR, layout->stage2,
			sizeof(layout->stage2)) ||
	    (system && extents_append(all, layout->system_lba * GPT_SECTOR, system)) ||
	    extents_append(all, layout->bundle_lba * GPT_SECTOR,
			   &parts->bundle->extents) ||
	    extents_add(all, (sectors - GPT_TAIL_SECTORS) * GPT_SECTOR, layout->tail,
			sizeof(layout->tail))) {
		layout_free(layout);
		return diag_set(why, "out of memory");
	}
	return 0;
}

void layout_free(struct layout *layout)
{
	extents_free(&layout->extents);
}

/* vmdk.c: writing a stream-optimized VMDK. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "imgfmt/deflate_blocks.h"
#include "imgfmt/format.h"
#include "imgfmt/vmdk.h"

#define DESCRIPTOR_SECTORS 20u
#define OVERHEAD_SECTORS   128u /* header and descriptor, up to the first grain */

static uint64_t sectors_of(const struct file_plan *file)
{
	return file->extents.size / VMDK_SECTOR;
}

static int put_descriptor(char *text, size_t room, const struct image_plan *plan,
			  struct diag *why)
{
	uint64_t sectors = plan->disk->size / VMDK_SECTOR;
	uint64_t cylinders = sectors / (255ull * 63);
	const uint8_t *id = plan->identity;
	int size = snprintf(text, room,
			    "# Disk DescriptorFile\n"
			    "version=1\n"
			    "CID=%02x%02x%02x%02x\n"
			    "parentCID=ffffffff\n"
			    "createType=\"streamOptimized\"\n\n"
			    "# Extent description\n"
			    "RW %" PRIu64 " SPARSE \"%s.vmdk\"\n\n"
			    "# The Disk Data Base\n"
			    "#DDB\n\n"
			    "ddb.virtualHWVersion = \"10\"\n"
			    "ddb.geometry.cylinders = \"%" PRIu64 "\"\n"
			    "ddb.geometry.heads = \"255\"\n"
			    "ddb.geometry.sectors = \"63\"\n"
			    "ddb.adapterType = \"lsilogic\"\n",
			    id[0] & 0x7fu, id[1], id[2], id[3], sectors, plan->name,
			    cylinders ? cylinders : 1);
	return size < 0 || (size_t)size >= room
		       ? diag_set(why, "%s: too long a name", plan->name)
		       : 0;
}

static int put_marker(struct file_plan *file, enum vmdk_marker_kind kind,
		      uint64_t sectors, struct diag *why)
{
	struct vmdk_marker *marker = file_plan_alloc(file, sizeof(*marker), why);
	if (!marker)
		return -1;
	marker->sectors = le64_make(sectors);
	marker->kind = le32_make(kind);
	return file_plan_append(file, marker, sizeof(*marker), 1, why);
}

static int put_grain(struct file_plan *file, const struct deflate_block *block,
		     struct vmdk_grain_marker *marker, uint64_t grain, struct diag *why)
{
	marker->lba = le64_make(grain * VMDK_GRAIN_SECTORS);
	marker->size = le32_make((uint32_t)block->size);
	return file_plan_append(file, marker, sizeof(*marker), 1, why) ||
			       file_plan_append(file, block->bytes, block->size,
						VMDK_SECTOR, why)
		       ? -1
		       : 0;
}

/* The grains of one table, then the table; nothing when all are zero. */
static int put_table(struct file_plan *file, const struct deflate_block *block,
		     struct vmdk_grain_marker *markers, uint64_t first, uint64_t count,
		     le32 *directory_entry, struct diag *why)
{
	le32 *table = NULL;
	for (uint64_t i = 0; i < count; i++) {
		if (block[first + i].zero)
			continue;
		if (!table && !(table = file_plan_alloc(
					file, VMDK_TABLE_ENTRIES * sizeof(*table), why)))
			return -1;
		table[i] = le32_make((uint32_t)sectors_of(file));
		if (put_grain(file, &block[first + i], &markers[first + i], first + i,
			      why))
			return -1;
	}
	if (!table)
		return 0;
	if (put_marker(file, VMDK_TABLE, VMDK_TABLE_SECTORS, why))
		return -1;
	*directory_entry = le32_make((uint32_t)sectors_of(file));
	return file_plan_append(file, table, VMDK_TABLE_ENTRIES * sizeof(*table), 1, why);
}

static int put_grains(struct file_plan *file, const struct deflate_plan *plan,
		      struct vmdk_header *footer, struct diag *why)
{
	const struct deflate_block *block = deflate_blocks(file, plan, why);
	uint64_t grains = deflate_block_count(plan);
	uint64_t tables = (grains + VMDK_TABLE_ENTRIES - 1) / VMDK_TABLE_ENTRIES;
	uint64_t room = align_up(tables * 4, VMDK_SECTOR);
	struct vmdk_grain_marker *markers = NULL;
	le32 *directory = NULL;
	if (!block ||
	    !(markers = file_plan_alloc(file, (size_t)grains * sizeof(*markers), why)) ||
	    !(directory = file_plan_alloc(file, (size_t)room, why)))
		return -1;
	for (uint64_t i = 0; i < tables; i++) {
		uint64_t first = i * VMDK_TABLE_ENTRIES;
		uint64_t count = grains - first;
		if (count > VMDK_TABLE_ENTRIES)
			count = VMDK_TABLE_ENTRIES;
		if (put_table(file, block, markers, first, count, &directory[i], why))
			return -1;
	}
	if (put_marker(file, VMDK_DIRECTORY, room / VMDK_SECTOR, why))
		return -1;
	footer->directory_at = le64_make(sectors_of(file));
	return file_plan_append(file, directory, (size_t)room, 1, why);
}

int vmdk_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	struct deflate_plan how = {.from = plan->disk,
				   .style = DEFLATE_VMDK,
				   .block_bytes = VMDK_GRAIN,
				   .threads = plan->threads};
	uint8_t *head = file_plan_alloc(file, OVERHEAD_SECTORS * VMDK_SECTOR, why);
	struct vmdk_header *footer = file_plan_alloc(file, sizeof(*footer), why);
	if (!head || !footer ||
	    put_descriptor((char *)head + VMDK_SECTOR, DESCRIPTOR_SECTORS * VMDK_SECTOR,
			   plan, why))
		return -1;
	*footer = (struct vmdk_header){
		.version = le32_make(VMDK_VERSION),
		.flags = le32_make(VMDK_FLAGS),
		.capacity = le64_make(plan->disk->size / VMDK_SECTOR),
		.grain_sectors = le64_make(VMDK_GRAIN_SECTORS),
		.descriptor_at = le64_make(1),
		.descriptor_sectors = le64_make(DESCRIPTOR_SECTORS),
		.table_entries = le32_make(VMDK_TABLE_ENTRIES),
		.directory_at = le64_make(VMDK_AT_END),
		.overhead = le64_make(OVERHEAD_SECTORS),
		.line_ends = {'\n', ' ', '\r', '\n'},
		.compression = le16_make(VMDK_ZLIB)};
	memcpy(footer->magic, VMDK_MAGIC, sizeof(footer->magic));
	memcpy(head, footer, sizeof(*footer));
	return file_plan_append(file, head, OVERHEAD_SECTORS * VMDK_SECTOR, 1, why) ||
			       put_grains(file, &how, footer, why) ||
			       put_marker(file, VMDK_FOOTER, 1, why) ||
			       file_plan_append(file, footer, sizeof(*footer), 1, why) ||
			       put_marker(file, VMDK_END, 0, why)
		       ? -1
		       : 0;
}

/* vmdk_read.c: the disk in a stream-optimized VMDK, believing nothing. Tables and grains
 * must lie behind one another, as a stream has them: none can be used twice. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/format.h"
#include "imgfmt/inflate.h"
#include "imgfmt/vmdk.h"

struct reader {
	struct disk_view *view;
	const uint8_t *bytes;
	size_t size;
	uint64_t table_end, grain_end; /* bytes: where the next ones may begin */
	uint8_t *grain;
};

bool vmdk_probe(const uint8_t *bytes, size_t size)
{
	return size >= sizeof(struct vmdk_header) && memcmp(bytes, VMDK_MAGIC, 4) == 0;
}

static int check_header(const struct vmdk_header *header, struct diag *why)
{
	if (memcmp(header->magic, VMDK_MAGIC, 4) != 0)
		return diag_set(why, "no VMDK footer at the end: the file is cut short");
	if (le32_get(header->version) != VMDK_VERSION)
		return diag_set(why, "VMDK of version %u, not %u",
				le32_get(header->version), VMDK_VERSION);
	if (le32_get(header->flags) != VMDK_FLAGS ||
	    le16_get(header->compression) != VMDK_ZLIB)
		return diag_set(why, "a VMDK that is not stream-optimized");
	if (le64_get(header->grain_sectors) != VMDK_GRAIN_SECTORS ||
	    le32_get(header->table_entries) != VMDK_TABLE_ENTRIES)
		return diag_set(
			why, "a VMDK with grains of %" PRIu64 " sectors, %u a table",
			le64_get(header->grain_sectors), le32_get(header->table_entries));
	if (le64_get(header->capacity) > DISK_VIEW_MAX / VMDK_SECTOR)
		return diag_set(why, "a VMDK of %" PRIu64 " sectors: too many",
				le64_get(header->capacity));
	return 0;
}

/* Do size bytes lie in the file at a place that is not before least? */
static bool inside(const struct reader *reader, uint64_t at, uint64_t size,
		   uint64_t least)
{
	return at >= least && at <= reader->size && size <= reader->size - at;
}

static int read_grain(struct reader *reader, uint64_t at, uint64_t grain,
		      struct diag *why)
{
	struct vmdk_grain_marker marker;
	if (!inside(reader, at, sizeof(marker), reader->grain_end))
		return diag_set(why, "a grain at %" PRIu64 " is out of order or outside",
				at);
	memcpy(&marker, reader->bytes + at, sizeof(marker));
	uint64_t size = le32_get(marker.size);
	at += sizeof(marker);
	if (le64_get(marker.lba) != grain * VMDK_GRAIN_SECTORS)
		return diag_set(why,
				"the grain at %" PRIu64 " is of sector %" PRIu64
				", not %" PRIu64,
				at, le64_get(marker.lba), grain * VMDK_GRAIN_SECTORS);
	if (!inside(reader, at, size, at))
		return diag_set(why, "a grain at %" PRIu64 " lies outside of the file",
				at);
	reader->grain_end = at + size;
	long got = inflate_bytes(INFLATE_ZLIB, reader->bytes + at, (size_t)size,
				 reader->grain, VMDK_GRAIN);
	if (got < 0)
		return diag_set(why, "the grain at %" PRIu64 " is damaged", at);
	disk_view_put(reader->view, grain * VMDK_GRAIN, reader->grain, (size_t)got);
	return 0;
}

static int read_table(struct reader *reader, uint64_t at, uint64_t first,
		      struct diag *why)
{
	uint64_t size = VMDK_TABLE_ENTRIES * sizeof(le32);
	if (!inside(reader, at, size, reader->table_end))
		return diag_set(why, "a table at %" PRIu64 " is out of order or outside",
				at);
	reader->table_end = at + size;
	const le32 *entry = (const le32 *)(reader->bytes + at);
	for (uint64_t i = 0; i < VMDK_TABLE_ENTRIES; i++) {
		uint64_t sector = le32_get(entry[i]);
		/* 1: a grain of zeros */
		if (sector > 1 && (first + i) * VMDK_GRAIN < reader->view->size &&
		    read_grain(reader, sector * VMDK_SECTOR, first + i, why))
			return -1;
	}
	return 0;
}

static int read_directory(struct reader *reader, const struct vmdk_header *header,
			  struct diag *why)
{
	uint64_t grains = (reader->view->size + VMDK_GRAIN - 1) / VMDK_GRAIN;
	uint64_t tables = (grains + VMDK_TABLE_ENTRIES - 1) / VMDK_TABLE_ENTRIES;
	uint64_t sector = le64_get(header->directory_at);
	if (sector > reader->size / VMDK_SECTOR ||
	    !inside(reader, sector * VMDK_SECTOR, tables * sizeof(le32), 0))
		return diag_set(why, "the directory lies outside of the file");
	const le32 *entry = (const le32 *)(reader->bytes + sector * VMDK_SECTOR);
	for (uint64_t i = 0; i < tables; i++) {
		uint64_t table = le32_get(entry[i]);
		if (table > 1 &&
		    read_table(reader, table * VMDK_SECTOR, i * VMDK_TABLE_ENTRIES, why))
			return -1;
	}
	return 0;
}

int vmdk_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why)
{
	struct vmdk_header header;
	if (size < (1 + VMDK_FOOTER_SECTORS) * VMDK_SECTOR)
		return diag_set(why, "VMDK of %zu bytes: too short", size);
	memcpy(&header, bytes, sizeof(header));
	if (le64_get(header.directory_at) == VMDK_AT_END)
		memcpy(&header, bytes + size - (VMDK_FOOTER_SECTORS - 1) * VMDK_SECTOR,
		       sizeof(header));
	if (check_header(&header, why) ||
	    disk_view_make(view, le64_get(header.capacity) * VMDK_SECTOR, why))
		return -1;
	struct reader reader = {
		.view = view, .bytes = bytes, .size = size, .grain = malloc(VMDK_GRAIN)};
	int rc = reader.grain ? read_directory(&reader, &header, why)
			      : diag_set(why, "out of memory");
	free(reader.grain);
	if (rc)
		disk_view_free(view);
	return rc;
}

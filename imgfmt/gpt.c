/* gpt.c: protective MBR and both copies of the GUID partition table; finding a partition.
 */
#include <string.h>

#include "imgfmt/crc.h"
#include "imgfmt/gpt.h"

/* UEFI 2.10, table 5.1; 5.2.3 for the protective record. */
struct mbr_record {
	uint8_t status, first_chs[3], type, last_chs[3];
	le32 first_lba, sectors;
};
_Static_assert(sizeof(struct mbr_record) == 16, "MBR ABI");

#define MBR_RECORDS_AT 446
#define MBR_TYPE_GPT   0xee

static void write_mbr(const struct gpt_disk *disk, uint8_t *sector)
{
	uint64_t sectors = disk->sectors - 1;
	struct mbr_record record = {
		.first_chs = {0x00, 0x02, 0x00},
		.type = MBR_TYPE_GPT,
		.last_chs = {0xff, 0xff, 0xff},
		.first_lba = le32_make(1),
		.sectors =
			le32_make(sectors > UINT32_MAX ? UINT32_MAX : (uint32_t)sectors)};
	memset(sector + 440, 0, GPT_SECTOR - 440);
	memcpy(sector + MBR_RECORDS_AT, &record, sizeof(record));
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

/* A UUID of version 8 (RFC 9562, 5.8): the hash of what it names. */
static void make_guid(uint8_t guid[16], const uint8_t *identity, uint8_t index)
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;
	sha256_init(&hash);
	sha256_add(&hash, identity, SHA256_BYTES);
	sha256_add(&hash, &index, 1);
	sha256_end(&hash, digest);
	memcpy(guid, digest, 16);
	guid[7] = (uint8_t)((guid[7] & 0x0f) | 0x80); /* little-endian third field */
	guid[8] = (uint8_t)((guid[8] & 0x3f) | 0x80);
}

static void write_entries(const struct gpt_disk *disk, uint8_t *entries)
{
	memset(entries, 0, (size_t)GPT_ENTRIES * GPT_ENTRY_BYTES);
	for (unsigned i = 0; i < disk->partition_count; i++) {
		const struct gpt_partition *partition = &disk->partition[i];
		struct gpt_entry *entry = (struct gpt_entry *)entries + i;
		memcpy(entry->type, partition->type, 16);
		make_guid(entry->guid, disk->identity, (uint8_t)(i + 1));
		entry->first_lba = le64_make(partition->first_lba);
		entry->last_lba = le64_make(partition->last_lba);
		for (size_t c = 0; c < 36 && partition->name[c]; c++)
			entry->name[c] = le16_make((uint8_t)partition->name[c]);
	}
}

static void write_header(const struct gpt_disk *disk, uint8_t *sector, uint64_t own,
			 uint64_t other, uint64_t entries_lba, const uint8_t *entries)
{
	struct gpt_header *header = (void *)sector;
	memset(sector, 0, GPT_SECTOR);
	*header = (struct gpt_header){
		.revision = le32_make(0x00010000),
		.header_size = le32_make(sizeof(*header)),
		.own_lba = le64_make(own),
		.other_lba = le64_make(other),
		.first_usable = le64_make(disk->first_usable_lba),
		.last_usable = le64_make(disk->sectors - GPT_TAIL_SECTORS - 1),
		.entries_lba = le64_make(entries_lba),
		.entry_count = le32_make(GPT_ENTRIES),
		.entry_size = le32_make(GPT_ENTRY_BYTES),
		.entries_crc = le32_make(
			crc32_ieee(entries, (size_t)GPT_ENTRIES * GPT_ENTRY_BYTES))};
	memcpy(header->signature, GPT_SIGNATURE, 8);
	make_guid(header->disk_guid, disk->identity, 0);
	header->header_crc = le32_make(crc32_ieee(header, sizeof(*header)));
}

void gpt_write(const struct gpt_disk *disk, uint8_t head[GPT_HEAD_SECTORS * GPT_SECTOR],
	       uint8_t tail[GPT_TAIL_SECTORS * GPT_SECTOR])
{
	uint64_t last = disk->sectors - 1;
	uint8_t *entries = head + (size_t)2 * GPT_SECTOR;
	write_mbr(disk, head);
	write_entries(disk, entries);
	write_header(disk, head + GPT_SECTOR, 1, last, 2, entries);
	memcpy(tail, entries, (size_t)GPT_ENTRIES * GPT_ENTRY_BYTES);
	write_header(disk, tail + (size_t)GPT_ENTRIES_SECTORS * GPT_SECTOR, last, 1,
		     last - GPT_ENTRIES_SECTORS, entries);
}

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* UEFI 2.10, 5.3.2: what makes a header valid, of those that we can have written. */
static int check_table(const uint8_t *disk, size_t size, const char **why)
{
	struct gpt_header header;
	if (size < (size_t)GPT_HEAD_SECTORS * GPT_SECTOR)
		return refuse(why, "too short for a disk with a partition table");
	memcpy(&header, disk + GPT_SECTOR, sizeof(header));
	if (memcmp(header.signature, GPT_SIGNATURE, 8) != 0)
		return refuse(why, "not an elfpack image: no partition table");
	uint32_t stored = le32_get(header.header_crc);
	header.header_crc = le32_make(0);
	if (le32_get(header.header_size) != sizeof(header) ||
	    crc32_ieee(&header, sizeof(header)) != stored)
		return refuse(why, "the partition table's header is damaged");
	if (le64_get(header.entries_lba) != 2 ||
	    le32_get(header.entry_count) != GPT_ENTRIES ||
	    le32_get(header.entry_size) != GPT_ENTRY_BYTES)
		return refuse(why,
			      "not an elfpack image: another kind of partition table");
	if (crc32_ieee(disk + 2ul * GPT_SECTOR, (size_t)GPT_ENTRIES * GPT_ENTRY_BYTES) !=
	    le32_get(header.entries_crc))
		return refuse(why, "the partition table is damaged");
	return 0;
}

int gpt_find(const void *disk, size_t size, const uint8_t type[16], uint64_t *first_lba,
	     uint64_t *last_lba, const char **why)
{
	const uint8_t *bytes = disk;
	if (check_table(bytes, size, why))
		return -1;
	const struct gpt_entry *entry = (const void *)(bytes + 2ul * GPT_SECTOR);
	for (unsigned i = 0; i < GPT_ENTRIES; i++, entry++) {
		if (memcmp(entry->type, type, 16) != 0)
			continue;
		*first_lba = le64_get(entry->first_lba);
		*last_lba = le64_get(entry->last_lba);
		if (*first_lba > *last_lba || *last_lba >= size / GPT_SECTOR)
			return refuse(why, "a partition reaches past the end: the file "
					   "is cut short");
		return 1;
	}
	return 0;
}

/* iso.c: a CD that boots by BIOS and UEFI, and that is the hybrid disk as well: the
 * standard leaves a CD's first 32 KiB free, where the disk's tables are, and the
 * descriptors stand in the room that the layout left behind them. What they name are the
 * disk's own partitions; only the BIOS wants a sector of its own to start from. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "imgfmt/abi/iso.h"
#include "imgfmt/format.h"

/* In the room, one sector each. */
enum {
	PRIMARY = ISO_FIRST,
	BOOT_RECORD,
	END,
	PATH_TABLE,
	PATH_TABLE_BIG,
	ROOT,
	CATALOG,
	BIOS_IMAGE,
};

#define STAGE1_BYTES   512u
#define SECTOR_UNIT    512u /* El Torito's: what it loads is counted in these */
#define UEFI_UNITS_MAX 0xffffu

struct iso_file {
	const char *name;
	uint32_t sector, bytes;
};

static struct iso_both32 both32(uint32_t n)
{
	return (struct iso_both32){le32_make(n), be32_make(n)};
}

static struct iso_both16 both16(uint16_t n)
{
	return (struct iso_both16){le16_make(n), be16_make(n)};
}

/* Fills a record and returns its size. A folder's own name is a zero, its parent's a one.
 */
static size_t put_record(struct iso_record *record, const struct iso_file *file,
			 uint64_t seconds, bool folder)
{
	size_t name_size = folder ? 1 : strlen(file->name);
	size_t size = sizeof(*record) - 1 + name_size;
	time_t time = (time_t)seconds;
	struct tm tm = {0};
	size += size & 1;
	gmtime_r(&time, &tm);
	*record = (struct iso_record){.size = (uint8_t)size,
				      .sector = both32(file->sector),
				      .bytes = both32(file->bytes),
				      .time = {(uint8_t)tm.tm_year,
					       (uint8_t)(tm.tm_mon + 1),
					       (uint8_t)tm.tm_mday, (uint8_t)tm.tm_hour,
					       (uint8_t)tm.tm_min, (uint8_t)tm.tm_sec},
				      .flags = folder ? 2 : 0,
				      .volume = both16(1),
				      .name_size = (uint8_t)name_size};
	memcpy(record->name, file->name, name_size);
	return size;
}

static void put_descriptor(struct iso_descriptor *d, const struct image_plan *plan,
			   uint64_t disk_size)
{
	const struct iso_file root = {"", ROOT, ISO_SECTOR};
	time_t time = (time_t)plan->seconds;
	char digits[32] = "";
	struct tm tm = {0};
	memset(d, ' ', sizeof(*d));
	d->type = ISO_PRIMARY;
	memcpy(d->magic, ISO_MAGIC, sizeof(d->magic));
	d->version = d->structure_version = 1;
	d->unused = d->reserved = 0;
	/* Names have capital letters, digits and underscores. */
	for (size_t i = 0; i < sizeof(d->volume) && plan->name[i]; i++) {
		char c = plan->name[i];
		d->volume[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A')
			       : (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c
										  : '_';
	}
	memset(d->unused2, 0, sizeof(d->unused2));
	memset(d->unused3, 0, sizeof(d->unused3));
	d->sectors = both32((uint32_t)(disk_size / ISO_SECTOR));
	d->volumes = d->number = both16(1);
	d->block = both16(ISO_SECTOR);
	d->path_table_size = both32(10);
	d->path_table = le32_make(PATH_TABLE);
	d->path_table_big = be32_make(PATH_TABLE_BIG);
	d->path_table_optional = le32_make(0);
	d->path_table_big_optional = be32_make(0);
	put_record(&d->root, &root, plan->seconds, true);
	gmtime_r(&time, &tm);
	strftime(digits, sizeof(digits), "%Y%m%d%H%M%S00", &tm);
	memset(d->times, '0', sizeof(d->times));
	for (unsigned i = 0; i < 4; i++) {
		if (i < 2) /* created, changed; it does not expire */
			memcpy(d->times[i], digits, 16);
		d->times[i][16] = 0;
	}
	memset(d->rest, 0, sizeof(d->rest));
}

/* The root folder is all there is. */
static void put_path_tables(uint8_t *room)
{
	static const uint8_t little[10] = {1, 0, ROOT, 0, 0, 0, 1, 0, 0, 0};
	static const uint8_t big[10] = {1, 0, 0, 0, 0, ROOT, 0, 1, 0, 0};
	memcpy(room + (size_t)PATH_TABLE * ISO_SECTOR, little, sizeof(little));
	memcpy(room + (size_t)PATH_TABLE_BIG * ISO_SECTOR, big, sizeof(big));
}

static void put_root(uint8_t *at, const struct image_plan *plan)
{
	const struct iso_file folder[2] = {{"", ROOT, ISO_SECTOR},
					   {"\1", ROOT, ISO_SECTOR}};
	const struct iso_file bios = {"BIOS.IMG;1", BIOS_IMAGE, ISO_SECTOR};
	const struct iso_file uefi = {"UEFI.IMG;1",
				      (uint32_t)(plan->system_at / ISO_SECTOR),
				      (uint32_t)plan->system_size};
	for (unsigned i = 0; i < 2; i++)
		at += put_record((void *)at, &folder[i], plan->seconds, true);
	at += put_record((void *)at, &bios, plan->seconds, false);
	if (plan->system_size)
		put_record((void *)at, &uefi, plan->seconds, false);
}

static void put_catalog(struct iso_boot_catalog *catalog, const struct image_plan *plan)
{
	uint16_t sum = 0;
	catalog->validation = (struct iso_boot_validation){
		.id = 1, .platform = ISO_BIOS, .name = "elfpack", .key = {0x55, 0xaa}};
	for (size_t i = 0; i < sizeof(catalog->validation); i += 2)
		sum = (uint16_t)(sum + le16_get(*(const le16 *)((uint8_t *)catalog + i)));
	catalog->validation.checksum = le16_make((uint16_t)-sum);
	catalog->bios = (struct iso_boot_entry){
		.bootable = 0x88,
		.sectors = le16_make(ISO_SECTOR /
				     SECTOR_UNIT), /* more, not all BIOSes load */
		.sector = le32_make(BIOS_IMAGE)};
	if (!plan->system_size)
		return;
	catalog->section = (struct iso_boot_section){
		.id = 0x91, .platform = ISO_UEFI, .entries = le16_make(1)};
	catalog->uefi = (struct iso_boot_entry){
		.bootable = 0x88,
		.sectors = le16_make((uint16_t)(plan->system_size / SECTOR_UNIT)),
		.sector = le32_make((uint32_t)(plan->system_at / ISO_SECTOR))};
}

bool iso_probe(const uint8_t *bytes, size_t size)
{
	size_t at = (size_t)ISO_FIRST * ISO_SECTOR + 1;
	return size >= ISO_ROOM && memcmp(bytes + at, ISO_MAGIC, 5) == 0;
}

int iso_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	uint64_t size = plan->disk->size, head = (uint64_t)ISO_FIRST * ISO_SECTOR;
	uint8_t *room = file_plan_alloc(file, ISO_ROOM, why);
	if (!room)
		return -1;
	if (plan->system_size / SECTOR_UNIT > UEFI_UNITS_MAX ||
	    size / ISO_SECTOR > UINT32_MAX)
		return diag_set(why, "iso: too big for a CD's tables");
	extents_read(plan->disk, 0, room, (size_t)head);
	put_descriptor((void *)(room + head), plan, size);
	struct iso_boot_record *record =
		(void *)(room + (size_t)BOOT_RECORD * ISO_SECTOR);
	*record = (struct iso_boot_record){.type = ISO_BOOT,
					   .magic = ISO_MAGIC,
					   .version = 1,
					   .system = "EL TORITO SPECIFICATION",
					   .catalog = le32_make(CATALOG)};
	struct iso_boot_record *end = (void *)(room + (size_t)END * ISO_SECTOR);
	*end = (struct iso_boot_record){
		.type = ISO_END, .magic = ISO_MAGIC, .version = 1};
	put_path_tables(room);
	put_root(room + (size_t)ROOT * ISO_SECTOR, plan);
	put_catalog((void *)(room + (size_t)CATALOG * ISO_SECTOR), plan);
	memcpy(room + (size_t)BIOS_IMAGE * ISO_SECTOR, room, STAGE1_BYTES);
	if (file_plan_append(file, room, ISO_ROOM, 1, why))
		return -1;
	return extents_append_part(&file->extents, ISO_ROOM, plan->disk, ISO_ROOM,
				   size - ISO_ROOM)
		       ? diag_set(why, "out of memory")
		       : 0;
}

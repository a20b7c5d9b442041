/* fat.c: planning and writing a FAT12 or FAT16 volume. Clauses are those of Microsoft's
 * "FAT: General Overview of On-Disk Format", 1.03. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/abi/le.h"
#include "imgfmt/fat.h"

#define SECTOR              512u
#define FATS                2u
#define RESERVED_SECTORS    1u
#define ROOT_ENTRIES        64u /* whole sectors: four */
#define ROOT_SECTORS        (ROOT_ENTRIES * sizeof(struct entry) / SECTOR)
#define FAT12_CLUSTERS      4084u /* at most: the count alone decides what a volume is */
#define FAT16_CLUSTERS      65524u
#define CLUSTER_SECTORS_MAX 64u
#define MEDIA_FIXED         0xf8u
#define FOLDERS_MAX         4u
#define DATE_1980           0x21u /* 1 January: the first that there is */

/* The boot sector, and what FAT12 and FAT16 have behind it. */
struct boot_sector {
	uint8_t jump[3], oem[8];
	le16 sector_bytes;
	uint8_t cluster_sectors;
	le16 reserved;
	uint8_t fats;
	le16 root_entries, sectors16;
	uint8_t media;
	le16 fat_sectors, track_sectors, heads;
	le32 hidden, sectors32;
	uint8_t drive, unused, signature;
	le32 serial;
	uint8_t label[11], type[8];
	uint8_t code[448];
	uint8_t end[2];
};
_Static_assert(sizeof(struct boot_sector) == SECTOR, "FAT");

struct entry {
	uint8_t name[11], attributes, unused, created_tenths;
	le16 created_time, created_date, accessed, cluster_high, time, date, cluster;
	le32 size;
};
_Static_assert(sizeof(struct entry) == 32, "FAT");
enum attribute { VOLUME_LABEL = 0x08, FOLDER = 0x10, ARCHIVE = 0x20 };

/* What the volume looks like, in sectors and clusters. */
struct plan {
	unsigned folders; /* a cluster each, before the file's */
	uint32_t cluster_sectors, clusters, fat_sectors, file_clusters;
	uint32_t data_sector, sectors;
	bool fat16;
};

static const char LABEL[] = "ELFPACK    ";

static uint64_t divide_up(uint64_t n, uint64_t by)
{
	return (n + by - 1) / by;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool plan_with(struct plan *plan, uint64_t file_bytes, uint32_t cluster_sectors)
{
	uint64_t file_clusters =
		divide_up(file_bytes, (uint64_t)cluster_sectors * SECTOR);
	uint64_t needed = plan->folders + file_clusters;
	uint64_t clusters = larger(needed, FAT_SECTORS_LEAST / cluster_sectors);
	if (clusters > FAT16_CLUSTERS)
		return false;
	plan->cluster_sectors = cluster_sectors;
	plan->fat16 = clusters > FAT12_CLUSTERS;
	plan->file_clusters = (uint32_t)file_clusters;
	uint64_t entries = clusters + 2;
	plan->fat_sectors = (uint32_t)divide_up(
		plan->fat16 ? entries * 2 : divide_up(entries * 3, 2), SECTOR);
	plan->data_sector =
		RESERVED_SECTORS + FATS * plan->fat_sectors + (uint32_t)ROOT_SECTORS;
	uint64_t room =
		plan->data_sector < FAT_SECTORS_LEAST
			? (FAT_SECTORS_LEAST - plan->data_sector) / cluster_sectors
			: 0;
	plan->clusters = (uint32_t)larger(needed, room);
	plan->sectors = plan->data_sector + plan->clusters * cluster_sectors;
	return true;
}

/* The smallest clusters with which it fits. */
static int make_plan(struct plan *plan, const char *path, uint64_t file_bytes,
		     struct diag *why)
{
	memset(plan, 0, sizeof(*plan));
	for (const char *c = path; *c; c++)
		plan->folders += *c == '/';
	if (plan->folders > FOLDERS_MAX)
		return diag_set(why, "%s: in more than %u folders", path, FOLDERS_MAX);
	for (uint32_t sectors = 1;
	     file_bytes <= UINT32_MAX && sectors <= CLUSTER_SECTORS_MAX; sectors *= 2)
		if (plan_with(plan, file_bytes, sectors))
			return 0;
	return diag_set(why, "%s: %llu bytes do not fit in a FAT16 volume", path,
			(unsigned long long)file_bytes);
}

static void write_boot_sector(uint8_t *sector, const struct plan *plan,
			      const uint8_t *identity)
{
	struct boot_sector boot = {
		.jump = {0xeb, 0x3c, 0x90},
		.sector_bytes = le16_make(SECTOR),
		.cluster_sectors = (uint8_t)plan->cluster_sectors,
		.reserved = le16_make(RESERVED_SECTORS),
		.fats = FATS,
		.root_entries = le16_make(ROOT_ENTRIES),
		.media = MEDIA_FIXED,
		.fat_sectors = le16_make((uint16_t)plan->fat_sectors),
		.track_sectors = le16_make(63),
		.heads = le16_make(255),
		.drive = 0x80,
		.signature = 0x29,
		.end = {0x55, 0xaa},
	};
	memcpy(boot.oem, LABEL, sizeof(boot.oem));
	if (plan->sectors < 0x10000)
		boot.sectors16 = le16_make((uint16_t)plan->sectors);
	else
		boot.sectors32 = le32_make(plan->sectors);
	memcpy(&boot.serial, identity, sizeof(boot.serial));
	memcpy(boot.label, LABEL, sizeof(boot.label));
	memcpy(boot.type, plan->fat16 ? "FAT16   " : "FAT12   ", sizeof(boot.type));
	boot.code[0] = 0xf4; /* hlt; jmp: nobody starts it */
	boot.code[1] = 0xeb;
	boot.code[2] = 0xfd;
	memcpy(sector, &boot, sizeof(boot));
}

static void fat_set(uint8_t *fat, const struct plan *plan, uint32_t cluster,
		    uint32_t next)
{
	if (plan->fat16) {
		fat[cluster * 2] = (uint8_t)next;
		fat[cluster * 2 + 1] = (uint8_t)(next >> 8);
		return;
	}
	uint8_t *at = fat + cluster * 3 / 2;
	if (cluster & 1) {
		at[0] = (uint8_t)((at[0] & 0x0f) | next << 4);
		at[1] = (uint8_t)(next >> 4);
	} else {
		at[0] = (uint8_t)next;
		at[1] = (uint8_t)((at[1] & 0xf0) | (next >> 8 & 0x0f));
	}
}

static void write_fats(uint8_t *tables, const struct plan *plan)
{
	const uint32_t last = plan->fat16 ? 0xffff : 0xfff;
	uint8_t *fat = tables + (size_t)RESERVED_SECTORS * SECTOR;
	fat_set(fat, plan, 0, (last & ~0xffu) | MEDIA_FIXED);
	fat_set(fat, plan, 1, last);
	for (uint32_t i = 0; i < plan->folders; i++)
		fat_set(fat, plan, 2 + i, last);
	for (uint32_t i = 0; i < plan->file_clusters; i++)
		fat_set(fat, plan, 2 + plan->folders + i,
			i + 1 < plan->file_clusters ? 3 + plan->folders + i : last);
	memcpy(fat + (size_t)plan->fat_sectors * SECTOR, fat,
	       (size_t)plan->fat_sectors * SECTOR);
}

static void write_entry(struct entry *entry, const char *name, size_t length,
			uint8_t kind, uint32_t cluster, uint32_t size)
{
	size_t base = 0, extension = 8;
	bool dots = name[0] == '.';
	memset(entry, 0, sizeof(*entry));
	memset(entry->name, ' ', sizeof(entry->name));
	for (size_t i = 0, in_extension = 0; i < length; i++) {
		if (name[i] == '.' && !dots)
			in_extension = 1;
		else if (in_extension ? extension < 11 : base < 8)
			entry->name[in_extension ? extension++ : base++] =
				(uint8_t)name[i];
	}
	entry->attributes = kind;
	entry->created_date = entry->accessed = entry->date = le16_make(DATE_1980);
	entry->cluster = le16_make((uint16_t)cluster);
	entry->size = le32_make(size);
}

static void write_folders(uint8_t *tables, const struct plan *plan, const char *path,
			  uint32_t file_size)
{
	uint8_t *root = tables + (size_t)(plan->data_sector - ROOT_SECTORS) * SECTOR;
	uint8_t *data = tables + (size_t)plan->data_sector * SECTOR;
	struct entry *at = (void *)root;
	uint32_t cluster = 2, above = 0;
	write_entry(at++, LABEL, 0, VOLUME_LABEL, 0, 0);
	memcpy(at[-1].name, LABEL, sizeof(at[-1].name));
	for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
		write_entry(at, path, (size_t)(slash - path), FOLDER, cluster, 0);
		at = (void *)(data +
			      (size_t)(cluster - 2) * plan->cluster_sectors * SECTOR);
		write_entry(at++, ".", 1, FOLDER, cluster, 0);
		write_entry(at++, "..", 2, FOLDER, above, 0); /* 0: the root */
		above = cluster++;
	}
	write_entry(at, path, strlen(path), ARCHIVE, plan->file_clusters ? cluster : 0,
		    file_size);
}

int fat_write(struct fat *fat, const char *path, const struct extents *file,
	      const uint8_t *identity, struct diag *why)
{
	struct plan plan;
	memset(fat, 0, sizeof(*fat));
	if (make_plan(&plan, path, file->size, why))
		return -1;
	size_t size =
		((size_t)plan.data_sector + plan.folders * plan.cluster_sectors) * SECTOR;
	fat->tables = calloc(1, size);
	if (!fat->tables || extents_add(&fat->extents, 0, fat->tables, size) ||
	    extents_append(&fat->extents, size, file))
		return diag_set(why, "out of memory");
	write_boot_sector(fat->tables, &plan, identity);
	write_fats(fat->tables, &plan);
	write_folders(fat->tables, &plan, path, (uint32_t)file->size);
	fat->extents.size = (uint64_t)plan.sectors * SECTOR;
	return 0;
}

void fat_free(struct fat *fat)
{
	extents_free(&fat->extents);
	free(fat->tables);
	fat->tables = NULL;
}

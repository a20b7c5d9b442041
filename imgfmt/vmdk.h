/* vmdk.h: VMware's stream-optimized sparse extent ("Virtual Disk Format 5.0"). A sector
 * is 512 bytes. Behind the header and descriptor lie grains (64 KiB of the disk, zlib),
 * each behind a marker; then tables, the directory, and a copy of the header that says
 * where the directory is. */
#ifndef ELFPACK_VMDK_H
#define ELFPACK_VMDK_H

#include "imgfmt/abi/le.h"

#define VMDK_SECTOR         512u
#define VMDK_MAGIC          "KDMV"
#define VMDK_VERSION        3u
#define VMDK_FLAGS          0x30001u /* line ends can be tested, compressed, markers */
#define VMDK_GRAIN_SECTORS  128u
#define VMDK_GRAIN          (VMDK_GRAIN_SECTORS * VMDK_SECTOR)
#define VMDK_TABLE_ENTRIES  512u
#define VMDK_TABLE_SECTORS  4u
#define VMDK_AT_END         UINT64_MAX /* the directory's place, in the first header */
#define VMDK_ZLIB           1u
#define VMDK_FOOTER_SECTORS 3u /* marker, header, end marker */

struct vmdk_header {
	uint8_t magic[4];
	le32 version, flags;
	le64 capacity, grain_sectors, descriptor_at, descriptor_sectors;
	le32 table_entries;
	le64 redundant_directory_at, directory_at, overhead;
	uint8_t unclean, line_ends[4];
	le16 compression;
	uint8_t padding[433];
};
_Static_assert(sizeof(struct vmdk_header) == VMDK_SECTOR, "VMDK");

enum vmdk_marker_kind {
	VMDK_END = 0,
	VMDK_TABLE = 1,
	VMDK_DIRECTORY = 2,
	VMDK_FOOTER = 3
};

struct vmdk_marker {
	le64 sectors; /* of what follows */
	le32 size;    /* 0: or else it is a grain's */
	le32 kind;
	uint8_t padding[496];
};
_Static_assert(sizeof(struct vmdk_marker) == VMDK_SECTOR, "VMDK");

struct vmdk_grain_marker { /* its bytes follow at once, padded to a sector */
	le64 lba;
	le32 size;
};
_Static_assert(sizeof(struct vmdk_grain_marker) == 12, "VMDK");

#endif

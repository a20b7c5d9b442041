/* iso.h: ISO 9660 (ECMA-119) and El Torito 1.0, as far as one boots from a CD. Numbers
 * are stored in both byte orders where the standard wants it. */
#ifndef ELFPACK_ABI_ISO_H
#define ELFPACK_ABI_ISO_H

#include "imgfmt/abi/be.h"
#include "imgfmt/abi/le.h"

#define ISO_SECTOR 2048u
#define ISO_FIRST  16u     /* sector of the first descriptor; before: the system area */
#define ISO_MAGIC  "CD001" /* 5 bytes, no NUL */
#define ISO_ROOM                                                                         \
	(64u << 10) /* of the disk: system area, descriptors and what they name */

struct iso_both32 {
	le32 little;
	be32 big;
};

struct iso_both16 {
	le16 little;
	be16 big;
};

struct iso_record { /* 9.1, a name of one byte */
	uint8_t size, extended_size;
	struct iso_both32 sector, bytes;
	uint8_t time[7];
	uint8_t flags; /* 2: a folder */
	uint8_t unit, gap;
	struct iso_both16 volume;
	uint8_t name_size;
	char name[1];
};
_Static_assert(sizeof(struct iso_record) == 34, "ECMA-119");

struct iso_descriptor { /* 8.4 */
	uint8_t type;   /* enum iso_type */
	char magic[5];
	uint8_t version, unused;
	char system[32], volume[32];
	uint8_t unused2[8];
	struct iso_both32 sectors;
	uint8_t unused3[32];
	struct iso_both16 volumes, number, block;
	struct iso_both32 path_table_size;
	le32 path_table, path_table_optional;
	be32 path_table_big, path_table_big_optional;
	struct iso_record root;
	char names[4][128]; /* volume set, publisher, preparer, application */
	char files[3][37];
	uint8_t times[4][17];
	uint8_t structure_version, reserved;
	uint8_t rest[1165];
};
_Static_assert(sizeof(struct iso_descriptor) == ISO_SECTOR, "ECMA-119");

enum iso_type { ISO_BOOT = 0, ISO_PRIMARY = 1, ISO_END = 255 };

struct iso_boot_record { /* El Torito, figure 7 */
	uint8_t type;
	char magic[5];
	uint8_t version;
	char system[32]; /* zero padded */
	uint8_t unused[32];
	le32 catalog; /* sector */
	uint8_t unused2[1973];
};
_Static_assert(sizeof(struct iso_boot_record) == ISO_SECTOR, "El Torito");

enum iso_platform { ISO_BIOS = 0, ISO_UEFI = 0xef };

struct iso_boot_validation { /* figure 2 */
	uint8_t id;          /* 1 */
	uint8_t platform;
	uint8_t reserved[2];
	char name[24];
	le16 checksum;  /* all words of the entry add up to 0 */
	uint8_t key[2]; /* 55 aa */
};

struct iso_boot_section { /* figure 4 */
	uint8_t id;       /* 0x91: the last section */
	uint8_t platform;
	le16 entries;
	char name[28];
};

struct iso_boot_entry {   /* figures 3 and 5, no emulation */
	uint8_t bootable; /* 0x88 */
	uint8_t media;    /* 0: no emulation */
	le16 segment;     /* 0: 0x7c0 */
	uint8_t type, unused;
	le16 sectors; /* of 512 bytes, to be loaded */
	le32 sector;  /* of the image */
	uint8_t criteria[20];
};
_Static_assert(sizeof(struct iso_boot_validation) == 32, "El Torito");
_Static_assert(sizeof(struct iso_boot_section) == 32, "El Torito");
_Static_assert(sizeof(struct iso_boot_entry) == 32, "El Torito");

struct iso_boot_catalog {
	struct iso_boot_validation validation;
	struct iso_boot_entry bios;
	struct iso_boot_section section;
	struct iso_boot_entry uefi;
};

#endif

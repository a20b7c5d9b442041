/* gpt.h: the GUID partition table (UEFI 2.10, 5.3). */
#ifndef ELFPACK_ABI_GPT_H
#define ELFPACK_ABI_GPT_H

#include "imgfmt/abi/le.h"

#define GPT_SECTOR          512u
#define GPT_ENTRIES         128u
#define GPT_ENTRY_BYTES     128u
#define GPT_ENTRIES_SECTORS (GPT_ENTRIES * GPT_ENTRY_BYTES / GPT_SECTOR)
#define GPT_HEAD_SECTORS    (2 + GPT_ENTRIES_SECTORS) /* MBR, header, entries */
#define GPT_TAIL_SECTORS                                                                 \
	(GPT_ENTRIES_SECTORS + 1) /* entries, header: the end of the disk */

#define GPT_SIGNATURE "EFI PART" /* 8 bytes, no NUL */

/* C12A7328-F81F-11D2-BA4B-00A0C93EC93B: EFI system partition (UEFI 2.10, table 5.7). */
#define GPT_TYPE_SYSTEM                                                                  \
	{                                                                                \
		0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0,  \
			0xc9, 0x3e, 0xc9, 0x3b                                           \
	}
/* 21686148-6449-6E6F-744E-656564454649: what holds a boot loader's later stages. */
#define GPT_TYPE_BIOS_BOOT                                                               \
	{                                                                                \
		0x48, 0x61, 0x68, 0x21, 0x49, 0x64, 0x6f, 0x6e, 0x74, 0x4e, 0x65, 0x65,  \
			0x64, 0x45, 0x46, 0x49                                           \
	}

/* UEFI 2.10, table 5.5. */
struct gpt_header {
	uint8_t signature[8];
	le32 revision, header_size, header_crc, reserved;
	le64 own_lba, other_lba, first_usable, last_usable;
	uint8_t disk_guid[16];
	le64 entries_lba;
	le32 entry_count, entry_size, entries_crc;
};
_Static_assert(sizeof(struct gpt_header) == 92, "UEFI ABI");

/* UEFI 2.10, table 5.6. */
struct gpt_entry {
	uint8_t type[16], guid[16];
	le64 first_lba, last_lba, attributes;
	le16 name[36];
};
_Static_assert(sizeof(struct gpt_entry) == GPT_ENTRY_BYTES, "UEFI ABI");

#endif

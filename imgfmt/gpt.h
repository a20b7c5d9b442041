/* gpt.h: the partition table of a disk image (UEFI 2.10, 5.3) and its protective MBR.
 * Pure. */
#ifndef ELFPACK_GPT_H
#define ELFPACK_GPT_H

#include <stddef.h>
#include <stdint.h>

#include "imgfmt/sha256.h"

#define GPT_SECTOR          512u
#define GPT_ENTRIES         128u
#define GPT_ENTRY_BYTES     128u
#define GPT_ENTRIES_SECTORS (GPT_ENTRIES * GPT_ENTRY_BYTES / GPT_SECTOR)
#define GPT_HEAD_SECTORS    (2 + GPT_ENTRIES_SECTORS) /* MBR, header, entries */
#define GPT_TAIL_SECTORS                                                                 \
	(GPT_ENTRIES_SECTORS + 1) /* entries, header: the end of the disk */

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

struct gpt_partition {
	uint8_t type[16]; /* on-disk byte order */
	uint64_t first_lba, last_lba;
	const char *name; /* ASCII, at most 36 characters */
};

struct gpt_disk {
	uint64_t sectors;          /* of the whole disk */
	uint64_t first_usable_lba; /* at least GPT_HEAD_SECTORS */
	const uint8_t *identity;   /* SHA256_BYTES: the GUIDs are derived from it */
	const struct gpt_partition *partition;
	unsigned partition_count;
};

/* Fills the first and the last sectors of the disk; head's first 440 bytes (boot code)
 * are left as they are. */
void gpt_write(const struct gpt_disk *disk, uint8_t head[GPT_HEAD_SECTORS * GPT_SECTOR],
	       uint8_t tail[GPT_TAIL_SECTORS * GPT_SECTOR]);

/* Finds the first partition of a type on a disk whose bytes may be anything. 1: found,
 * and it lies inside the disk, 0: there is none, -1: no such table, or damaged; *why
 * says. */
int gpt_find(const void *disk, size_t size, const uint8_t type[16], uint64_t *first_lba,
	     uint64_t *last_lba, const char **why);

#endif

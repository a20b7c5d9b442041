/* gpt.h: the partition table of a disk image (UEFI 2.10, 5.3) and its protective MBR.
 * Pure. */
#ifndef ELFPACK_GPT_H
#define ELFPACK_GPT_H

#include <stddef.h>
#include <stdint.h>

#include "imgfmt/abi/gpt.h"
#include "imgfmt/sha256.h"

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

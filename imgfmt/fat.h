/* fat.h: a FAT file system with one file (Microsoft FAT specification 1.03): the EFI
 * system partition. No clocks: the same file gives the same bytes. Pure. */
#ifndef ELFPACK_FAT_H
#define ELFPACK_FAT_H

#include "imgfmt/diag.h"
#include "imgfmt/extents.h"

/* The smallest that is made: FAT12, of the size that firmware expects of a medium. */
#define FAT_SECTORS_LEAST 512u

struct fat {
	uint8_t *tables;        /* all before the first cluster of the file */
	struct extents extents; /* of the whole */
};

/* path: upper-case names of 8.3 characters with '/' between them, as
 * "EFI/BOOT/BOOTX64.EFI". The file's bytes are not copied. identity: SHA256_BYTES, from
 * which the volume's number is made. Returns 0 or -1; fat_free in any case. */
int fat_write(struct fat *fat, const char *path, const struct extents *file,
	      const uint8_t *identity, struct diag *why);
void fat_free(struct fat *fat);

#endif

/* format.h: the image formats, one row each: what it is called, who writes and who reads
 * it. Writers are pure: from the plan of a disk to the extents of a file. Readers take
 * bytes that may be anything and give the disk back. */
#ifndef ELFPACK_FORMAT_H
#define ELFPACK_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imgfmt/disk_view.h"
#include "imgfmt/file_plan.h"

struct image_plan {
	const struct extents *disk;   /* whole multiples of the format's disk_multiple */
	const struct extents *bundle; /* what is in the disk's last partition */
	const uint8_t *uefi;          /* bootx64.efi as built; NULL: unknown */
	size_t uefi_size;
	const uint8_t *identity; /* SHA256_BYTES: identifiers are derived from it */
	const char *name;        /* the program's, for people and for names of parts */
	uint64_t seconds;        /* SOURCE_DATE_EPOCH, where a format wants a time */
	/* The disk's EFI system partition, in bytes; size 0: it has none. */
	uint64_t system_at, system_size;
	unsigned threads; /* that may compress */
};

struct format {
	const char *name;
	const char
		*suffixes; /* of file names, without dots; the first is the usual one */
	const char *summary;
	uint64_t disk_multiple; /* bytes; 0: a file without a disk, the bundle alone */
	uint64_t room;          /* as image_parts.format_room */
	bool compress;          /* the bundle, unless the builder says otherwise */
	bool wants_uefi;        /* does its writer need image_plan.uefi? */
	/* Does a file look like one? NULL: its bytes are another format's. */
	bool (*probe)(const uint8_t *bytes, size_t size);
	int (*write)(struct file_plan *file, const struct image_plan *plan,
		     struct diag *why);
	/* The view may point into bytes. */
	int (*read)(struct disk_view *view, const uint8_t *bytes, size_t size,
		    struct diag *why);
};

extern const struct format formats[];
extern const size_t format_count;

/* NULL: there is none. */
const struct format *format_by_name(const char *name);
const struct format *format_by_suffix(const char *path);
/* Of a file that is to be read; raw when it looks like nothing else. */
const struct format *format_of(const uint8_t *bytes, size_t size);

/* The rows' writers and readers; raw, ami and bundle are format.c's own. */
bool qcow2_probe(const uint8_t *bytes, size_t size);
int qcow2_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
int qcow2_write_compressed(struct file_plan *file, const struct image_plan *plan,
			   struct diag *why);
int qcow2_read(struct disk_view *view, const uint8_t *bytes, size_t size,
	       struct diag *why);
bool vhd_probe(const uint8_t *bytes, size_t size);
int vhd_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
int vhd_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why);
bool vmdk_probe(const uint8_t *bytes, size_t size);
int vmdk_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
int vmdk_read(struct disk_view *view, const uint8_t *bytes, size_t size,
	      struct diag *why);
bool ova_probe(const uint8_t *bytes, size_t size);
int ova_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
int ova_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why);
bool gce_probe(const uint8_t *bytes, size_t size);
int gce_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
int gce_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why);
bool oci_probe(const uint8_t *bytes, size_t size);
int oci_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
int oci_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why);
bool iso_probe(const uint8_t *bytes, size_t size);
int iso_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
bool pvh_probe(const uint8_t *bytes, size_t size);
int pvh_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
int pvh_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why);
bool efi_probe(const uint8_t *bytes, size_t size);
int efi_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);
int efi_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why);
int ami_write(struct file_plan *file, const struct image_plan *plan, struct diag *why);

#endif

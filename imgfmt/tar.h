/* tar.h: tar archives (POSIX.1-2017, pax, "ustar Interchange Format"), as far as ova, oci
 * and gce need them. */
#ifndef ELFPACK_TAR_H
#define ELFPACK_TAR_H

#include "imgfmt/diag.h"
#include "imgfmt/file_plan.h"

#define TAR_BLOCK 512u

/* GNU's sparse files ("GNU tar", D: the old GNU format) use the ustar prefix's place. */
#define TAR_SPARSE_FIRST 4u  /* entries in the header */
#define TAR_SPARSE_MORE  21u /* in a block of more of them */

struct tar_sparse {
	char offset[12], size[12];
};

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	union {
		char prefix[155];
		struct {
			char atime[12], ctime[12], offset[12], longnames[4], unused;
			struct tar_sparse sparse[TAR_SPARSE_FIRST];
			char extended, real_size[12];
		} gnu;
	} more;
	char padding[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "tar");

struct tar_sparse_block {
	struct tar_sparse sparse[TAR_SPARSE_MORE];
	char extended, padding[7];
};
_Static_assert(sizeof(struct tar_sparse_block) == TAR_BLOCK, "tar");

/* What the members of our archives differ in. */
struct tar_member {
	const char *name;
	uint64_t size;
	uint32_t mode, owner; /* user and group */
	uint64_t seconds;
	char type; /* '0' a file, '5' a folder, 'S' GNU's sparse file */
};

void tar_header_make(struct tar_header *header, const struct tar_member *member);
void tar_header_seal(
	struct tar_header *header); /* its checksum, when something changed */
/* Octal where it fits, else base 256. */
void tar_number(char *field, size_t room, uint64_t value);
/* Returns 0 or -1. */
int tar_number_read(const char *field, size_t room, uint64_t *value);
bool tar_header_valid(const struct tar_header *header);

/* Appends a member, its bytes padded to a block; contents may be NULL for none. */
int tar_append(struct file_plan *file, const struct tar_member *member,
	       const struct extents *contents, struct diag *why);
int tar_append_end(struct file_plan *file, struct diag *why);

/* Goes through an archive in memory. 1: the next member, 0: the end, -1: damaged. */
struct tar_cursor {
	const uint8_t *bytes;
	size_t size, at;
};
struct tar_found {
	char name[101];
	const uint8_t *bytes;
	size_t size;
};
int tar_next(struct tar_cursor *cursor, struct tar_found *found);
/* The first member whose name ends so: 1, 0 or -1. */
int tar_find(const uint8_t *bytes, size_t size, const char *name_end,
	     struct tar_found *found);

#endif

/* archive.h: tar and zip by way of libarchive: bodies that bring files, and results. Pure
 * but for its memory; reading is fuzzed by tests/fuzz/fuzz_archive.c. */
#ifndef ELFPACK_FRONT_ARCHIVE_H
#define ELFPACK_FRONT_ARCHIVE_H

#include "front/chain.h"
#include "front/upload.h"

enum archive_format { ARCHIVE_TAR, ARCHIVE_ZIP };

/* Unpacks upload->text, which is given back, into upload's files. Only regular files and
 * folders: a link, a device, a FIFO, a sparse file, an encrypted one is refused. Returns
 * 0 or -status with upload->why. */
int archive_unpack(struct upload *upload, enum archive_format format,
		   const struct limits *limits);

struct archive_member {
	const char *name;
	const struct chain *bytes;
	unsigned mode;
};

/* Appends an archive of these files. Returns 0 or -ENOMEM. */
int archive_pack(struct chain *body, enum archive_format format,
		 const struct archive_member *members, size_t count);

#endif

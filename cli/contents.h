/* contents.h: every packed file, with its digests and the Debian package it came from. */
#ifndef ELFPACK_CLI_CONTENTS_H
#define ELFPACK_CLI_CONTENTS_H

#include "cli/dpkg.h"
#include "imgfmt/digest_hex.h"
#include "imgfmt/tree.h"

#define SHA1_HEX_ROOM 41u

struct content {
	char *path; /* in the image, absolute */
	char sha1[SHA1_HEX_ROOM], sha256[HEX_ROOM];
};

struct contents {
	struct content *list;    /* by path, folder by folder */
	struct dpkg_file *files; /* beside each: the file that it was here */
	size_t count, room;
	struct dpkg dpkg;
};

/* Returns 0 or -1; contents_free in any case. */
int contents_find(struct contents *contents, const struct tree *tree, struct diag *why);
void contents_free(struct contents *contents);

/* A digest by libcrypto's name of it, as hexadecimal digits. Returns 0 or -1. */
int contents_digest(const char *name, const void *bytes, size_t size, char *hex,
		    struct diag *why);

#endif

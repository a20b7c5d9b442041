/* dpkg.h: which Debian package this machine's files belong to, read from dpkg's database
 * (dpkg(1), deb-control(5)). Where there is none, nothing belongs to any. */
#ifndef ELFPACK_CLI_DPKG_H
#define ELFPACK_CLI_DPKG_H

#include <stddef.h>

#include "imgfmt/diag.h"

struct dpkg_package {
	char *key; /* name or name:architecture, as dpkg's file names have it */
	char *name, *version, *architecture;
};

struct dpkg {
	struct dpkg_package *packages; /* that some file belongs to, in dpkg's order */
	size_t count;
	char vendor[64]; /* the system's ID (os-release(5)) */
};

#define DPKG_NONE ((size_t)-1)

struct dpkg_file {
	char *path;     /* owned, absolute, without links; NULL: asks nothing */
	size_t package; /* the answer: an index, or DPKG_NONE */
};

/* Answers all files at once. Returns 0 or -1; dpkg_free in any case. */
int dpkg_find(struct dpkg *dpkg, struct dpkg_file *files, size_t count, struct diag *why);
void dpkg_free(struct dpkg *dpkg);

#endif

/* statements.h: what is said of an image in files beside it: which files are in it and
 * where they came from (SPDX), what it was built from (in-toto), and digests. */
#ifndef ELFPACK_CLI_STATEMENTS_H
#define ELFPACK_CLI_STATEMENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/contents.h"
#include "cli/emit.h"
#include "cli/pack.h"

/* What is to be written; each is named after the image. */
struct statements {
	bool sbom;       /* IMAGE.spdx.json */
	bool provenance; /* IMAGE.intoto.json */
	bool sums;       /* SHA256SUMS in the image's folder */
};

struct statement {
	const char *image; /* its path */
	const struct emitted *done;
	const struct pack *pack;
	const char
		*configuration; /* the builder's options, as elfpack.conf(5) has them */
	struct contents contents;
};

/* Writes them once the image is there. Returns 0 or -1. */
int statements_write(const struct statements *which, struct statement *statement,
		     struct diag *why);

/* sbom.c, provenance.c: the texts. Return 0 or -1. */
int sbom_print(FILE *to, const struct statement *statement, struct diag *why);
int provenance_print(FILE *to, const struct statement *statement, struct diag *why);
/* sums.c: adds the digests of files in one folder to its SHA256SUMS, in the place of
 * those that it had of them. */
struct sum {
	const char *path;
	char sha256[HEX_ROOM];
};
int sums_write(const struct sum *sums, size_t count, struct diag *why);

/* A package's URL (purl), without quotes. */
void print_purl(FILE *to, const struct dpkg *dpkg, const struct dpkg_package *package);
/* elfpack's own parts that are in the image; [i].name NULL: the end. */
struct own_part {
	const char *name;
	const struct part_file *file;
};
#define OWN_PARTS_MAX 6u
void own_parts(struct own_part parts[OWN_PARTS_MAX], const struct pack *pack);
/* The last name of a path. */
const char *last_name(const char *path);

#endif

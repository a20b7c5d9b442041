/* profile.h: what belongs to a known program beside its libraries, and how it is best
 * served; read from share/elfpack/profiles/NAME.conf. profile_files.c packs it.
 *
 *   [profile]  match = GLOB...        names of the programs it is for
 *              include = NAME...      another profile's rows, of the same folder
 *              example = QUERY        a request, for the usage text
 *   [pack]     programs = NAME|GLOB.. each with its libraries; of names in one row the
 *                                     first that is found; a path's globs: all
 *              optional = the same    but it may be missing
 *              files = GLOB...        files and whole folders, at their own paths
 *              need = GLOB PACKAGE    a file without which the image is of no use
 *              exclude = GLOB...      left out of folders
 *   [env]      NAME = VALUE
 *   [http]     argv = WORD... ...     the rows of imgfmt/http_keys.def
 *   [limits]   wall-ms = 60s ...      the rows of limits.def
 *
 * A value goes on in the lines below it that begin with white space. */
#ifndef ELFPACK_CLI_PROFILE_H
#define ELFPACK_CLI_PROFILE_H

#include <stdbool.h>

#include "cli/http_keys.h"
#include "imgfmt/diag.h"
#include "imgfmt/manifest.h"
#include "imgfmt/tree.h"

#define LIMIT_UNSET UINT64_MAX

struct profile {
	struct words match, include;
	struct words programs, optional, files, needs, exclude; /* rows */
	struct words env;                                       /* K=V */
	struct http_keys http;
	char *name; /* what profile_load was asked for, or profile_find found; NULL:
		       nothing */
	char *example;
	struct limits limits; /* LIMIT_UNSET where nothing is said */
};

void profile_init(struct profile *profile);
void profile_free(struct profile *profile);
/* Adds a text's rows; name is for messages. */
int profile_parse(struct profile *profile, const char *text, const char *name,
		  struct diag *why);
bool profile_matches(const struct profile *profile, const char *program);

/* A name in the folder, or a file when it has a slash; with all that it includes. */
int profile_load(struct profile *profile, const char *folder, const char *name,
		 struct diag *why);
/* The first profile of the folder, by name, that matches. 1: found, 0: none is for it. */
int profile_find(struct profile *profile, const char *folder, const char *program,
		 struct diag *why);

/* profile_files.c: puts what belongs to it into the tree; an exit status. */
int profile_pack(struct tree *tree, const struct profile *profile, struct diag *why);

#endif

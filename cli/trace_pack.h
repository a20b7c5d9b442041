/* trace_pack.h: packs what a program used when it ran here: --trace. */
#ifndef ELFPACK_CLI_TRACE_PACK_H
#define ELFPACK_CLI_TRACE_PACK_H

#include "cli/pack.h"

/* Runs the program once for each line of arguments that the request has, with the
 * variables that it will have in the image. Files go to their own paths, those below the
 * current folder to the image's working directory. */
int trace_pack(struct tree *tree, const struct pack_request *request, const char *file,
	       struct diag *why);

#endif

/* ini_file.h: INI text, read by inih, with the place of every pair for messages. Lines
 * may be of any length; ';' and '#' begin a comment at the start of a line only. */
#ifndef ELFPACK_CLI_INI_FILE_H
#define ELFPACK_CLI_INI_FILE_H

#include "imgfmt/diag.h"

/* Called for each pair, again for each indented line below it. Returns 0, or -1 with *why
 * saying what is wrong with it: the place is put before that. */
typedef int ini_take(void *context, const char *section, const char *key,
		     const char *value, struct diag *why);

/* name is for messages: "NAME:LINE: what". Ends at the first mistake. */
int ini_file_parse(const char *text, const char *name, ini_take *take, void *context,
		   struct diag *why);
/* The same with the text of a file. */
int ini_file_read(const char *path, ini_take *take, void *context, struct diag *why);

#endif

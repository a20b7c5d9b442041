/* options.h: command lines, read by one table a command; help is made from the same rows.
 */
#ifndef ELFPACK_CLI_OPTIONS_H
#define ELFPACK_CLI_OPTIONS_H

#include <stdint.h>

#include "imgfmt/diag.h"

enum option_argument {
	OPTION_NONE,
	OPTION_NEEDED,
	OPTION_BY_EQUALS /* --name[=value] only */
};

struct option_row {
	const char *name; /* without dashes */
	char letter;      /* 0: none */
	int id;           /* unique in the table, not 0 */
	enum option_argument argument;
	const char *placeholder, *help;
};

#define OPTION_WORD 0 /* option_next: not an option; its text is in value */

struct option_reader {
	const struct option_row *rows;
	char **argv;
	int argc, at;        /* after the end: at is the first argument behind "--" */
	const char *cluster; /* rest of a group of one-letter options */
};

/* Reads the next argument: an option's id with *value (NULL: none), or OPTION_WORD. -1:
 * the end, -2: wrong, *why says how. */
int option_next(struct option_reader *reader, const char **value, struct diag *why);
void option_help(const struct option_row *rows);

/* A number with an optional unit: k, M, G, T (1024) or for times ms, s, m. 0 or -1. */
int option_number(const char *text, uint64_t *number);
int option_duration_ms(const char *text, uint64_t *ms);

#endif

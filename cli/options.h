/* options.h: command lines, read by one table a command; help is made from the same rows.
 */
#ifndef ELFPACK_CLI_OPTIONS_H
#define ELFPACK_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "imgfmt/diag.h"

enum option_argument {
	OPTION_NONE,
	OPTION_NEEDED,
	OPTION_BY_EQUALS /* --name[=value] only */
};

struct option_row {
	const char *name; /* without dashes in front; '_' stands for '-' */
	char letter;      /* 0: none */
	int id;           /* unique in the table, not 0 */
	enum option_argument argument;
	const char *placeholder, *help;
};

#define OPTION_WORD 0 /* option_next: not an option; its text is in value */
/* A row with an empty name is a heading in the help. */
#define OPTION_HEADING(text)                                                             \
	{                                                                                \
		"", 0, 0, OPTION_NONE, NULL, text                                        \
	}

#define OPTION_NAME_ROOM   40u
#define OPTION_NUMBER_ROOM 24u

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
const struct option_row *option_find(const struct option_row *rows, const char *name,
				     size_t size);
/* Its name as it is written; room: OPTION_NAME_ROOM bytes. Returns room. */
const char *option_name(const struct option_row *row, char *room);

/* A number with an optional unit: k, M, G, T (1024) or for times ms, s, m. 0 or -1. */
int option_number(const char *text, uint64_t *number);
int option_duration_ms(const char *text, uint64_t *ms);

#endif

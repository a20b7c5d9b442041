/* arguments.h: what a command is told: by the configuration files that -c names, then by
 * its command line, which wins. The command's table of options serves both.
 *
 * A configuration has a key for each option: NAME = VALUE, again for each of several
 * values or in indented lines below; "yes" or "no" for what takes no value. `program` and
 * `arg` say what stands on a command line without an option's name. Keys above any
 * section and in [build] are build's, those in [run] run's; what says what an image is to
 * hold counts for every command that packs. A value in double quotes may have \", \\, \n,
 * \t, \r, \xHH. */
#ifndef ELFPACK_CLI_ARGUMENTS_H
#define ELFPACK_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "imgfmt/tree.h"

enum argument_source { SOURCE_CONFIGURATION, SOURCE_COMMAND_LINE };

/* Ids from here on are of command lines only. */
enum { OPTION_HELP = 1000, OPTION_CONFIG, OPTION_LINE_ONLY };

#define ARGUMENTS_ROWS                                                                   \
	{"config",      'c',    OPTION_CONFIG,                                           \
	 OPTION_NEEDED, "FILE", "read options from a file; flags win"},                  \
	{                                                                                \
		"help", 'h', OPTION_HELP, OPTION_NONE, NULL, "this text"                 \
	}

struct arguments {
	const struct command *command;
	/* Takes a value, which lives as long as the arguments; *why speaks of the value.
	 */
	int (*take)(void *context, int id, const char *value, enum argument_source source,
		    struct diag *why);
	void *context;
	struct words kept; /* values of configuration files; arguments_free */
	bool help;         /* out: --help was printed, and there is nothing else to do */
};

int arguments_read(struct arguments *arguments, int argc, char **argv, struct diag *why);
void arguments_free(struct arguments *arguments);

/* One line of a configuration, such that it reads back as the same value. */
void arguments_print_pair(FILE *to, const char *key, const char *value);

#endif

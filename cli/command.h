/* command.h: what every command of elfpack is made of. */
#ifndef ELFPACK_CLI_COMMAND_H
#define ELFPACK_CLI_COMMAND_H

#include "cli/options.h"
#include "imgfmt/diag.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNSUITABLE = 3 };

struct command {
	const char *name;
	const char *usage;                /* behind the name */
	const char *summary;              /* one line */
	const struct option_row *options; /* ends with a row without a name */
	/* Returns an exit status; *why says what went wrong. */
	int (*main)(const struct command *command, int argc, char **argv,
		    struct diag *why);
};

extern const struct command cmd_build, cmd_check, cmd_completion, cmd_convert, cmd_init,
	cmd_inspect, cmd_publish, cmd_run, cmd_serve;
extern const struct command *const commands[]; /* main.c: all, and a NULL */

#endif

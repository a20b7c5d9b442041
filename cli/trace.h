/* trace.h: runs a program once, with everything that it starts, and notes every file that
 * it executed, opened or looked for and found. */
#ifndef ELFPACK_CLI_TRACE_H
#define ELFPACK_CLI_TRACE_H

#include <stdint.h>

#include "imgfmt/diag.h"

enum trace_use { TRACE_LOOKED_FOR, TRACE_OPENED, TRACE_EXECUTED, TRACE_USES };

struct traced_file {
	char *path;         /* absolute, as it was asked for: links are not followed */
	enum trace_use use; /* the most of all */
	char by[16];        /* the process that did it first */
};

struct trace {
	void *files; /* tsearch(3), by path */
	uint64_t file_count;
	int status; /* of the program: as of waitpid */
};

/* Runs the file with these arguments and variables; its standard output goes to ours for
 * errors. What it starts ends when it does. trace_free in any case. */
int trace_run(struct trace *trace, const char *file, char *const *argv, char *const *envp,
	      struct diag *why);
void trace_free(struct trace *trace);

/* The words of a command line: white space between, quotes and backslashes as in sh. The
 * list ends with a NULL; *words is malloc'd in one piece. NULL: *why says. */
char **trace_words(const char *first, const char *line, struct diag *why);

#endif

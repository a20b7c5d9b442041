/* session.h: a running guest, from its start to its end: the console passed through, the
 * first answer of its HTTP server waited for, and its exit status. */
#ifndef ELFPACK_CLI_SESSION_H
#define ELFPACK_CLI_SESSION_H

#include <stdbool.h>

#include "cli/qemu.h"

struct session_plan {
	char **qemu;   /* argv */
	int status[2]; /* a pipe; QEMU inherits its writing end, which is closed here */
	bool interactive;           /* the console is our standard input and output */
	const struct forward *http; /* say "ready" when it answers; NULL: it never does */
};

/* Returns what elfpack is to end with: the guest's exit status, 128 + the signal that
 * ended us, or EXIT_FAILED with *why. */
int session_run(const struct session_plan *plan, struct diag *why);

#endif

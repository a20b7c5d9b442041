/* progress.h: what a person at a terminal sees of a command that takes more than a
 * second: a bar with bytes, rate and time left. */
#ifndef ELFPACK_CLI_PROGRESS_H
#define ELFPACK_CLI_PROGRESS_H

#include <stdbool.h>

/* From now on what writers say is shown, if standard error is a terminal. */
void progress_begin(bool quiet);
/* Takes the bar away. */
void progress_end(void);

#endif

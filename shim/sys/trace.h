/* trace.h: system calls on the console, one line each, for `elfpack run --strace`. */
#ifndef SHIM_SYS_TRACE_H
#define SHIM_SYS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct sysargs;

/* Of the current job: payloads only, and only with `strace` on the boot command line. */
bool trace_wanted(void);
long trace_call(uint32_t number, long (*handler)(const struct sysargs *a),
		const struct sysargs *a);

#endif

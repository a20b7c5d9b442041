/* show.h: what the guest programs print with: a line for each result. The same program
 * runs on Linux and in an image, and the lines must be equal: so nothing that differs
 * from run to run (numbers of processes, times, addresses) may be shown. */
#ifndef TESTS_GUEST_SHOW_H
#define TESTS_GUEST_SHOW_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The call as it is written, and its result or error. */
#define SHOW(call) (errno = 0, show(#call, (long)(call)))

static inline long show(const char *what, long result)
{
	int error = errno;
	if (result == -1 && error)
		printf("%s: %s\n", what, strerror(error));
	else
		printf("%s: %ld\n", what, result);
	fflush(stdout);
	errno = error;
	return result;
}

static inline void show_bytes(const char *what, const void *bytes, long size)
{
	printf("%s: %ld \"%.*s\"\n", what, size, size > 0 ? (int)size : 0,
	       (const char *)bytes);
	fflush(stdout);
}

/* An empty working directory of its own, gone with enter_scratch's caller's image. */
static inline void enter_scratch(void)
{
	static char path[] = "/tmp/guest-XXXXXX";
	if (!mkdtemp(path) || chdir(path) < 0) {
		perror(path);
		exit(99);
	}
}

#endif

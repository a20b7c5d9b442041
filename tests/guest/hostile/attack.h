/* attack.h: what the hostile programs share. They end by themselves or are ended; what
 * they print does not matter. What matters is asked afterwards, of the machine:
 * test_hostile.py. */
#ifndef TESTS_GUEST_HOSTILE_ATTACK_H
#define TESTS_GUEST_HOSTILE_ATTACK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KERNEL_BASE 0xffff800000000000ull
#define LAST_PAGE   0x7fffffffe000ull /* the highest that may be mapped */

struct attack {
	const char *name;
	void (*run)(void);
};

static inline double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each attack in a child of its own, which is killed if it does not end. */
static inline void attack_each(const struct attack *attacks, size_t count,
			       unsigned limit_s)
{
	for (size_t i = 0; i < count; i++) {
		pid_t child = fork();
		int status = 0;
		if (child == 0) {
			setpgid(0, 0);
			alarm(limit_s);
			attacks[i].run();
			_exit(0);
		}
		if (child < 0) {
			printf("%s: fork: %s\n", attacks[i].name, strerror(errno));
			continue;
		}
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		kill(-child, SIGKILL);
		printf("%s: %#x\n", attacks[i].name, (unsigned)status);
		fflush(stdout);
	}
}

#define ATTACK_ALL(attacks, limit_s)                                                     \
	attack_each(attacks, sizeof(attacks) / sizeof(*(attacks)), limit_s)

/* One attack by its number (argv[1]), in this very process, so that the job is what it
 * breaks; without a number all, each in a child. */
static inline int attack_main(const struct attack *attacks, size_t count,
			      unsigned limit_s, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < count; i++)
		if (!strcmp(attacks[i].name, argv[1])) {
			attacks[i].run();
			return 0;
		}
	if (argc > 1)
		return 2;
	attack_each(attacks, count, limit_s);
	return 0;
}

#endif

/* lines.h: what the programs of this folder choose by and speak through: random numbers
 * that depend on the seed alone, and lines that are either printed or folded into one
 * number. */
#ifndef TESTS_GUEST_MODEL_LINES_H
#define TESTS_GUEST_MODEL_LINES_H

#include "../show.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

static uint64_t random_state, digest;
static bool verbose;
static unsigned seed, step_number;

/* splitmix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators". */
static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static unsigned pick(unsigned n)
{
	return (unsigned)(random_next() >> 16) % n;
}

static bool chance(unsigned percent)
{
	return pick(100) < percent;
}

/* FNV-1a. */
static uint64_t fold(uint64_t h, const void *bytes, size_t size)
{
	for (const uint8_t *b = bytes; size--; b++)
		h = (h ^ *b) * 0x100000001b3u;
	return h;
}
#define FOLD_START 0xcbf29ce484222325u

static void __attribute__((format(printf, 1, 2))) line(const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	digest = fold(digest, text, strlen(text) + 1);
	if (verbose)
		printf("seed %u step %u: %s\n", seed, step_number, text);
}

/* A result or the name of the error; valid until used four more times. */
static const char *result_text(long result)
{
	static char text[4][24];
	static unsigned next;
	if (result < 0)
		return strerrorname_np(errno);
	char *at = text[next++ % 4];
	snprintf(at, sizeof(text[0]), "%ld", result);
	return at;
}

/* Inode numbers are compared by the order in which they are met. */
static unsigned inode_rank(ino_t inode)
{
	static ino_t known[8192];
	static unsigned count, of_seed;
	if (of_seed != seed + 1) {
		of_seed = seed + 1;
		count = 0;
	}
	for (unsigned i = 0; i < count; i++)
		if (known[i] == inode)
			return i;
	if (count < sizeof(known) / sizeof(known[0]))
		known[count] = inode;
	return count++;
}

/* Times that utimensat sets lie in [PAST, PAST + 10^6); clocks differ, so of others only
 * whether they are of this run is compared. */
#define PAST 1000000000
static struct timespec run_start;

static const char *time_text(struct timespec t)
{
	static char text[2][24];
	static unsigned next;
	if (t.tv_sec > run_start.tv_sec ||
	    (t.tv_sec == run_start.tv_sec && t.tv_nsec >= run_start.tv_nsec))
		return "now";
	if (t.tv_sec < PAST || t.tv_sec >= PAST + 1000000)
		return "old";
	char *at = text[next++ % 2];
	snprintf(at, sizeof(text[0]), "%ld", (long)t.tv_sec);
	return at;
}

/* Sizes of directories and blocks of what is not a file are each file system's own;
 * access times depend on how it is mounted. */
static void line_stat(const char *what, const struct stat *st)
{
	bool directory = S_ISDIR(st->st_mode), regular = S_ISREG(st->st_mode);
	line("%s: inode %u mode %o links %lu size %ld blocks %ld mtime %s ctime %s", what,
	     inode_rank(st->st_ino), st->st_mode, (long)st->st_nlink,
	     directory ? 0 : (long)st->st_size, regular ? (long)st->st_blocks : 0,
	     time_text(st->st_mtim), time_text(st->st_ctim));
}

#endif

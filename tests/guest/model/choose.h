/* choose.h: what a call of the model is about: names, open files, places in files, bytes.
 */
#ifndef TESTS_GUEST_MODEL_CHOOSE_H
#define TESTS_GUEST_MODEL_CHOOSE_H

#include "lines.h"

#include <fcntl.h>
#include <limits.h>

#define PAGE   4096
#define SLOTS  8
#define MAPS   4
#define IO_MAX 10000

static struct slot {
	int fd;
	unsigned pieces;  /* of a directory that is being listed, so far; 0: it is not */
	unsigned touched; /* names that were used since the listing began */
	unsigned before, seen; /* names at its beginning; so far; one bit a name */
	bool twice;
} slots[SLOTS];

static struct map {
	uint8_t *at;
	size_t pages;
	off_t offset;
	bool writable, shared;
	int fd; /* opened again, for its position must not move the slot's */
} maps[MAPS];

static const char *const names[] = {"a", "b", "c", "d", "a-longer-name"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static unsigned name_choose(void)
{
	unsigned n = pick(NAMES);
	for (int i = 0; i < SLOTS; i++)
		slots[i].touched |= 1u << n;
	return n;
}

/* Never begins with "..": the folder of the seed is not to be left. */
static const char *path_choose(void)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4], *at = path;
	unsigned kinds = pick(10), count = kinds < 6 ? 1 : kinds < 9 ? 2 : 3;
	*at = '\0';
	if (chance(1))
		return path;
	for (unsigned i = 0; i < count; i++) {
		unsigned kind = pick(40);
		if (kind == 0)
			at = stpcpy(at, ".");
		else if (kind == 1 && i > 0)
			at = stpcpy(at, "..");
		else if (kind == 2 && chance(20))
			at = mempcpy(at, (char[256]){[0 ... 255] = 'n'}, 256);
		else
			at = stpcpy(at, names[name_choose()]);
		if (i + 1 < count || chance(6))
			*at++ = '/';
		if (chance(2))
			*at++ = '/';
	}
	*at = '\0';
	return path;
}

/* An open one rather than an empty one. */
static struct slot *slot_choose(void)
{
	struct slot *slot = &slots[pick(SLOTS)];
	for (int i = 0; i < 3 && slot->fd < 0; i++)
		slot = &slots[pick(SLOTS)];
	return slot;
}

static int directory_choose(void)
{
	return chance(80) ? AT_FDCWD : slot_choose()->fd;
}

static const char *directory_text(int fd)
{
	static char text[2][16];
	static unsigned next;
	char *at = text[next++ % 2];
	if (fd == AT_FDCWD)
		return "";
	snprintf(at, sizeof(text[0]), "<%d>/", fd);
	return at;
}

static off_t offset_choose(void)
{
	static const off_t bases[] = {0,        0,        PAGE,      2 * PAGE,
				      3 * PAGE, 5 * PAGE, 64 * PAGE, 1l << 32};
	off_t base = bases[pick(sizeof(bases) / sizeof(bases[0]))];
	if (chance(30))
		return base;
	return chance(50) ? base + pick(PAGE) : base > 20 ? base - pick(20) : 0;
}

static size_t size_choose(void)
{
	return chance(20) ? pick(10) : chance(30) ? PAGE * (1 + pick(2)) : pick(IO_MAX);
}

static uint8_t *bytes_choose(size_t size)
{
	static uint8_t bytes[IO_MAX];
	uint64_t value = random_next();
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> i % 8 * 8) + (uint8_t)(i / 251);
	return bytes;
}

#endif

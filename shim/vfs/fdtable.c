/* fdtable.c: small integers to open files, per process. */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/vfs/file.h"
#include "shim/vfs/locks.h"

#define WORD_BITS  64u
#define ROOM_FIRST 64u
#define ROOM_MAX   (1u << 18) /* what one kmalloc of pointers can hold; Linux: nr_open */

struct fdtable {
	struct account *account;
	uint32_t refs;
	uint32_t limit;  /* numbers below it may be given out */
	uint32_t room;   /* a multiple of WORD_BITS */
	uint32_t lowest; /* no free number is below it */
	struct file **file;
	uint64_t *cloexec; /* bit n: of number n */
};

/* Both arrays live in one block: room pointers, then room bits. */
static int resize(struct fdtable *table, uint32_t room)
{
	size_t pointers = room * sizeof(struct file *), bits = room / 8;
	struct file **file = kzalloc(table->account, pointers + bits);
	if (!file)
		return -ENOMEM;
	uint64_t *cloexec = (uint64_t *)(void *)(file + room);
	if (table->file) {
		memcpy(file, table->file, table->room * sizeof(struct file *));
		memcpy(cloexec, table->cloexec, table->room / 8);
		kfree(table->file);
	}
	table->file = file;
	table->cloexec = cloexec;
	table->room = room;
	return 0;
}

static int make_room(struct fdtable *table, uint32_t fd)
{
	if (fd < table->room)
		return 0;
	uint32_t room = table->room;
	while (room <= fd)
		room *= 2;
	return room > ROOM_MAX ? -EMFILE : resize(table, room);
}

struct fdtable *fdtable_make(struct account *account, uint32_t limit)
{
	struct fdtable *table = kzalloc(account, sizeof(*table));
	if (!table)
		return NULL;
	table->account = account;
	table->refs = 1;
	table->limit = limit;
	if (resize(table, ROOM_FIRST) < 0) {
		kfree(table);
		return NULL;
	}
	return table;
}

struct fdtable *fdtable_copy(struct account *account, const struct fdtable *from)
{
	struct fdtable *table = kzalloc(account, sizeof(*table));
	if (!table)
		return NULL;
	table->account = account;
	table->refs = 1;
	table->limit = from->limit;
	table->lowest = from->lowest;
	uint32_t room = from->room; /* without the empty end */
	while (room > ROOM_FIRST) {
		uint32_t half = room / 2, fd = half;
		while (fd < room && !from->file[fd])
			fd++;
		if (fd < room)
			break;
		room = half;
	}
	if (resize(table, room) < 0) {
		kfree(table);
		return NULL;
	}
	memcpy(table->file, from->file, room * sizeof(struct file *));
	memcpy(table->cloexec, from->cloexec, room / 8);
	for (uint32_t fd = 0; fd < room; fd++)
		if (table->file[fd])
			file_get(table->file[fd]);
	return table;
}

void fdtable_get(struct fdtable *table)
{
	table->refs++;
}

static void close_file(struct fdtable *table, struct file *file)
{
	if (file->vnode)
		locks_descriptor_closed(file, table);
	file_put(file);
}

void fdtable_put(struct fdtable *table)
{
	if (--table->refs)
		return;
	for (uint32_t fd = 0; fd < table->room; fd++) {
		struct file *file = table->file[fd];
		table->file[fd] = NULL;
		if (file)
			close_file(table, file);
	}
	kfree(table->file);
	kfree(table);
}

static bool is_open(const struct fdtable *table, int fd)
{
	return fd >= 0 && (uint32_t)fd < table->room && table->file[fd];
}

struct file *fdtable_lookup(struct fdtable *table, int fd)
{
	if (!is_open(table, fd))
		return NULL;
	file_get(table->file[fd]);
	return table->file[fd];
}

static void mark_cloexec(struct fdtable *table, uint32_t fd, bool cloexec)
{
	uint64_t bit = 1ull << fd % WORD_BITS;
	if (cloexec)
		table->cloexec[fd / WORD_BITS] |= bit;
	else
		table->cloexec[fd / WORD_BITS] &= ~bit;
}

static uint32_t first_free(const struct fdtable *table, uint32_t fd)
{
	if (fd < table->lowest)
		fd = table->lowest;
	while (fd < table->room && table->file[fd])
		fd++;
	return fd;
}

int fdtable_check_free(const struct fdtable *table)
{
	return first_free(table, 0) < table->limit ? 0 : -EMFILE;
}

int fdtable_install(struct fdtable *table, struct file *file, int lowest, bool cloexec)
{
	uint32_t fd = first_free(table, (uint32_t)lowest);
	if (fd >= table->limit)
		return -EMFILE;
	int rc = make_room(table, fd);
	if (rc < 0)
		return rc;
	table->file[fd] = file;
	mark_cloexec(table, fd, cloexec);
	if ((uint32_t)lowest <= table->lowest)
		table->lowest = fd + 1;
	return (int)fd;
}

int fdtable_install_at(struct fdtable *table, struct file *file, int fd, bool cloexec)
{
	if (fd < 0 || (uint32_t)fd >= table->limit)
		return -EBADF;
	int rc = make_room(table, (uint32_t)fd);
	if (rc < 0)
		return rc;
	struct file *old = table->file[fd];
	table->file[fd] = file;
	mark_cloexec(table, (uint32_t)fd, cloexec);
	if (old)
		close_file(table, old);
	return 0;
}

int fdtable_close(struct fdtable *table, int fd)
{
	if (!is_open(table, fd))
		return -EBADF;
	struct file *file = table->file[fd];
	table->file[fd] = NULL;
	mark_cloexec(table, (uint32_t)fd, false);
	if ((uint32_t)fd < table->lowest)
		table->lowest = (uint32_t)fd;
	close_file(table, file);
	return 0;
}

void fdtable_close_on_exec(struct fdtable *table)
{
	for (uint32_t word = 0; word < table->room / WORD_BITS; word++)
		while (table->cloexec[word]) {
			uint32_t bit = (uint32_t)__builtin_ctzll(table->cloexec[word]);
			int fd = (int)(word * WORD_BITS + bit);
			if (fdtable_close(table, fd) < 0)
				mark_cloexec(table, (uint32_t)fd, false);
		}
}

int fdtable_cloexec_get(struct fdtable *table, int fd)
{
	if (!is_open(table, fd))
		return -EBADF;
	return table->cloexec[(uint32_t)fd / WORD_BITS] >> (uint32_t)fd % WORD_BITS & 1;
}

int fdtable_cloexec_set(struct fdtable *table, int fd, bool cloexec)
{
	if (!is_open(table, fd))
		return -EBADF;
	mark_cloexec(table, (uint32_t)fd, cloexec);
	return 0;
}

void fdtable_limit_set(struct fdtable *table, uint32_t limit)
{
	table->limit = limit;
}

uint32_t fdtable_room(const struct fdtable *table)
{
	return table->room;
}

int fdtable_next(struct fdtable *table, int from)
{
	for (uint32_t fd = (uint32_t)(from < 0 ? 0 : from); fd < table->room; fd++)
		if (table->file[fd])
			return (int)fd;
	return -1;
}

/* tree.h: folders and trees as lines, sorted. */
#ifndef TESTS_GUEST_MODEL_TREE_H
#define TESTS_GUEST_MODEL_TREE_H

#include "lines.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>

#define ENTRIES_MAX 64

struct entry {
	char name[NAME_MAX + 1];
	unsigned char type;
	ino_t inode;
};

typedef void (*entry_visitor)(void *context, const char *name);

/* The records of one getdents64. */
static void each_record(const char *records, long size, entry_visitor visit,
			void *context)
{
	for (long at = 0; at < size;) {
		const struct dirent64 *entry = (const void *)(records + at);
		visit(context, entry->d_name);
		at += entry->d_reclen;
	}
}

/* Every name of an open folder. */
static void each_entry(int fd, entry_visitor visit, void *context)
{
	char buffer[2048];
	long size;
	while ((size = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		each_record(buffer, size, visit, context);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The folder's entries but "." and "..", sorted; closes fd. */
static int entries_read(int fd, struct entry *out)
{
	DIR *folder = fdopendir(fd);
	int count = 0;
	if (!folder) {
		close(fd);
		return 0;
	}
	for (struct dirent *e; (e = readdir(folder)) && count < ENTRIES_MAX;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		strcpy(out[count].name, e->d_name);
		out[count].type = e->d_type;
		out[count++].inode = e->d_ino;
	}
	closedir(folder);
	qsort(out, (size_t)count, sizeof(*out), by_name);
	return count;
}

static void line_entries(int fd)
{
	struct entry entries[ENTRIES_MAX];
	int count = entries_read(fd, entries);
	for (int i = 0; i < count; i++)
		line("entry %s type %u inode %u", entries[i].name, entries[i].type,
		     inode_rank(entries[i].inode));
}

/* Whole, but for large holes: files may say that they have 4 GiB. */
static uint64_t content_fold(const char *path)
{
	uint8_t bytes[4096];
	uint64_t h = FOLD_START;
	int fd = open(path, O_RDONLY);
	for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0;) {
		ssize_t got = pread(fd, bytes, sizeof(bytes), at);
		h = fold(fold(h, &at, sizeof(at)), bytes, got > 0 ? (size_t)got : 0);
		if (got <= 0)
			break;
		at += got;
	}
	close(fd);
	return h;
}

static void line_tree(const char *path)
{
	struct entry entries[ENTRIES_MAX];
	struct stat st;
	char below[PATH_MAX], target[PATH_MAX];
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	int count = fd < 0 ? 0 : entries_read(fd, entries);
	for (int i = 0; i < count; i++) {
		if (snprintf(below, sizeof(below), "%s/%s", path, entries[i].name) >=
		    PATH_MAX)
			continue;
		if (lstat(below, &st) < 0) {
			line("%s: %s", entries[i].name, strerrorname_np(errno));
			continue;
		}
		line_stat(entries[i].name, &st);
		if (S_ISREG(st.st_mode)) {
			line("bytes %016lx", (unsigned long)content_fold(below));
		} else if (S_ISLNK(st.st_mode)) {
			long size = readlink(below, target, sizeof(target));
			line("target %.*s", size > 0 ? (int)size : 0, target);
		} else if (S_ISDIR(st.st_mode)) {
			line_tree(below);
			line("end of %s", entries[i].name);
		}
	}
}

#endif

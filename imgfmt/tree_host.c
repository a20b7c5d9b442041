/* tree_host.c: filling the tree from this machine's files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imgfmt/tree.h"

#define LINKS_FOLLOWED 40
#define MAPPED_LEAST   65536 /* bytes: smaller files are read */

static int read_all(int fd, char *bytes, size_t size, const char *path, struct diag *why)
{
	size_t done = 0;
	while (done < size) {
		ssize_t got = read(fd, bytes + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return diag_errno(why, "%s", path);
		if (!got)
			return diag_set(why, "%s: became shorter while it was read",
					path);
		done += (size_t)got;
	}
	return 0;
}

static int open_regular(const char *path, struct stat *st, struct diag *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && !fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	if (fd < 0)
		return diag_errno(why, "%s", path);
	diag_set(why, "%s: not a regular file", path);
	if (S_ISDIR(st->st_mode))
		diag_hint(why, "pack a folder with --dir %s", path);
	close(fd);
	return -1;
}

static int read_open(int fd, const struct stat *st, const char *path, void **bytes,
		     struct diag *why)
{
	size_t size = (size_t)st->st_size;
	*bytes = malloc(size + 1);
	if (!*bytes)
		return diag_set(why, "%s: out of memory (%zu bytes)", path, size);
	if (!read_all(fd, *bytes, size, path, why))
		return 0;
	free(*bytes);
	return -1;
}

int tree_read_file(const char *path, void **bytes, size_t *size, uint32_t *mode,
		   struct diag *why)
{
	struct stat st = {0};
	int fd = open_regular(path, &st, why);
	if (fd < 0)
		return -1;
	int rc = read_open(fd, &st, path, bytes, why);
	close(fd);
	*size = (size_t)st.st_size;
	*mode = st.st_mode;
	return rc;
}

int tree_map_file(const char *path, void **bytes, size_t *size, struct diag *why)
{
	struct stat st = {0};
	int fd = open_regular(path, &st, why);
	if (fd < 0)
		return -1;
	*size = (size_t)st.st_size;
	*bytes = *size ? mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	close(fd);
	return *bytes == MAP_FAILED ? diag_errno(why, "%s", path) : 0;
}

void tree_unmap_file(void *bytes, size_t size)
{
	if (size)
		munmap(bytes, size);
}

bool tree_excluded(const struct words *exclude, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	for (size_t i = 0; exclude && i < exclude->count; i++) {
		const char *glob = exclude->list[i];
		const char *subject = strchr(glob, '/') ? path : name;
		if (fnmatch(glob, subject, 0) == 0)
			return true;
	}
	return false;
}

/* A file that is mapped, as it was then. */
struct tree_source {
	char *path;
	struct stat st;
	struct tree_source *next;
};

void tree_forget_sources(struct tree *tree)
{
	while (tree->mapped) {
		struct tree_source *next = tree->mapped->next;
		free(tree->mapped->path);
		free(tree->mapped);
		tree->mapped = next;
	}
}

static bool same_time(struct timespec one, struct timespec other)
{
	return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

int tree_check_unchanged(const struct tree *tree, struct diag *why)
{
	struct stat st;
	for (const struct tree_source *s = tree->mapped; s; s = s->next) {
		if (stat(s->path, &st))
			return diag_errno(why, "%s", s->path);
		if (st.st_ino != s->st.st_ino || st.st_size != s->st.st_size ||
		    !same_time(st.st_mtim, s->st.st_mtim))
			return diag_set(why, "%s: changed while it was packed", s->path);
	}
	return 0;
}

static int remember_source(struct tree *tree, const char *path, const struct stat *st)
{
	struct tree_source *source = calloc(1, sizeof(*source));
	char *copy = strdup(path);
	if (!source || !copy) {
		free(source);
		free(copy);
		return -1;
	}
	*source = (struct tree_source){.path = copy, .st = *st, .next = tree->mapped};
	tree->mapped = source;
	return 0;
}

/* A map takes no memory of our own, and the kernel need not copy the bytes to us before
 * it copies them to the image. */
static int add_mapped(struct tree *tree, int fd, const struct stat *st,
		      const char *source, const char *path, struct diag *why)
{
	size_t size = (size_t)st->st_size;
	void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED); /* read while others are found */
	if (bytes == MAP_FAILED)
		return diag_errno(why, "%s", source);
	if (remember_source(tree, source, st)) {
		munmap(bytes, size);
		return diag_set(why, "out of memory");
	}
	return tree_put_mapped(tree, path, st->st_mode, bytes, size, why);
}

int tree_add_file(struct tree *tree, const char *source, const char *path,
		  struct diag *why)
{
	struct stat st = {0};
	void *bytes = NULL;
	int fd = open_regular(source, &st, why), rc = 0;
	if (fd < 0)
		return -1;
	if (st.st_size >= MAPPED_LEAST)
		rc = add_mapped(tree, fd, &st, source, path, why);
	else if (!(rc = read_open(fd, &st, source, &bytes, why)))
		rc = tree_put_file(tree, path, st.st_mode, bytes, (size_t)st.st_size,
				   why);
	close(fd);
	if (!rc && !(tree_find(tree, path)->inode->source = strdup(source)))
		rc = diag_set(why, "out of memory");
	return rc;
}

static int put_link(struct tree *tree, const char *source, const char *path, char *target,
		    size_t room, struct diag *why)
{
	ssize_t size = readlink(source, target, room - 1);
	if (size < 0)
		return diag_errno(why, "%s", source);
	target[size] = '\0';
	return tree_put_link(tree, path, target, why);
}

/* A file seen that has more than one name. */
struct seen {
	dev_t device;
	ino_t inode;
	char *path;
	struct seen *next;
};

struct folder_walk {
	struct tree *tree;
	const struct words *exclude;
	struct seen *seen;
	struct diag *why;
};

static int add_regular(struct folder_walk *walk, const char *source, const char *path,
		       const struct stat *st)
{
	if (st->st_nlink > 1) {
		for (struct seen *s = walk->seen; s; s = s->next)
			if (s->device == st->st_dev && s->inode == st->st_ino)
				return tree_put_hard_link(walk->tree, path, s->path,
							  walk->why);
		struct seen *seen = calloc(1, sizeof(*seen));
		char *copy = strdup(path);
		if (!seen || !copy) {
			free(seen);
			free(copy);
			return diag_set(walk->why, "out of memory");
		}
		*seen = (struct seen){st->st_dev, st->st_ino, copy, walk->seen};
		walk->seen = seen;
	}
	return tree_add_file(walk->tree, source, path, walk->why);
}

static int add_folder(struct folder_walk *walk, const char *source, const char *path,
		      const struct stat *st);

static int add_any(struct folder_walk *walk, const char *source, const char *path)
{
	char target[4096];
	struct stat st;
	if (tree_excluded(walk->exclude, path))
		return 0;
	if (lstat(source, &st))
		return diag_errno(walk->why, "%s", source);
	if (S_ISDIR(st.st_mode))
		return add_folder(walk, source, path, &st);
	if (S_ISREG(st.st_mode))
		return add_regular(walk, source, path, &st);
	if (S_ISLNK(st.st_mode))
		return put_link(walk->tree, source, path, target, sizeof(target),
				walk->why);
	diag_set(walk->why, "%s: a device, FIFO or socket cannot be packed", source);
	diag_hint(walk->why, "leave it out with --exclude '%s'", path);
	return -1;
}

static int add_folder(struct folder_walk *walk, const char *source, const char *path,
		      const struct stat *st)
{
	struct dirent **names = NULL;
	if (tree_make_folder(walk->tree, path, st->st_mode, walk->why))
		return -1;
	int rc = 0, count = scandir(source, &names, NULL, alphasort);
	if (count < 0)
		return diag_errno(walk->why, "%s", source);
	for (int i = 0; i < count; i++) {
		char *from = NULL, *to = NULL;
		const char *name = names[i]->d_name;
		if (!rc && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			if (asprintf(&from, "%s/%s", source, name) < 0 ||
			    asprintf(&to, "%s/%s", path, name) < 0)
				rc = diag_set(walk->why, "out of memory");
			else
				rc = add_any(walk, from, to);
		}
		free(from);
		free(to);
		free(names[i]);
	}
	free(names);
	return rc;
}

int tree_add_folder(struct tree *tree, const char *source, const char *path,
		    const struct words *exclude, struct diag *why)
{
	struct folder_walk walk = {.tree = tree, .exclude = exclude, .why = why};
	struct stat st;
	int rc = -1;
	if (stat(source, &st))
		diag_errno(why, "%s", source);
	else if (!S_ISDIR(st.st_mode))
		diag_set(why, "%s: not a folder", source);
	else
		rc = add_folder(&walk, source, path, &st);
	while (walk.seen) {
		struct seen *next = walk.seen->next;
		free(walk.seen->path);
		free(walk.seen);
		walk.seen = next;
	}
	return rc;
}

/* Joins a link's target to the folder it was found in and to what follows it. */
static int splice_target(char *out, size_t room, const char *folder, const char *target,
			 const char *rest)
{
	int n = target[0] == '/' ? snprintf(out, room, "%s%s", target, rest)
				 : snprintf(out, room, "%s/%s%s", folder, target, rest);
	return n < 0 || (size_t)n >= room ? -1 : 0;
}

/* Removes ".", ".." and double slashes; right here because every link before was
 * resolved. */
static void normalise(char *path)
{
	char *out = path;
	const char *in = path;
	while (*in) {
		in += strspn(in, "/");
		size_t size = strcspn(in, "/");
		if (size == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (size && !(size == 1 && in[0] == '.')) {
			*out++ = '/';
			memmove(out, in, size);
			out += size;
		}
		in += size;
	}
	*out = '\0';
}

int tree_add_own_path(struct tree *tree, const char *path, struct diag *why)
{
	char at[4096], next[4096], target[4096];
	struct stat st;
	if (path[0] != '/' || strlen(path) >= sizeof(at))
		return diag_set(why, "%s: not an absolute path", path);
	strcpy(at, path);
	normalise(at);
	for (int links = 0; links < LINKS_FOLLOWED; links++) {
		char *end = at;
		for (;;) { /* the first component that is a link, or the file itself */
			end += 1 + strcspn(end + 1, "/");
			char cut = *end;
			*end = '\0';
			if (lstat(at, &st))
				return diag_errno(why, "%s", path);
			if (S_ISLNK(st.st_mode)) {
				if (!tree_find(tree, at) &&
				    put_link(tree, at, at, target, sizeof(target), why))
					return -1;
				ssize_t size = readlink(at, target, sizeof(target) - 1);
				target[size < 0 ? 0 : size] = '\0';
				*end = cut;
				break;
			}
			if (!cut)
				return tree_find(tree, at)
					       ? 0
					       : tree_add_file(tree, at, at, why);
			*end = cut;
		}
		char *slash = end - 1;
		while (slash > at && *slash != '/')
			slash--;
		char *rest = strdup(end);
		*slash = '\0';
		int rc = rest ? splice_target(next, sizeof(next), at, target, rest) : -1;
		free(rest);
		if (rc)
			return diag_set(why, "%s: its links make too long a path", path);
		strcpy(at, next);
		normalise(at);
	}
	return diag_set(why, "%s: too many links", path);
}

/* cgroup.c: cgroup v2 as Linux' Documentation/admin-guide/cgroup-v2.rst has it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cgroup.h"

#define CONTROLLERS "+memory +pids"

static int write_word(const char *folder, const char *file, const char *word)
{
	char path[4400];
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = write(fd, word, strlen(word)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static bool read_text(const char *path, char *text, size_t room)
{
	size_t used = 0;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && used + 1 < room &&
	       (n = read(fd, text + used, room - 1 - used)) > 0)
		used += (size_t)n;
	if (fd >= 0)
		close(fd);
	text[used] = '\0';
	return fd >= 0 && n >= 0;
}

/* Has a list of words, parted by blanks, this one? */
static bool has_word(const char *list, const char *word)
{
	size_t size = strlen(word);
	for (const char *at = list; (at = strstr(at, word)); at += size)
		if ((at == list || at[-1] == ' ') && strchr(" \n", at[size]))
			return true;
	return false;
}

/* A line of mounts is "device folder type options 0 0" (fstab(5)). */
static bool find_mount(const char *mounts, char folder[4096])
{
	for (const char *line = mounts; *line;) {
		char type[32] = "";
		if (sscanf(line, "%*s %4095s %31s", folder, type) == 2 &&
		    strcmp(type, "cgroup2") == 0)
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

const char *cgroup_find(char base[4096], const char *groups, const char *mounts)
{
	if (!find_mount(mounts, base))
		return "it is not mounted here";
	const char *own = groups; /* "0::/path" among the lines of version 1 */
	while (own && strncmp(own, "0::/", 4) != 0)
		own = (own = strchr(own, '\n')) ? own + 1 : NULL;
	if (!own)
		return "this process is in none";
	size_t used = strlen(base), size = strcspn(own + 3, "\n");
	if (size == 1)
		return NULL; /* its root */
	if (used + size >= 4096)
		return "our own has too long a name";
	memcpy(base + used, own + 3, size);
	base[used + size] = '\0';
	return NULL;
}

static const char *describe(int rc)
{
	switch (-rc) {
	case EACCES:
	case EPERM:
	case EROFS:
		return "our own is not ours to divide";
	case EBUSY:
		return "other processes are in our own";
	default:
		return strerror(-rc);
	}
}

/* The group beside the jobs', where this process and front are. */
static void name_front(const struct cgroup_place *place, char path[4300])
{
	snprintf(path, 4300, "%s/front", place->folder);
}

const char *cgroup_place_make(struct cgroup_place *place)
{
	char groups[4096], mounts[32768], controllers[4200], front[4300];
	place->folder[0] = '\0';
	place->enabled = false;
	if (!read_text("/proc/self/cgroup", groups, sizeof(groups)) ||
	    !read_text("/proc/self/mounts", mounts, sizeof(mounts)))
		return "there is no /proc";
	const char *why = cgroup_find(place->base, groups, mounts);
	if (why)
		return why;
	snprintf(controllers, sizeof(controllers), "%s/cgroup.controllers", place->base);
	if (!read_text(controllers, groups, sizeof(groups)) ||
	    !has_word(groups, "memory") || !has_word(groups, "pids"))
		return "our own has no memory and pids controllers";
	snprintf(place->folder, sizeof(place->folder), "%s/elfpack-%d", place->base,
		 (int)getpid());
	name_front(place, front);
	int rc = mkdir(place->folder, 0755) < 0 ? -errno : 0;
	if (!rc && mkdir(front, 0755) < 0)
		rc = -errno;
	if (!rc)
		rc = write_word(front, "cgroup.procs", "0");
	if (!rc) {
		rc = write_word(place->base, "cgroup.subtree_control", CONTROLLERS);
		place->enabled = !rc;
	}
	if (!rc)
		rc = write_word(place->folder, "cgroup.subtree_control", CONTROLLERS);
	if (!rc)
		return NULL;
	cgroup_place_remove(place);
	return describe(rc);
}

void cgroup_place_remove(struct cgroup_place *place)
{
	char front[4300];
	if (!place->folder[0])
		return;
	name_front(place, front);
	write_word(place->folder, "cgroup.subtree_control", "-memory -pids");
	if (place->enabled) /* it stays on while others have groups there */
		write_word(place->base, "cgroup.subtree_control", "-memory -pids");
	write_word(place->base, "cgroup.procs", "0");
	rmdir(front);
	rmdir(place->folder);
	place->folder[0] = '\0';
}

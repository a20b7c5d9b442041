/* sandbox_layers.c: the namespaces that front puts itself into, and the files that a job
 * sees. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "front/sandbox_layers.h"
#include "front/text.h"

#define SCRATCH "/tmp" /* covered by a tmpfs that only front and its jobs see */

static uint64_t jobs_made;

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t ignored = write(fd, text, strlen(text));
	(void)ignored; /* an unmapped id shows at the first mount */
	close(fd);
}

/* Maps our own user to root of a new user namespace. */
static bool enter_user_namespace(void)
{
	char map[64];
	uid_t user = geteuid();
	gid_t group = getegid();
	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	struct text text = text_over(map, sizeof(map) - 1);
	text_put(&text, "0 ");
	text_u64(&text, user);
	text_put(&text, " 1");
	map[text.used] = '\0';
	write_text("/proc/self/uid_map", map);
	write_text("/proc/self/setgroups", "deny");
	text = text_over(map, sizeof(map) - 1);
	text_put(&text, "0 ");
	text_u64(&text, group);
	text_put(&text, " 1");
	map[text.used] = '\0';
	write_text("/proc/self/gid_map", map);
	return true;
}

/* A /dev of the six devices that jobs have, bound from the machine's. */
static void make_devices(void)
{
	static const char *const names[] = {"null", "zero", "full", "random", "urandom"};
	static const char *const links[][2] = {
		{"/proc/self/fd", SCRATCH "/dev/fd"},
		{"/proc/self/fd/0", SCRATCH "/dev/stdin"},
		{"/proc/self/fd/1", SCRATCH "/dev/stdout"},
		{"/proc/self/fd/2", SCRATCH "/dev/stderr"},
	};
	mkdir(SCRATCH "/dev", 0755);
	mount("tmpfs", SCRATCH "/dev", "tmpfs", MS_NOSUID, "mode=755,size=64k");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char from[32] = "/dev/", to[32] = SCRATCH "/dev/";
		strcat(from, names[i]);
		strcat(to, names[i]);
		int fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (fd >= 0)
			close(fd);
		mount(from, to, NULL, MS_BIND, NULL);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			return;
}

/* The root is named by descriptor, because the scratch folder may cover its path. */
bool layers_prepare(const char *root)
{
	char by_fd[32];
	enter_user_namespace();
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC); /* of the new namespace */
	if (fd < 0)
		return false;
	struct text text = text_over(by_fd, sizeof(by_fd) - 1);
	text_put(&text, "/proc/self/fd/");
	text_u64(&text, (uint64_t)fd);
	by_fd[text.used] = '\0';
	bool ready =
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("tmpfs", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0 &&
		mkdir(SCRATCH "/lower", 0755) == 0 &&
		mount(by_fd, SCRATCH "/lower", NULL, MS_BIND | MS_REC, NULL) == 0;
	close(fd);
	if (ready) {
		make_devices();
		/* The listener stays where it was made; everything else is cut off. */
		if (unshare(CLONE_NEWNET) < 0)
			ready = false;
	}
	return ready;
}

/* directory + "/" + name. */
static const char *below(const char *directory, const char *name, char *room)
{
	struct text text = text_over(room, LAYERS_NAME_ROOM - 1);
	text_put(&text, directory);
	text_put(&text, name);
	room[text.used] = '\0';
	return room;
}

int layers_make(char *directory, uint64_t file_bytes, int *root_fd)
{
	static const char *const folders[] = {"/upper",      "/work",      "/root",
					      "/upper/proc", "/upper/dev", "/upper/tmp"};
	char options[3 * LAYERS_NAME_ROOM], room[LAYERS_NAME_ROOM],
		devices[LAYERS_NAME_ROOM];
	struct text text = text_over(directory, LAYERS_NAME_ROOM - 16);
	text_put(&text, SCRATCH "/");
	text_u64(&text, jobs_made++);
	directory[text.used] = '\0';
	text = text_over(options, sizeof(options) - 1);
	text_put(&text, "mode=755,size=");
	text_u64(&text, file_bytes);
	options[text.used] = '\0';
	if (mkdir(directory, 0755) < 0 ||
	    mount("tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(below(directory, folders[i], room), 0755) < 0)
			return -errno;
	chmod(below(directory, "/upper/tmp", room), 01777);
	text = text_over(options, sizeof(options) - 1);
	text_put(&text, "lowerdir=" SCRATCH "/lower,upperdir=");
	text_put(&text, below(directory, "/upper", room));
	text_put(&text, ",workdir=");
	text_put(&text, below(directory, "/work", room));
	options[text.used] = '\0';
	if (mount("overlay", below(directory, "/root", room), "overlay",
		  MS_NOSUID | MS_NODEV, options) < 0)
		return -errno;
	mount(SCRATCH "/dev", below(directory, "/root/dev", devices), NULL,
	      MS_BIND | MS_REC, NULL);
	*root_fd = open(room, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *root_fd < 0 ? -errno : 0;
}

int layers_make_directory(char *directory, int *root_fd)
{
	strcpy(directory, "/tmp/elfpack-job-XXXXXX");
	if (!mkdtemp(directory)) {
		directory[0] = '\0';
		return -errno;
	}
	*root_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *root_fd < 0 ? -errno : 0;
}

/* Removes what is below the directory, which it closes. */
static void remove_below(int directory)
{
	char buffer[2048];
	long n = 0;
	while ((n = syscall(SYS_getdents64, directory, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n;) {
			uint16_t size = 0;
			memcpy(&size, buffer + at + 16, sizeof(size));
			const char *name = buffer + at + 19; /* getdents(2) */
			at += size;
			if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
			    unlinkat(directory, name, 0) == 0)
				continue;
			int inner =
				openat(directory, name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (inner >= 0)
				remove_below(inner);
			unlinkat(directory, name, AT_REMOVEDIR);
		}
	}
	close(directory);
}

void layers_remove(const char *directory)
{
	umount2(directory, MNT_DETACH); /* and all that is mounted in it */
	rmdir(directory);
}

void layers_remove_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		remove_below(fd);
	rmdir(directory);
}

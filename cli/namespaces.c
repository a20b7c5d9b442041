/* namespaces.c: a trial of what front/sandbox_linux.c does. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/namespaces.h"

static bool write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	bool written = file && fputs(text, file) >= 0;
	if (file && fclose(file))
		written = false;
	return written;
}

/* Our own user and group are root's in a user namespace. As root it works without one. */
static bool become_root(unsigned user, unsigned group)
{
	if (unshare(CLONE_NEWUSER))
		return !user;
	char users[32], groups[32];
	snprintf(users, sizeof(users), "0 %u 1", user);
	snprintf(groups, sizeof(groups), "0 %u 1", group);
	return write_text("/proc/self/uid_map", users) &&
	       write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/gid_map", groups);
}

static bool make_layers(const char *lower, const char *scratch)
{
	char upper[256], work[256], root[256], options[1024];
	snprintf(upper, sizeof(upper), "%s/upper", scratch);
	snprintf(work, sizeof(work), "%s/work", scratch);
	snprintf(root, sizeof(root), "%s/root", scratch);
	int size = snprintf(options, sizeof(options),
			    "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
	return size > 0 && (size_t)size < sizeof(options) &&
	       !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tmpfs", scratch, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") &&
	       !mkdir(upper, 0755) && !mkdir(work, 0755) && !mkdir(root, 0755) &&
	       !mount("overlay", root, "overlay", MS_NOSUID | MS_NODEV, options);
}

bool namespaces_work(const char *lower, const char *scratch)
{
	unsigned user = geteuid(), group = getegid();
	int status = 0;
	pid_t child = fork();
	if (!child) {
		int spaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID;
		_exit(!become_root(user, group) || unshare(spaces) ||
		      !make_layers(lower, scratch));
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

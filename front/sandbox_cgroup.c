/* sandbox_cgroup.c: a job's group of cgroup v2 (Linux'
 * Documentation/admin-guide/cgroup-v2.rst): memory.max and pids.max, cgroup.kill, and
 * what memory.events says afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front/sandbox_cgroup.h"
#include "front/text.h"

static int folder_fd = -1;
static uint64_t groups_made;

static int write_word(int at, const char *file, const char *word)
{
	int fd = openat(at, file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, word, strlen(word));
	int rc = n < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int write_number(int at, const char *file, uint64_t number)
{
	char word[TEXT_U64_ROOM + 1];
	struct text text = text_over(word, TEXT_U64_ROOM);
	text_u64(&text, number);
	word[text.used] = '\0';
	return write_word(at, file, word);
}

/* The number behind key in a file of lines "key number"; key "": the file is one. 0 where
 * there is none. */
static uint64_t read_number(int at, const char *file, const char *key)
{
	char lines[512];
	uint64_t number = 0;
	int fd = openat(at, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, lines, sizeof(lines) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	lines[n] = '\0';
	for (char *line = lines; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line += strlen(key);
		if (text_parse_u64(line, strspn(line, "0123456789"), &number))
			return number;
	}
	return 0;
}

int cgroup_open_folder(const char *path)
{
	folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder_fd < 0 ? -errno : 0;
}

int cgroup_make(struct cgroup *group, const struct job_limits *limits)
{
	*group = (struct cgroup){.fd = -1, .procs_fd = -1};
	if (folder_fd < 0)
		return 0;
	struct text text = text_over(group->name, sizeof(group->name) - 1);
	text_put(&text, "job-");
	text_u64(&text, groups_made++);
	group->name[text.used] = '\0';
	if (mkdirat(folder_fd, group->name, 0755) < 0)
		return -errno;
	group->fd = openat(folder_fd, group->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = group->fd < 0 ? -errno : 0;
	if (!rc)
		rc = write_number(group->fd, "memory.max", limits->memory_bytes);
	if (!rc) /* a job ends as a whole, as in an image */
		rc = write_word(group->fd, "memory.oom.group", "1");
	if (!rc)
		rc = write_number(group->fd, "pids.max", limits->processes);
	if (!rc)
		write_word(group->fd, "memory.swap.max",
			   "0"); /* not there without swap */
	if (!rc) {
		group->procs_fd = openat(group->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		rc = group->procs_fd < 0 ? -errno : 0;
	}
	if (rc)
		cgroup_remove(group);
	return rc;
}

void cgroup_account(const struct cgroup *group, struct job_result *result)
{
	if (group->fd < 0)
		return;
	if (result->outcome == JOB_SIGNALED && result->signal == SIGKILL &&
	    read_number(group->fd, "memory.events", "oom_kill ") > 0) {
		result->outcome = JOB_OOM;
		result->signal = 0;
	}
	uint64_t peak = read_number(group->fd, "memory.peak", ""); /* since Linux 5.19 */
	if (peak)
		result->peak_bytes = peak;
}

void cgroup_kill(const struct cgroup *group)
{
	if (group->fd >= 0)
		write_word(group->fd, "cgroup.kill", "1"); /* since Linux 5.14 */
}

void cgroup_remove(struct cgroup *group)
{
	if (group->procs_fd >= 0)
		close(group->procs_fd);
	if (group->fd >= 0)
		close(group->fd);
	if (group->name[0])
		unlinkat(folder_fd, group->name, AT_REMOVEDIR);
	*group = (struct cgroup){.fd = -1, .procs_fd = -1};
}

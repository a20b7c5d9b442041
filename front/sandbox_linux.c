/* sandbox_linux.c: jobs on plain Linux, with the semantics of imgfmt/abi/job.h.
 *
 * A job's init process waits for the program, keeps its deadline, and reports through a
 * pipe whose read end is the job's descriptor. Where the kernel lets us, init is the
 * first of a PID namespace (its end is the end of everything in it) and the root is an
 * overlay whose upper layer is a tmpfs of the job's own. Elsewhere init is a subreaper
 * that hunts down what the program left, and the program runs in a fresh directory of the
 * machine's own root (sandbox_layers.c). Memory and processes are a cgroup's where we
 * have one (sandbox_cgroup.c), else each process has limits of its own. What the init
 * process does is in sandbox_init.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/sandbox.h"
#include "front/sandbox_cgroup.h"
#include "front/sandbox_init.h"
#include "front/sandbox_layers.h"

struct linux_job {
	struct linux_job *next;
	int fd;        /* read end of the report pipe: the job's descriptor */
	int report_fd; /* write end, until the start */
	int root_fd;
	pid_t init; /* 0: not started, or waited for */
	bool running;
	struct job_limits limits;
	struct cgroup group;
	char directory[LAYERS_NAME_ROOM];
};

static struct linux_job *jobs;
static bool layered;
static int null_fd = -1;

static int openat2_strictly(int at, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, at, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

static struct linux_job *find(int fd)
{
	struct linux_job *job = jobs;
	while (job && job->fd != fd)
		job = job->next;
	return job;
}

static void linux_destroy(int fd)
{
	struct linux_job **link = &jobs;
	while (*link && (*link)->fd != fd)
		link = &(*link)->next;
	struct linux_job *job = *link;
	if (!job)
		return;
	*link = job->next;
	cgroup_kill(&job->group);
	if (job->init) {
		kill(job->init, layered ? SIGKILL : SIGTERM);
		while (waitpid(job->init, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (job->root_fd >= 0)
		close(job->root_fd);
	close(job->fd);
	if (job->report_fd >= 0)
		close(job->report_fd);
	cgroup_remove(&job->group);
	if (job->directory[0] && layered)
		layers_remove(job->directory);
	else if (job->directory[0])
		layers_remove_directory(job->directory);
	free(job);
}

static int linux_create(const struct job_limits *limits)
{
	int ends[2];
	struct linux_job *job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		int rc = -errno;
		free(job);
		return rc;
	}
	job->fd = ends[0];
	job->report_fd = ends[1];
	job->root_fd = -1;
	job->limits = *limits;
	job->next = jobs;
	jobs = job;
	int rc = cgroup_make(&job->group, limits);
	if (!rc)
		rc = layered ? layers_make(job->directory, limits->file_bytes,
					   &job->root_fd)
			     : layers_make_directory(job->directory, &job->root_fd);
	if (rc) {
		linux_destroy(job->fd);
		return rc;
	}
	return job->fd;
}

/* Opens path's folder, making what is missing of it, and tells where the last name is. */
static int open_parent(int root_fd, const char *path, const char **last)
{
	int at = dup(root_fd);
	for (;;) {
		char name[256];
		const char *slash = strchr(path, '/');
		if (at < 0 || !slash) {
			*last = path;
			return at < 0 ? -errno : at;
		}
		size_t size = (size_t)(slash - path);
		path = slash + 1;
		if (size == 0)
			continue;
		int next = -ENAMETOOLONG;
		if (size < sizeof(name)) {
			memcpy(name, slash - size, size);
			name[size] = '\0';
			next = openat2_strictly(at, name, O_PATH | O_DIRECTORY, 0);
			if (next == -ENOENT && mkdirat(at, name, 0755) == 0)
				next = openat2_strictly(at, name, O_PATH | O_DIRECTORY,
							0);
		}
		close(at);
		if (next < 0)
			return next;
		at = next;
	}
}

static int linux_open_at(int fd, const char *path, int flags, mode_t mode)
{
	struct linux_job *job = find(fd);
	if (!job || path[0] != '/')
		return -EINVAL;
	if (job->running)
		return -EBUSY;
	if (!(flags & O_CREAT))
		return openat2_strictly(job->root_fd, path, flags, mode);
	const char *last = NULL;
	int parent = open_parent(job->root_fd, path, &last);
	if (parent < 0 || !*last) /* a slash at the end: the folder itself */
		return parent;
	int rc = openat2_strictly(parent, last, flags, mode);
	close(parent);
	return rc;
}

static int linux_start(int fd, const struct sandbox_start *start)
{
	struct linux_job *job = find(fd);
	int errors[2], failure = 0;
	if (!job || job->init)
		return -EINVAL;
	if (pipe2(errors, O_CLOEXEC) < 0)
		return -errno;
	struct init_plan plan = {
		.start = start,
		.limits = &job->limits,
		.directory = job->directory,
		.layered = layered,
		.null_fd = null_fd,
		.group_fd = job->group.procs_fd,
		.report_fd = job->report_fd,
		.error_fd = errors[1],
	};
	unsigned long flags = SIGCHLD;
	if (layered)
		flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
	long pid =
		syscall(SYS_clone, flags, 0, 0, 0, 0); /* a fork, into new namespaces */
	if (pid == 0)
		sandbox_init_run(&plan);
	int rc = pid < 0 ? -errno : 0;
	close(errors[1]);
	if (!rc) {
		job->init = (pid_t)pid;
		close(job->report_fd);
		job->report_fd = -1;
		/* Ends with the program's exec, or says why there was none. */
		if (read(errors[0], &failure, sizeof(failure)) == sizeof(failure))
			rc = -failure;
	}
	close(errors[0]);
	job->running = !rc;
	return rc;
}

static int linux_result(int fd, struct job_result *result)
{
	struct linux_job *job = find(fd);
	if (!job || !job->init)
		return -EINVAL;
	ssize_t n = read(job->fd, result, sizeof(*result));
	if (n < 0)
		return -errno;
	if (n != sizeof(*result)) /* the machine has killed init itself */
		*result = (struct job_result){.outcome = JOB_SIGNALED, .signal = SIGKILL};
	while (waitpid(job->init, NULL, 0) < 0 && errno == EINTR)
		;
	job->init = 0;
	job->running = false;
	cgroup_account(&job->group, result);
	return 0;
}

static int linux_info(struct shim_info *info)
{
	(void)info;
	return -ENOSYS;
}

static const struct sandbox_ops linux_ops = {
	.name = "linux",
	.create = linux_create,
	.open_at = linux_open_at,
	.start = linux_start,
	.result = linux_result,
	.destroy = linux_destroy,
	.info = linux_info,
};

const struct sandbox_ops *sandbox_linux(const char *root, const char *groups)
{
	/* What front's own parent left open is not for programs (4: CLOSE_RANGE_CLOEXEC).
	 */
	syscall(SYS_close_range, 3u, ~0u, 4u);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return NULL;
	if (groups && cgroup_open_folder(groups) < 0)
		return NULL;
	layered = root && layers_prepare(root);
	return &linux_ops;
}

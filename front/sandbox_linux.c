/* sandbox_linux.c: jobs on plain Linux, with the semantics of imgfmt/abi/job.h.
 *
 * A job's init process waits for the program, keeps its deadline, and reports through a
 * pipe whose read end is the job's descriptor. Where the kernel lets us, init is the
 * first of a PID namespace (its end is the end of everything in it) and the root is an
 * overlay whose upper layer is a tmpfs of the job's own. Elsewhere init is a subreaper
 * that hunts down what the program left, and the program runs in a fresh directory of the
 * machine's own root. What the init process does is in sandbox_init.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/sandbox.h"
#include "front/sandbox_init.h"
#include "front/text.h"

#define SCRATCH        "/tmp" /* covered by a tmpfs that only front and its jobs see */
#define DIRECTORY_ROOM 64u

struct linux_job {
	struct linux_job *next;
	int fd;        /* read end of the report pipe: the job's descriptor */
	int report_fd; /* write end, until the start */
	int root_fd;
	pid_t init; /* 0: not started, or waited for */
	bool running;
	struct job_limits limits;
	char directory[DIRECTORY_ROOM];
};

static struct linux_job *jobs;
static bool layered;
static uint64_t jobs_made;
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

/* Namespaces for front itself, below which jobs get theirs. The root is named by
 * descriptor, because the scratch folder may cover its path. */
static bool prepare_layers(const char *root)
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
static const char *below(const struct linux_job *job, const char *name, char *room)
{
	struct text text = text_over(room, DIRECTORY_ROOM - 1);
	text_put(&text, job->directory);
	text_put(&text, name);
	room[text.used] = '\0';
	return room;
}

static int make_layers(struct linux_job *job)
{
	static const char *const folders[] = {"/upper",      "/work",      "/root",
					      "/upper/proc", "/upper/dev", "/upper/tmp"};
	char options[3 * DIRECTORY_ROOM], room[DIRECTORY_ROOM], devices[DIRECTORY_ROOM];
	struct text text = text_over(job->directory, DIRECTORY_ROOM - 16);
	text_put(&text, SCRATCH "/");
	text_u64(&text, jobs_made++);
	job->directory[text.used] = '\0';
	text = text_over(options, sizeof(options) - 1);
	text_put(&text, "mode=755,size=");
	text_u64(&text, job->limits.file_bytes);
	options[text.used] = '\0';
	if (mkdir(job->directory, 0755) < 0 ||
	    mount("tmpfs", job->directory, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(below(job, folders[i], room), 0755) < 0)
			return -errno;
	chmod(below(job, "/upper/tmp", room), 01777);
	text = text_over(options, sizeof(options) - 1);
	text_put(&text, "lowerdir=" SCRATCH "/lower,upperdir=");
	text_put(&text, below(job, "/upper", room));
	text_put(&text, ",workdir=");
	text_put(&text, below(job, "/work", room));
	options[text.used] = '\0';
	if (mount("overlay", below(job, "/root", room), "overlay", MS_NOSUID | MS_NODEV,
		  options) < 0)
		return -errno;
	mount(SCRATCH "/dev", below(job, "/root/dev", devices), NULL, MS_BIND | MS_REC,
	      NULL);
	job->root_fd = open(room, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return job->root_fd < 0 ? -errno : 0;
}

static int make_directory(struct linux_job *job)
{
	strcpy(job->directory, "/tmp/elfpack-job-XXXXXX");
	if (!mkdtemp(job->directory)) {
		job->directory[0] = '\0';
		return -errno;
	}
	job->root_fd = open(job->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return job->root_fd < 0 ? -errno : 0;
}

static struct linux_job *find(int fd)
{
	struct linux_job *job = jobs;
	while (job && job->fd != fd)
		job = job->next;
	return job;
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

static void linux_destroy(int fd)
{
	struct linux_job **link = &jobs;
	while (*link && (*link)->fd != fd)
		link = &(*link)->next;
	struct linux_job *job = *link;
	if (!job)
		return;
	*link = job->next;
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
	if (job->directory[0] && layered) {
		umount2(job->directory, MNT_DETACH); /* and all that is mounted in it */
	} else if (job->directory[0]) {
		int directory = open(job->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (directory >= 0)
			remove_below(directory);
	}
	if (job->directory[0])
		rmdir(job->directory);
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
	int rc = layered ? make_layers(job) : make_directory(job);
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

const struct sandbox_ops *sandbox_linux(const char *root)
{
	/* What front's own parent left open is not for programs (4: CLOSE_RANGE_CLOEXEC).
	 */
	syscall(SYS_close_range, 3u, ~0u, 4u);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return NULL;
	layered = root && prepare_layers(root);
	return &linux_ops;
}

/* sandbox_init.c: the process that stands above a job's program on Linux: it sets up what
 * only the inside of the namespaces can, starts the program, keeps the deadline and
 * reports. It runs in a fork of front: nothing here may allocate or touch front's state.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "front/sandbox_init.h"
#include "front/text.h"

#define SECOND_NS 1000000000ull

static uint64_t clock_ns(void)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static uint64_t timeval_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_usec * 1000;
}

static void end_with_error(const struct init_plan *plan, int error)
{
	ssize_t ignored = write(plan->error_fd, &error, sizeof(error));
	(void)ignored; /* front has gone: so are we */
	_exit(127);
}

/* The job's layers become the root, and nothing else can be reached. */
static int change_root(const struct init_plan *plan)
{
	char root[PATH_MAX];
	struct text text = text_over(root, sizeof(root) - 1);
	text_put(&text, plan->directory);
	text_put(&text, "/root");
	root[text.used] = '\0';
	if (chdir(root) < 0)
		return -errno;
	/* Not allowed in some containers; programs mostly live without /proc. */
	mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return -errno;
	return 0;
}

static void limit(int resource, uint64_t value)
{
	const struct rlimit both = {.rlim_cur = value, .rlim_max = value};
	setrlimit((int)resource, &both);
}

static void set_limits(const struct init_plan *plan)
{
	const struct job_limits *limits = plan->limits;
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, limits->open_files);
	if (plan->group_fd < 0)
		limit(RLIMIT_DATA, limits->memory_bytes);
	if (plan->layered && plan->group_fd < 0)
		limit(RLIMIT_NPROC, limits->processes);
	if (!plan->layered)
		limit(RLIMIT_FSIZE, limits->file_bytes); /* else the tmpfs has a size */
}

/* Files of its own are all that root inside a job may be master of. */
static void drop_capabilities(void)
{
	for (unsigned long cap = 0; cap <= 63; cap++)
		if (cap != CAP_CHOWN && cap != CAP_DAC_OVERRIDE && cap != CAP_FOWNER &&
		    cap != CAP_KILL)
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Signals as a program expects them: all at their defaults, none blocked. */
static void reset_signals(void)
{
	const struct sigaction initial = {.sa_handler = SIG_DFL};
	sigset_t none;
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &initial, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int change_directory(const struct init_plan *plan)
{
	char path[PATH_MAX];
	struct text text = text_over(path, sizeof(path) - 1);
	if (!plan->layered)
		text_put(&text, plan->directory);
	text_put(&text, plan->start->cwd);
	path[text.used] = '\0';
	if (chdir(path) == 0)
		return 0;
	if (plan->layered || errno != ENOENT)
		return -errno;
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(path, 0755); /* what is there already is fine */
		*at = '/';
	}
	mkdir(path, 0755);
	return chdir(path) < 0 ? -errno : 0;
}

static void run_program(const struct init_plan *plan)
{
	const struct sandbox_start *start = plan->start;
	int rc = change_directory(plan);
	if (rc)
		end_with_error(plan, -rc);
	if (plan->group_fd >= 0 && write(plan->group_fd, "0", 1) < 0)
		end_with_error(plan, errno);
	for (int i = 0; i < 3; i++)
		dup2(start->stdio[i] < 0 ? plan->null_fd : start->stdio[i], i);
	setsid();
	reset_signals();
	set_limits(plan);
	if (plan->layered)
		drop_capabilities();
	execve(start->path, start->argv, start->envp);
	end_with_error(plan, errno);
}

/* Reaps what has ended. Returns true once the program has. */
static bool reap(pid_t program, struct job_result *result)
{
	bool ended = false;
	int status = 0;
	pid_t pid = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		ended = true;
		result->outcome = WIFSIGNALED(status) ? JOB_SIGNALED : JOB_EXITED;
		if (WIFSIGNALED(status))
			result->signal = WTERMSIG(status);
		else
			result->exit_code = WEXITSTATUS(status);
	}
	return ended;
}

/* Waits for the program's end, the deadline, or front's word to stop. */
static void watch(pid_t program, uint64_t wall_ns, uint64_t started_ns,
		  struct job_result *result)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	while (!reap(program, result)) {
		uint64_t spent = clock_ns() - started_ns;
		uint64_t left = wall_ns > spent ? wall_ns - spent : 0;
		struct timespec wait = {.tv_sec = (time_t)(left / SECOND_NS),
					.tv_nsec = (long)(left % SECOND_NS)};
		int number = sigtimedwait(&set, NULL, wall_ns ? &wait : NULL);
		if (number == SIGTERM) {
			result->outcome = JOB_CANCELLED;
			break;
		}
		if (number < 0 && errno == EAGAIN) {
			result->outcome = JOB_TIMEOUT;
			break;
		}
	}
}

/* Without a PID namespace: ends our children, which orphans become, until there are none.
 */
static void kill_descendants(void)
{
	for (;;) {
		char list[4096];
		int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
		ssize_t n = fd >= 0 ? read(fd, list, sizeof(list)) : 0;
		if (fd >= 0)
			close(fd);
		pid_t pid = 0;
		for (ssize_t i = 0; i < n; i++) {
			if (list[i] >= '0' && list[i] <= '9') {
				pid = pid * 10 + (list[i] - '0');
				continue;
			}
			if (pid)
				kill(pid, SIGKILL);
			pid = 0;
		}
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			return;
	}
}

noreturn void sandbox_init_run(const struct init_plan *plan)
{
	struct job_result result = {0};
	struct rusage usage = {0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!plan->layered)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	int rc = plan->layered ? change_root(plan) : 0;
	if (rc)
		end_with_error(plan, -rc);
	uint64_t started_ns = clock_ns();
	pid_t program = fork();
	if (program == 0)
		run_program(plan);
	if (program < 0)
		end_with_error(plan, errno);
	/* Clients' sockets must end when front closes them: hold nothing but the report.
	 */
	dup2(plan->report_fd, STDIN_FILENO);
	syscall(SYS_close_range, 1u, ~0u, 0u);
	watch(program, plan->limits->wall_ns, started_ns, &result);
	result.wall_ns = clock_ns() - started_ns;
	if (plan->layered)
		kill(-1, SIGKILL);
	else
		kill_descendants();
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	getrusage(RUSAGE_CHILDREN, &usage);
	result.cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
	result.peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
	ssize_t ignored = write(STDIN_FILENO, &result, sizeof(result));
	(void)ignored; /* front has gone */
	_exit(0);
}

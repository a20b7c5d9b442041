/* Processes: fork, exec, waiting, groups and sessions, orphans, limits, prctl,
 * scheduling. */
#include "show.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;
static const char *self;

static void show_status(const char *what, int status)
{
	printf("%s: exited %d code %d signaled %d signal %d\n", what, WIFEXITED(status),
	       WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status),
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	fflush(stdout);
}

static pid_t child_exits(int code)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(code);
	return pid;
}

static void waiting(void)
{
	int status;
	siginfo_t info;
	SHOW(wait(&status));
	pid_t a = child_exits(7);
	SHOW(waitpid(a, &status, 0) == a);
	show_status("exit", status);
	a = child_exits(300);
	waitpid(a, &status, 0);
	show_status("exit 300", status);
	a = fork();
	if (a == 0) {
		pause();
		_exit(0);
	}
	SHOW(waitpid(a, &status, WNOHANG));
	SHOW(kill(a, SIGSTOP));
	SHOW(waitpid(a, &status, WUNTRACED) == a);
	SHOW(WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
	SHOW(kill(a, SIGCONT));
	SHOW(waitpid(a, &status, WCONTINUED) == a);
	SHOW(WIFCONTINUED(status) != 0);
	SHOW(kill(a, SIGTERM));
	memset(&info, 0, sizeof(info));
	SHOW(waitid(P_PID, (id_t)a, &info, WEXITED | WNOWAIT));
	SHOW(info.si_pid == a);
	SHOW(info.si_code);
	SHOW(info.si_status);
	SHOW(waitpid(a, &status, 0) == a);
	show_status("term", status);
	SHOW(waitpid(a, &status, 0));
	SHOW(kill(a, 0));
	SHOW(waitid(P_ALL, 0, &info, 0));
	SHOW(waitpid(-1, &status, 0x100));
	a = fork();
	if (a == 0)
		abort();
	waitpid(a, &status, 0);
	show_status("abort", status);
	struct rusage usage;
	a = child_exits(0);
	SHOW(wait4(a, &status, 0, &usage) == a);
}

static void execs(void)
{
	int status;
	char *argv[] = {"child", "argument one", "", NULL}, *envp[] = {"A=1", "B=", NULL};
	char *none[] = {NULL};
	if (fork() == 0) {
		open("/dev/null", O_RDONLY | O_CLOEXEC);
		signal(SIGUSR1, SIG_IGN);
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		sigprocmask(SIG_BLOCK, &set, NULL);
		execve(self, argv, envp);
		_exit(99);
	}
	wait(&status);
	show_status("exec", status);
	SHOW(execve("/none", argv, envp));
	SHOW(execve("/tmp", argv, envp));
	int fd = open("script", O_CREAT | O_WRONLY, 0755);
	dprintf(fd, "#!%s from script\n", self);
	close(fd);
	if (fork() == 0) {
		argv[0] = "./script";
		execve("./script", argv, none);
		_exit(99);
	}
	wait(&status);
	show_status("script", status);
	fd = open("garbage", O_CREAT | O_WRONLY, 0755);
	dprintf(fd, "garbage\n");
	close(fd);
	SHOW(execve("./garbage", argv, envp));
	chmod("garbage", 0600);
	SHOW(execve("./garbage", argv, envp));
	pid_t pid;
	argv[0] = "child";
	int spawned = posix_spawn(&pid, self, NULL, NULL, argv, envp);
	waitpid(pid, &status, 0);
	SHOW(spawned);
	show_status("spawn", status);
	SHOW(posix_spawn(&pid, "/none", NULL, NULL, argv, envp));
	pid = vfork();
	if (pid == 0)
		_exit(5);
	waitpid(pid, &status, 0);
	show_status("vfork", status);
	fd = open(self, O_RDONLY);
	if (fork() == 0) {
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		_exit(98);
	}
	wait(&status);
	show_status("execveat", status);
	close(fd);
}

/* An argument may have 32 pages, its NUL included, wherever it stands. */
static void long_arguments(void)
{
	static const int sizes[] = {70000,  131070, 131071, 131072,
				    131073, 200000, 262143};
	char *argument = calloc(1, 300000);
	char *argv[] = {"length", argument, "last", NULL}, *none[] = {NULL};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int status = 0;
		memset(argument, 'a', (size_t)sizes[i]);
		if (fork() == 0) {
			execve(self, argv, none);
			_exit(errno == E2BIG ? 1 : 2);
		}
		wait(&status);
		printf("%d: ", sizes[i]);
		show_status("long argument", status);
	}
	free(argument);
}

/* What an executed child sees. */
static int child(int argc, char **argv)
{
	struct sigaction action;
	sigset_t blocked;
	if (strcmp(argv[0], "length") == 0) {
		printf("%zu %s\n", strlen(argv[1]), argv[2]);
		return 0;
	}
	printf("child:");
	for (int i = 0; i < argc; i++)
		printf(" [%s]", i == 0 && strchr(argv[0], '/') ? "path" : argv[i]);
	printf(" env:");
	for (int i = 0; environ[i]; i++)
		printf(" %s", environ[i]);
	sigaction(SIGUSR1, NULL, &action);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	printf(" ignored %d blocked %d fd3 %d\n", action.sa_handler == SIG_IGN,
	       sigismember(&blocked, SIGUSR2), fcntl(3, F_GETFD));
	return 17;
}

static void groups(void)
{
	int status, p[2];
	char c;
	SHOW(getpgrp() == getpgid(0));
	SHOW(getsid(0) > 0);
	pipe(p);
	pid_t a = fork();
	if (a == 0) {
		SHOW(setpgid(0, 0));
		SHOW(getpgrp() == getpid());
		SHOW(setsid());
		if (fork() == 0) {
			SHOW(setsid() == getpid());
			SHOW(getsid(0) == getpid());
			SHOW(setpgid(0, 0));
			_exit(0);
		}
		wait(&status);
		write(p[1], "x", 1);
		pause();
	}
	read(p[0], &c, 1);
	SHOW(getpgid(a) == a);
	SHOW(kill(-a, SIGKILL));
	waitpid(-a, &status, 0);
	show_status("group", status);
	SHOW(getpgid(a));
	SHOW(setpgid(0, -1));
	a = fork();
	if (a == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fork() == 0) {
			usleep(10000);
			write(p[1], getppid() == 1 ? "1" : "r", 1);
			_exit(0);
		}
		_exit(0);
	}
	waitpid(a, &status, 0);
	SHOW(read(p[0], &c, 1)); /* the orphan lives on */
}

static void attributes(void)
{
	char name[16];
	struct rlimit limit;
	SHOW(prctl(PR_SET_NAME, "a name that is too long"));
	SHOW(prctl(PR_GET_NAME, name));
	printf("%s\n", name);
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_KEEPCAPS, 2));
	SHOW(prctl(PR_SET_KEEPCAPS, 1));
	pid_t child = fork();
	if (child == 0)
		_exit(prctl(PR_GET_KEEPCAPS));
	int kept;
	waitpid(child, &kept, 0);
	SHOW(WEXITSTATUS(kept));
	SHOW(prctl(9999));
	umask(077);
	SHOW(umask(022));
	SHOW(getrlimit(RLIMIT_CORE, &limit));
	SHOW(getrlimit(99, &limit));
	limit.rlim_cur = 2;
	limit.rlim_max = 1;
	SHOW(setrlimit(RLIMIT_CORE, &limit));
	int fd = open("limited", O_CREAT | O_RDWR, 0600);
	static char block[2000];
	limit.rlim_cur = 1000;
	limit.rlim_max = RLIM_INFINITY;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE,
		  &limit); /* standard output may be a file: no line until it is off */
	long first = write(fd, block, sizeof(block)),
	     second = write(fd, block, sizeof(block));
	int error = errno;
	limit.rlim_cur = RLIM_INFINITY;
	SHOW(setrlimit(RLIMIT_FSIZE, &limit));
	SHOW(first);
	SHOW(second);
	SHOW(error == EFBIG);
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(setpriority(PRIO_PROCESS, 0, 5));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(sched_getscheduler(0));
	SHOW(sched_get_priority_max(SCHED_FIFO));
	SHOW(sched_yield());
	cpu_set_t cpus;
	SHOW(sched_getaffinity(0, sizeof(cpus), &cpus));
	SHOW(CPU_COUNT(&cpus) > 0);
	SHOW(getpid() == syscall(SYS_gettid));
}

int main(int argc, char **argv)
{
	static char path[4096];
	if (argc > 1)
		return child(argc, argv);
	self = realpath("/proc/self/exe", path);
	enter_scratch();
	waiting();
	execs();
	long_arguments();
	groups();
	attributes();
	return 0;
}

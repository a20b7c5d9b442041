/* A stop and its end go unnoticed by calls with a time limit, unless a handler ran; and
 * the end of the CPU time, of private memory and of file sizes. */
#include "show.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 +
	       (now.tv_nsec - since->tv_nsec) / 1000000;
}

static void nothing(int signo)
{
	(void)signo;
}

static int naps(void)
{
	struct timespec nap = {0, 200000000};
	return nanosleep(&nap, NULL);
}

static int naps_by_clock(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += 200000000;
	if (at.tv_nsec >= 1000000000)
		at.tv_sec++, at.tv_nsec -= 1000000000;
	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static int polls(void)
{
	return poll(NULL, 0, 200);
}

static int waits_for_a_word(void)
{
	int word = 1;
	struct timespec most = {0, 200000000};
	long rc = syscall(SYS_futex, &word, FUTEX_WAIT, 1, &most, NULL, 0);
	return rc == -1 && errno == ETIMEDOUT ? 0 : -1;
}

/* The call in a child that is stopped and continued meanwhile. */
static void stopped(const char *what, int (*call)(void), int handled)
{
	int status, p[2];
	char byte;
	pipe(p);
	pid_t pid = fork();
	if (pid == 0) {
		struct timespec start;
		struct sigaction action = {.sa_handler = nothing};
		if (handled)
			sigaction(SIGCONT, &action, NULL);
		clock_gettime(CLOCK_MONOTONIC, &start);
		write(p[1], "x", 1);
		int rc = call();
		_exit(rc == -1                    ? (errno == EINTR ? 7 : 8)
		      : elapsed_ms(&start) >= 199 ? 0
						  : 9);
	}
	read(p[0], &byte, 1);
	struct timespec nap = {0, 50000000};
	nanosleep(&nap, NULL);
	kill(pid, SIGSTOP);
	SHOW(waitpid(pid, &status, WUNTRACED) == pid);
	SHOW(WIFSTOPPED(status));
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	printf("%s: %d\n", what,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	fflush(stdout);
	close(p[0]);
	close(p[1]);
}

static int told;

static void on_orphaned(int signo)
{
	write(told, signo == SIGHUP ? "hup " : "cont ", signo == SIGHUP ? 4 : 5);
}

/* A stopped group whose last link to its session ends is hung up and continued. */
static void orphaned(void)
{
	int p[2], status;
	char text[32] = {0};
	pipe(p);
	told = p[1];
	pid_t leader = fork();
	if (leader == 0) {
		setsid();
		pid_t between = fork();
		if (between == 0) {
			pid_t pid = fork();
			if (pid == 0) {
				setpgid(0, 0);
				signal(SIGHUP, on_orphaned);
				signal(SIGCONT, on_orphaned);
				raise(SIGSTOP);
				_exit(0);
			}
			waitpid(pid, &status, WUNTRACED);
			_exit(WIFSTOPPED(status) ? 3 : 4);
		}
		waitpid(between, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	close(p[1]);
	waitpid(leader, &status, 0);
	SHOW(WEXITSTATUS(status));
	for (long got = 0, n;
	     (n = read(p[0], text + got, sizeof(text) - 1 - (size_t)got)) > 0;)
		got += n;
	printf("%s\n", text);
	close(p[0]);
	while (waitpid(-1, NULL, 0) > 0) /* where this is who inherits it */
		;
}

static volatile sig_atomic_t exceeded;

static void on_cpu_time(int signo)
{
	(void)signo;
	exceeded++;
}

static void cpu_time(void)
{
	struct rlimit limit = {1, 2};
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGXCPU, on_cpu_time);
		setrlimit(RLIMIT_CPU, &limit);
		if (fork() == 0) { /* has the limit, and time of its own */
			getrlimit(RLIMIT_CPU, &limit);
			_exit((int)limit.rlim_cur);
		}
		wait(&status);
		SHOW(WEXITSTATUS(status));
		while (!exceeded)
			;
		getrlimit(RLIMIT_CPU, &limit);
		SHOW(limit.rlim_cur);
		for (;;)
			;
	}
	waitpid(pid, &status, 0);
	SHOW(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

static void data_size(void)
{
	size_t size = 1 << 20;
	int both = PROT_READ | PROT_WRITE;
	if (fork() == 0) {
		struct rlimit limit = {16 << 20, RLIM_INFINITY};
		SHOW(setrlimit(RLIMIT_DATA, &limit));
		SHOW(mmap(NULL, 32 * size, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		     MAP_FAILED);
		SHOW(mmap(NULL, 32 * size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0) == MAP_FAILED);
		SHOW(mmap(NULL, 32 * size, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0) ==
		     MAP_FAILED);
		char *block =
			mmap(NULL, 8 * size, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		SHOW(block == MAP_FAILED);
		SHOW(mremap(block, 8 * size, 24 * size, MREMAP_MAYMOVE) == MAP_FAILED);
		char *end = sbrk(0);
		SHOW(sbrk(12 << 20) == (void *)-1);
		SHOW(sbrk(0) == end);
		SHOW(sbrk(1 << 20) == end);
		_exit(0);
	}
	wait(NULL);
}

static void file_size(void)
{
	int status, fd = open("limited", O_CREAT | O_RDWR, 0600);
	if (fork() == 0) {
		struct rlimit limit = {1000, 1000};
		setrlimit(RLIMIT_FSIZE, &limit);
		ftruncate(fd, 2000);
		_exit(0);
	}
	wait(&status);
	SHOW(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	if (fork() == 0) {
		struct rlimit limit = {1000, 1000};
		char bytes[600] = {0};
		setrlimit(RLIMIT_FSIZE, &limit);
		int rc = write(fd, bytes, 600) == 600 && write(fd, bytes, 600) == 400;
		write(fd, bytes, 1);
		_exit(rc);
	}
	wait(&status);
	SHOW(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	SHOW(lseek(fd, 0, SEEK_END));
}

int main(void)
{
	stopped("nanosleep", naps, 0);
	stopped("clock_nanosleep", naps_by_clock, 0);
	stopped("poll", polls, 0);
	stopped("futex", waits_for_a_word, 0);
	stopped("nanosleep with a handler", naps, 1);
	orphaned();
	cpu_time();
	data_size();
	enter_scratch();
	file_size();
	return 0;
}

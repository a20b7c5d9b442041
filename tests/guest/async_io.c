/* O_ASYNC: signals to a file's owner when it can be read or written. */
#include "show.h"

#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

static volatile sig_atomic_t plain, told;
static volatile struct {
	int code, fd, tid;
	long band;
} last;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)context;
	plain += signo == SIGIO;
	told += signo != SIGIO;
	last.code = info->si_code;
	last.tid = (int)syscall(SYS_gettid);
	if (signo != SIGIO) {
		last.fd = info->si_fd;
		last.band = info->si_band;
	}
}

/* What came since the last time; fd: whether it is the one that was named. */
static void since(const char *what, int fd)
{
	printf("%s: SIGIO %d, own %d", what, (int)plain, (int)told);
	if (told)
		printf(", code %d band %#lx fd %s", last.code, last.band,
		       last.fd == fd ? "right" : "wrong");
	else if (plain)
		printf(", code %#x", last.code);
	printf("\n");
	fflush(stdout);
	plain = told = 0;
	last.code = 0;
}

static void turn_on(int fd, int signo)
{
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETSIG, signo);
	SHOW(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

static void pipes(void)
{
	char bytes[4096] = {0};
	int p[2];
	pipe(p);
	SHOW(fcntl(p[0], F_SETFL, O_ASYNC));
	SHOW(fcntl(p[0], F_GETFL) == (O_ASYNC | O_RDONLY));
	write(p[1], "a", 1);
	since("no owner", p[0]);
	SHOW(fcntl(p[0], F_SETOWN, getpid()));
	write(p[1], "b", 1);
	since("written", p[0]);
	SHOW(fcntl(p[0], F_SETSIG, SIGRTMIN));
	write(p[1], "c", 1);
	write(p[1], bytes, sizeof(bytes));
	since("written twice", p[0]);
	read(p[0], bytes, 1);
	since("read", p[0]);
	turn_on(p[1], SIGRTMIN);
	read(p[0], bytes, 1);
	since("read, the writer listens", p[1]);
	int copy = dup(p[0]);
	close(copy);
	since("a copy closed", p[0]);
	SHOW(fcntl(p[0], F_SETFL, 0));
	SHOW(fcntl(p[0], F_GETFL) == O_RDONLY);
	write(p[1], "d", 1);
	since("off", p[0]);
	int on = 1;
	SHOW(ioctl(p[0], FIOASYNC, &on));
	close(p[1]);
	since("the writer closed", p[0]);
	close(p[0]);
	pipe(p);
	turn_on(p[1], SIGRTMIN);
	close(p[0]);
	since("the reader closed", p[1]);
	close(p[1]);
}

static void sockets(int type, const char *what)
{
	static char bytes[8192];
	int s[2];
	printf("%s\n", what);
	socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s);
	turn_on(s[0], SIGRTMIN);
	write(s[1], "one", 3);
	since("sent", s[0]);
	write(s[0], "two", 3);
	read(s[1], bytes, 8);
	since("received", s[0]);
	while (write(s[0], bytes, sizeof(bytes)) > 0)
		continue;
	SHOW(write(s[0], bytes, sizeof(bytes)));
	while (read(s[1], bytes, sizeof(bytes)) > 0)
		continue;
	since("room again", s[0]);
	write(s[0], "x", 1);
	read(s[1], bytes, 1);
	since("room as before", s[0]);
	shutdown(s[1], SHUT_WR);
	since("no more comes", s[0]);
	close(s[1]);
	since("closed", s[0]);
	close(s[0]);
}

static void terminals(void)
{
	int master, slave;
	char bytes[64];
	openpty(&master, &slave, NULL, NULL, NULL);
	SHOW(fcntl(slave, F_SETFL, O_RDWR | O_ASYNC));
	SHOW(fcntl(slave, F_GETOWN) == getpid());
	write(master, "ab", 2);
	usleep(20000); /* Linux hands it on by a worker */
	since("part of a line", slave);
	write(master, "c\n", 2);
	usleep(20000);
	since("a line", slave);
	SHOW(read(slave, bytes, sizeof(bytes)));
	SHOW(fcntl(slave, F_SETSIG, SIGRTMIN));
	write(master, "d\n", 2);
	usleep(20000);
	since("another", slave);
	SHOW(fcntl(slave, F_SETFL, O_RDWR));
	while (read(master, bytes, sizeof(bytes)) == (long)sizeof(bytes))
		continue;
	turn_on(master, 0);
	write(slave, "out", 3);
	usleep(20000);
	since("the master's", master);
	close(slave);
	close(master);
}

/* Files that have it not say nothing, or that. */
static void others(void)
{
	int on = 1, off = 0, file = open("file", O_CREAT | O_RDWR, 0600);
	int event = eventfd(0, 0);
	SHOW(fcntl(file, F_SETFL, O_ASYNC | O_APPEND));
	SHOW(fcntl(file, F_GETFL) & (O_ASYNC | O_APPEND));
	SHOW(ioctl(file, FIOASYNC, &on));
	SHOW(ioctl(file, FIOASYNC, &off));
	SHOW(fcntl(event, F_SETFL, O_ASYNC));
	SHOW(fcntl(event, F_GETFL) & O_ASYNC);
	SHOW(ioctl(event, FIOASYNC, &on));
	int watch = inotify_init1(IN_NONBLOCK);
	inotify_add_watch(watch, ".", IN_CREATE);
	turn_on(watch, SIGRTMIN);
	close(open("new", O_CREAT | O_RDWR, 0600));
	since("a name", watch);
	close(watch);
	close(event);
	close(file);
}

static int owned, ready[2];

static void *be_told(void *arg)
{
	struct f_owner_ex owner = {F_OWNER_TID, (int)syscall(SYS_gettid)};
	char c;
	SHOW(fcntl(owned, F_SETOWN_EX, &owner));
	SHOW(fcntl(owned, F_GETOWN) == owner.pid);
	write(ready[1], "r", 1);
	while (!told)
		usleep(1000);
	SHOW(last.tid == owner.pid);
	read(*(int *)arg, &c, 1);
	return NULL;
}

static void owners(void)
{
	struct f_owner_ex owner = {9, 9};
	int p[2], status;
	pthread_t thread;
	char c;
	pipe(p);
	pipe(ready);
	SHOW(fcntl(p[0], F_GETOWN_EX, &owner));
	printf("type %d pid %d\n", owner.type, owner.pid);
	turn_on(p[0], SIGRTMIN);
	SHOW(fcntl(p[0], F_GETOWN_EX, &owner));
	printf("type %d own %d\n", owner.type, owner.pid == getpid());
	owned = p[0];
	pthread_create(&thread, NULL, be_told, &p[0]);
	read(ready[0], &c, 1);
	write(p[1], "t", 1);
	pthread_join(thread, NULL);
	since("a thread's", p[0]);
	SHOW(fcntl(p[0], F_GETOWN)); /* it is gone */
	owner = (struct f_owner_ex){F_OWNER_PGRP, getpgrp()};
	SHOW(fcntl(p[0], F_SETOWN_EX, &owner));
	SHOW(fcntl(p[0], F_GETOWN) == -getpgrp());
	write(p[1], "g", 1);
	since("the group's", p[0]);
	owner.type = 7;
	SHOW(fcntl(p[0], F_SETOWN_EX, &owner));
	SHOW(fcntl(p[0], F_SETSIG, 0));
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGIO, SIG_DFL);
		fcntl(p[0], F_SETOWN, getpid());
		write(p[1], "d", 1);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	SHOW(WTERMSIG(status) == SIGIO);
	close(p[0]);
	close(p[1]);
}

/* More signals than are queued: then a SIGIO says that some are missing. */
static void overflow(void)
{
	struct rlimit few = {200, 200};
	sigset_t set, pending;
	int p[2];
	fflush(stdout);
	if (fork() > 0) {
		wait(NULL);
		return;
	}
	pipe(p);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setrlimit(RLIMIT_SIGPENDING, &few);
	turn_on(p[0], SIGRTMIN);
	write(p[1], "1", 1);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGIO));
	for (int i = 0; i < 400; i++)
		write(p[1], "x", 1);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGIO));
	SHOW(sigismember(&pending, SIGRTMIN));
	_exit(0);
}

/* The other names that sockets have for it. */
static void by_ioctl(void)
{
	int s[2], p[2], owner = getpid(), on = 1, got = 0, nobody = 4000000;
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	pipe(p);
	SHOW(ioctl(s[0], FIOSETOWN, &owner));
	SHOW(ioctl(s[0], FIOGETOWN, &got));
	SHOW(got == owner);
	owner = -getpgrp();
	SHOW(ioctl(s[0], SIOCSPGRP, &owner));
	SHOW(ioctl(s[0], SIOCGPGRP, &got));
	SHOW(got == owner);
	SHOW(ioctl(s[0], SIOCSPGRP, &nobody));
	SHOW(ioctl(s[0], SIOCSPGRP, 8));
	SHOW(ioctl(p[0], FIOSETOWN, &owner));
	SHOW(ioctl(s[0], FIOASYNC, &on));
	write(s[1], "x", 1);
	since("sent", s[0]);
	SHOW(ioctl(s[0], FIOASYNC, 8));
	close(s[0]);
	close(s[1]);
	close(p[0]);
	close(p[1]);
}

static void by_signalfd(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int p[2];
	pipe(p);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	turn_on(p[0], SIGRTMIN + 1);
	write(p[1], "s", 1);
	SHOW(read(fd, &info, sizeof(info)));
	SHOW(info.ssi_fd == p[0]);
	printf("code %d band %#x\n", info.ssi_code, info.ssi_band);
	close(fd);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	struct sigaction act = {.sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGIO, &act, NULL);
	sigaction(SIGRTMIN, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	setpgid(0, 0);
	enter_scratch();
	pipes();
	sockets(SOCK_STREAM, "stream");
	sockets(SOCK_DGRAM, "datagrams");
	terminals();
	others();
	owners();
	overflow();
	by_ioctl();
	by_signalfd();
	return 0;
}

/* inotify, signalfd and waiting for a child by descriptor: events that come as bytes. */
#include "show.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void show_events(int fd)
{
	char buffer[4096] __attribute__((aligned(8)));
	long n = read(fd, buffer, sizeof(buffer));
	if (n < 0) {
		SHOW(n);
		return;
	}
	for (long at = 0; at < n;) {
		struct inotify_event *e = (struct inotify_event *)(void *)(buffer + at);
		printf("  watch %d mask %#x %s %s\n", e->wd, e->mask,
		       e->cookie ? "moved" : "", e->len ? e->name : "");
		at += (long)(sizeof(*e) + e->len);
	}
}

static void names(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), file;
	char byte;
	mkdir("d", 0755);
	SHOW(inotify_add_watch(fd, "d", IN_ALL_EVENTS));
	SHOW(inotify_add_watch(fd, "none", IN_CREATE));
	SHOW(read(fd, &byte, 1));
	file = open("d/a", O_CREAT | O_RDWR, 0600);
	write(file, "x", 1);
	pread(file, &byte, 1, 0);
	fchmod(file, 0644);
	close(file);
	rename("d/a", "d/b");
	mkdir("d/e", 0700);
	struct pollfd p = {fd, POLLIN, 0};
	SHOW(poll(&p, 1, 0));
	SHOW(read(fd, &byte, 1));
	show_events(fd);
	SHOW(inotify_add_watch(fd, "d/b", IN_DELETE_SELF | IN_ATTRIB));
	rmdir("d/e");
	unlink("d/b");
	show_events(fd);
	SHOW(inotify_rm_watch(fd, 1));
	show_events(fd);
	SHOW(inotify_rm_watch(fd, 1));
	SHOW(inotify_rm_watch(1, 1));
	close(fd);
}

static void signals(void)
{
	sigset_t set;
	struct signalfd_siginfo info;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (SHOW(fd > 0) != 1)
		return;
	SHOW(read(fd, &info, sizeof(info)));
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 9});
	struct pollfd p = {fd, POLLIN, 0};
	SHOW(poll(&p, 1, 0));
	SHOW(read(fd, &info, 10));
	SHOW(read(fd, &info, sizeof(info)));
	SHOW(info.ssi_signo);
	SHOW(info.ssi_int);
	if (fork() == 0)
		_exit(3);
	SHOW(poll(&p, 1, 5000));
	SHOW(read(fd, &info, sizeof(info)));
	SHOW(info.ssi_signo);
	SHOW(info.ssi_status);
	wait(NULL);
}

int main(void)
{
	enter_scratch();
	names();
	signals();
	return 0;
}

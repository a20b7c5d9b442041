/* What has happened goes before a signal: a call that a signal interrupts gives what it
 * waited for, when that is there by then. And what an interrupted call leaves behind. */
#include "show.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <sys/wait.h>

static void nothing(int signo)
{
	(void)signo;
}

static pid_t parent;

/* The condition comes true and the signal is sent with nothing in between that could run
 * the sleeper: by one process, at once. */
static pid_t both_at_once(int fd, const void *bytes, size_t size)
{
	pid_t pid = fork();
	if (pid == 0) {
		usleep(20000);
		write(fd, bytes, size);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	return pid;
}

static void ended(void)
{
	while (waitpid(-1, NULL, 0) < 0 && errno == EINTR)
		;
}

static void pipes(void)
{
	int p[2];
	char byte;
	pipe(p);
	both_at_once(p[1], "x", 1);
	SHOW(read(p[0], &byte, 1));
	ended();
	struct pollfd one = {p[0], POLLIN, 0};
	both_at_once(p[1], "x", 1);
	SHOW(poll(&one, 1, 5000));
	SHOW(one.revents);
	SHOW(read(p[0], &byte, 1));
	ended();
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &event);
	both_at_once(p[1], "x", 1);
	SHOW(epoll_wait(ep, &event, 1, 5000));
	SHOW(read(p[0], &byte, 1));
	ended();
}

static void eventfds(void)
{
	uint64_t count = 1;
	int fd = eventfd(0, 0);
	both_at_once(fd, &count, sizeof(count));
	SHOW(read(fd, &count, sizeof(count)));
	ended();
}

/* flags of one call are not the file's: a reader beside it goes on waiting. */
static void *reads(void *fd)
{
	char byte;
	return (void *)read(*(int *)fd, &byte, 1);
}

static void own_flags(void)
{
	int p[2];
	char byte;
	void *got;
	pthread_t thread;
	struct iovec one = {&byte, 1};
	pipe(p);
	pthread_create(&thread, NULL, reads, &p[0]);
	usleep(10000);
	SHOW(preadv2(p[0], &one, 1, -1, RWF_NOWAIT));
	SHOW(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	write(p[1], "x", 1);
	pthread_join(thread, &got);
	SHOW((long)got);
}

int main(void)
{
	struct sigaction action = {.sa_handler = nothing};
	parent = getpid();
	sigaction(SIGUSR1, &action, NULL);
	pipes();
	eventfds();
	own_flags();
	return 0;
}

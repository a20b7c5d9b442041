/* AF_UNIX: sleeping and being woken: time limits, full queues, edges of epoll, signals.
 */
#include "show.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

static void on_signal(int signo)
{
	(void)signo;
}

static int bound(int type, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);
	strcpy(at.sun_path, path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		perror(path);
	return fd;
}

static int joined(int type, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);
	strcpy(at.sun_path, path);
	return connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -1 : fd;
}

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 +
	       (now.tv_nsec - since->tv_nsec) / 1000000;
}

static void limits(void)
{
	int pair[2];
	char block[65536] = {0};
	struct timeval limit = {0, 30000}, back;
	socklen_t size = sizeof(back);
	struct timespec start;
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	SHOW(getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &back, &size));
	SHOW(back.tv_usec >= 30000);
	clock_gettime(CLOCK_MONOTONIC, &start);
	SHOW(read(pair[0], block, 1));
	SHOW(elapsed_ms(&start) >= 29);
	write(pair[1], "ab", 2);
	SHOW(recv(pair[0], block, 5, MSG_WAITALL));
	for (int i = 0; i < 100 && write(pair[0], block, sizeof(block)) > 0; i++)
		;
	clock_gettime(CLOCK_MONOTONIC, &start);
	SHOW(write(pair[0], block, sizeof(block)));
	SHOW(elapsed_ms(&start) >= 29);
	close(pair[0]);
	close(pair[1]);
}

static void all_of_it(void)
{
	int pair[2];
	char text[16];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	if (fork() == 0) {
		for (int i = 0; i < 3; i++) {
			usleep(10000);
			write(pair[1], "part", 4);
		}
		_exit(0);
	}
	show_bytes("waitall", text, recv(pair[0], text, 12, MSG_WAITALL));
	wait(NULL);
	close(pair[1]);
	SHOW(recv(pair[0], text, 12, MSG_WAITALL));
	close(pair[0]);
}

static void interrupted(void)
{
	int pair[2];
	char c;
	struct itimerval soon = {{0, 0}, {0, 20000}};
	struct sigaction action = {.sa_handler = on_signal};
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(read(pair[0], &c, 1));
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	if (fork() == 0) {
		usleep(50000);
		write(pair[1], "x", 1);
		_exit(0);
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(read(pair[0], &c, 1));
	wait(NULL);
	struct timeval limit = {1, 0};
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(read(pair[0], &c, 1)); /* not restarted: it has a limit */

	/* connect: restarted too, until the listener has room. */
	int listener = bound(SOCK_STREAM, "slow");
	listen(listener, 0);
	int first = joined(SOCK_STREAM, "slow");
	if (fork() == 0) {
		usleep(50000);
		_exit(accept(listener, NULL, NULL) < 0);
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(joined(SOCK_STREAM, "slow") > first);
	wait(NULL);
	action.sa_flags = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(joined(SOCK_STREAM, "slow"));
	close(listener);
}

static void full_queues(void)
{
	int listener = bound(SOCK_STREAM, "listener"),
	    receiver = bound(SOCK_DGRAM, "receiver");
	int sender = joined(SOCK_DGRAM, "receiver"), sent = 0, got = 0;
	char text[16];
	listen(listener, 0);
	int first = joined(SOCK_STREAM, "listener");
	SHOW(first >= 0);
	fflush(stdout);
	if (fork() == 0) {
		int second =
			joined(SOCK_STREAM, "listener"); /* waits for the first accept */
		_exit(second >= 0 && write(second, "2", 1) == 1 ? 0 : 1);
	}
	usleep(20000);
	int a = accept(listener, NULL, NULL), b = accept(listener, NULL, NULL);
	SHOW(a >= 0 && b >= 0);
	SHOW(read(b, text, 1));
	SHOW(read(b, text, 1));
	int status;
	wait(&status);
	SHOW(WEXITSTATUS(status));
	while (send(sender, "x", 1, MSG_DONTWAIT) == 1)
		sent++;
	SHOW(sent > 5);
	if (fork() == 0)
		_exit(send(sender, "last", 4, 0) == 4 ? 0 : 1);
	usleep(20000);
	while (recv(receiver, text, sizeof(text), 0) == 1)
		got++;
	SHOW(got == sent);
	wait(&status);
	SHOW(WEXITSTATUS(status));
	shutdown(listener, SHUT_RD);
	SHOW(accept(listener, NULL, NULL));
	SHOW(joined(SOCK_STREAM, "listener"));
}

static int ready(int ep)
{
	struct epoll_event e;
	int n = epoll_wait(ep, &e, 1, 0);
	return n == 1 ? (int)e.events : n;
}

static void edges(void)
{
	int pair[2], ep = epoll_create1(0);
	char block[4096] = {0};
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, pair[0], &event));
	SHOW(ready(ep));
	SHOW(ready(ep));
	write(pair[1], "a", 1);
	SHOW(ready(ep));
	SHOW(ready(ep));
	write(pair[1], "b", 1);
	SHOW(ready(ep));
	read(pair[0], block, 2);
	SHOW(ready(ep));
	while (write(pair[0], block, sizeof(block)) > 0)
		;
	SHOW(ready(ep));
	while (read(pair[1], block, sizeof(block)) > 0)
		;
	SHOW(ready(ep));
	shutdown(pair[1], SHUT_WR);
	SHOW(ready(ep));
	close(pair[1]);
	SHOW(ready(ep));
	SHOW(ready(ep));
	close(pair[0]);
	SHOW(ready(ep));
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	enter_scratch();
	limits();
	all_of_it();
	interrupted();
	full_queues();
	edges();
	return 0;
}

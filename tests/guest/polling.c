/* Waiting for files: poll, select, epoll (level, edge, once, nested), eventfd, timerfd.
 */
#include "show.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 +
	       (now.tv_nsec - since->tv_nsec) / 1000000;
}

static void polls(void)
{
	int p[2];
	struct timespec start;
	pipe(p);
	struct pollfd set[4] = {
		{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {-1, POLLIN, 9}, {99, POLLIN, 0}};
	SHOW(poll(set, 4, 0));
	SHOW(set[0].revents);
	SHOW(set[1].revents);
	SHOW(set[2].revents);
	SHOW(set[3].revents);
	clock_gettime(CLOCK_MONOTONIC, &start);
	SHOW(poll(set, 1, 30));
	SHOW(elapsed_ms(&start) >= 29);
	SHOW(poll(NULL, 0, 1));
	struct timespec none = {0, 0}, bad = {0, 2000000000};
	SHOW(ppoll(set, 1, &none, NULL));
	SHOW(ppoll(set, 1, &bad, NULL));
	fd_set r, w;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	struct timeval tv = {0, 10000};
	SHOW(select(p[1] + 1, &r, &w, NULL, &tv));
	SHOW(FD_ISSET(p[0], &r));
	SHOW(FD_ISSET(p[1], &w));
	FD_SET(40,
	       &r); /* below 64: Linux does not look beyond its table of descriptors */
	SHOW(select(41, &r, NULL, NULL, &tv));
	write(p[1], "x", 1);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	SHOW(pselect(p[0] + 1, &r, NULL, NULL, &none, NULL));
	if (fork() == 0) {
		usleep(20000);
		write(p[1], "y", 1);
		_exit(0);
	}
	char c;
	read(p[0], &c, 1);
	SHOW(poll(set, 1, 5000));
	SHOW(set[0].revents);
	wait(NULL);
	close(p[1]);
	read(p[0], &c, 1);
	SHOW(poll(set, 1, 0));
	SHOW(set[0].revents);
	close(p[0]);
}

static void eventfds(void)
{
	uint64_t value = 3;
	int fd = eventfd(2, EFD_NONBLOCK);
	SHOW(write(fd, &value, 8));
	SHOW(read(fd, &value, 8));
	SHOW((long)value);
	SHOW(read(fd, &value, 8));
	SHOW(read(fd, &value, 4));
	value = UINT64_MAX;
	SHOW(write(fd, &value, 8));
	value = UINT64_MAX - 1;
	SHOW(write(fd, &value, 8));
	value = 1;
	SHOW(write(fd, &value, 8));
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	SHOW(poll(&p, 1, 0));
	SHOW(p.revents);
	close(fd);
	fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	SHOW(read(fd, &value, 8));
	SHOW((long)value);
	SHOW(read(fd, &value, 8));
	SHOW(read(fd, &value, 8));
	close(fd);
	SHOW(eventfd(0, 77));
}

static void timers(void)
{
	uint64_t ticks = 0;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec at = {{0, 10000000}, {0, 10000000}}, old;
	SHOW(read(fd, &ticks, 8));
	SHOW(timerfd_settime(fd, 0, &at, NULL));
	SHOW(timerfd_gettime(fd, &old));
	SHOW(old.it_interval.tv_nsec);
	struct pollfd p = {fd, POLLIN, 0};
	SHOW(poll(&p, 1, 1000));
	usleep(35000);
	SHOW(read(fd, &ticks, 8));
	SHOW(ticks >= 3);
	at = (struct itimerspec){{0, 0}, {0, 0}};
	SHOW(timerfd_settime(fd, 0, &at, &old));
	SHOW(old.it_interval.tv_nsec);
	SHOW(read(fd, &ticks, 8));
	at.it_value.tv_sec = 1;
	SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL)); /* long ago */
	SHOW(read(fd, &ticks, 8));
	at.it_value.tv_nsec = -1;
	SHOW(timerfd_settime(fd, 0, &at, NULL));
	close(fd);
	SHOW(timerfd_create(99, 0));
}

static int ready(int ep, int timeout)
{
	struct epoll_event out[8];
	int n = epoll_wait(ep, out, 8, timeout);
	for (int i = 0; i < n; i++)
		printf("  events %#x data %llu\n", out[i].events,
		       (unsigned long long)out[i].data.u64);
	return n;
}

static int control(int ep, int operation, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};
	return epoll_ctl(ep, operation, fd, &event);
}

static void epolls(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), outer = epoll_create1(0), p[2], fd;
	char c;
	pipe(p);
	SHOW(epoll_create(0));
	SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	SHOW(control(ep, EPOLL_CTL_MOD, p[1], EPOLLIN, 1));
	SHOW(control(ep, EPOLL_CTL_DEL, p[1], 0, 0));
	SHOW(control(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 1));
	SHOW(control(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 1));
	SHOW(control(ep, EPOLL_CTL_ADD, fd = open("/", O_RDONLY), EPOLLIN, 1));
	close(fd);
	SHOW(control(outer, EPOLL_CTL_ADD, ep, EPOLLIN, 2));
	SHOW(control(ep, EPOLL_CTL_ADD, outer, EPOLLIN, 2));
	SHOW(ready(ep, 0));
	SHOW(ready(outer, 0));
	write(p[1], "ab", 2);
	SHOW(ready(ep, 0));
	SHOW(ready(ep, 0));
	SHOW(ready(outer, 0));
	SHOW(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 3));
	SHOW(ready(ep, 0));
	SHOW(ready(ep, 0));
	read(p[0], &c, 1);
	SHOW(ready(ep, 0));
	write(p[1], "c", 1);
	SHOW(ready(ep, 0));
	SHOW(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 4));
	SHOW(ready(ep, 0));
	write(p[1], "d", 1);
	SHOW(ready(ep, 0));
	SHOW(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 5));
	SHOW(ready(ep, 0));
	int copy = dup(p[0]);
	SHOW(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 6));
	close(p[0]);
	SHOW(ready(ep, 0)); /* the copy keeps the file open: still watched */
	close(copy);
	SHOW(ready(ep, 0));
	SHOW(ready(ep, 10));
	SHOW(epoll_wait(ep, NULL, 0, 0));
	struct epoll_event out;
	SHOW(epoll_wait(1, &out, 1, 0));
	pipe(p);
	control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLRDHUP, 7);
	if (fork() == 0) {
		usleep(20000);
		_exit(write(p[1], "late", 4) != 4);
	}
	SHOW(ready(ep, 5000));
	wait(NULL);
	close(p[1]);
	SHOW(ready(ep, 0));
}

/* Of three events two fit in front of memory that may not be written: the third, and what
 * is asked for with no room at all, are there for the next call. */
static void events_that_do_not_fit(uint32_t how)
{
	int ep = epoll_create1(0), fd[3];
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct epoll_event *room = (void *)(page + 4096 - 2 * sizeof(*room));
	mprotect(page + 4096, 4096, PROT_NONE);
	for (int i = 0; i < 3; i++) {
		fd[i] = eventfd(1, 0);
		control(ep, EPOLL_CTL_ADD, fd[i], EPOLLIN | how, i);
	}
	SHOW(epoll_wait(ep, (void *)(page + 4096), 3, 0));
	SHOW(epoll_wait(ep, room, 3, 0));
	SHOW((long)room[0].data.u64);
	SHOW((long)room[1].data.u64);
	SHOW(ready(ep, 0));
	SHOW(ready(ep, 0));
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	close(ep);
	munmap(page, 8192);
}

static void many_events(void)
{
	static struct epoll_event out[100];
	int ep = epoll_create1(0), fd[80];
	for (int i = 0; i < 80; i++) {
		fd[i] = eventfd(1, 0);
		control(ep, EPOLL_CTL_ADD, fd[i], EPOLLIN, i);
	}
	SHOW(epoll_wait(ep, out, 100, 0));
	SHOW(epoll_wait(ep, out, 70, 0));
	SHOW((long)out[69].data.u64);
	SHOW(epoll_wait(ep, out, 20, 0));
	SHOW((long)out[0].data.u64);
	SHOW((long)out[19].data.u64);
	for (int i = 0; i < 80; i++)
		close(fd[i]);
	close(ep);
}

int main(void)
{
	polls();
	eventfds();
	timers();
	epolls();
	events_that_do_not_fit(0);
	events_that_do_not_fit(EPOLLET);
	events_that_do_not_fit(EPOLLONESHOT);
	many_events();
	return 0;
}

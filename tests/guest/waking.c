/* Who is woken: one of several that wait for the same, one that waits for several things.
 */
#include "show.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
enum { WAKE = 1, PRIVATE = 128, SIZE_32 = 2 };
enum { WAITERS = 4, WORDS = 3, ROWS_MAX = 128 };

struct row {
	uint64_t value, address;
	uint32_t flags, reserved;
};

static uint32_t word[WORDS];
static struct row row[ROWS_MAX + 1];

static long waitv(unsigned count, unsigned flags, const struct timespec *until, int clock)
{
	return syscall(SYS_futex_waitv, row, count, flags, until, clock);
}

static void rows_of(uint32_t *words, uint32_t flags)
{
	for (size_t i = 0; i < ROWS_MAX + 1; i++)
		row[i] = (struct row){words[i % WORDS], (uintptr_t)&words[i % WORDS],
				      flags, 0};
}

static void *wait_for_any(void *arg)
{
	(void)arg;
	return (void *)waitv(WORDS, 0, NULL, 0);
}

/* Wakes whoever waits for one word, as soon as somebody does. */
static void wake(uint32_t *at, int operation)
{
	while (syscall(SYS_futex, at, operation, 1, NULL, NULL, 0) == 0)
		sched_yield();
}

static void one_of_several_words(void)
{
	pthread_t thread;
	void *result;
	rows_of(word, SIZE_32 | PRIVATE);
	for (int i = 0; i < WORDS; i++) {
		pthread_create(&thread, NULL, wait_for_any, NULL);
		wake(&word[i], WAKE | PRIVATE);
		pthread_join(thread, &result);
		SHOW(result);
	}
	uint32_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	rows_of(shared, SIZE_32);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit((int)waitv(WORDS, 0, NULL, 0) + 10);
	wake(&shared[2], WAKE);
	int status = 0;
	waitpid(pid, &status, 0);
	SHOW(WEXITSTATUS(status));
}

static void on_alarm(int signo)
{
	(void)signo;
}

static void what_waitv_refuses(void)
{
	struct timespec past = {1, 0}, wrong = {0, -1};
	rows_of(word, SIZE_32);
	SHOW(waitv(WORDS, 0, &past, CLOCK_MONOTONIC));
	SHOW(waitv(ROWS_MAX, 0, &past, CLOCK_REALTIME));
	SHOW(waitv(1, 0, &wrong, CLOCK_MONOTONIC));
	SHOW(waitv(1, 0, &past, CLOCK_BOOTTIME));
	SHOW(waitv(1, 1, NULL, 0));
	SHOW(waitv(0, 0, NULL, 0));
	SHOW(waitv(ROWS_MAX + 1, 0, NULL, 0));
	SHOW(syscall(SYS_futex_waitv, NULL, 1, 0, NULL, 0));
	SHOW(syscall(SYS_futex_waitv, 8, 1, 0, NULL, 0));
	row[1].value = 1;
	SHOW(waitv(WORDS, 0, NULL, 0));
	row[1].flags = 0;
	SHOW(waitv(WORDS, 0, NULL, 0));
	row[1] = (struct row){0, 2, SIZE_32, 0};
	SHOW(waitv(WORDS, 0, NULL, 0));
	row[1] = (struct row){0, 8, SIZE_32, 0};
	SHOW(waitv(WORDS, 0, NULL, 0));
	row[1] = (struct row){0, (uintptr_t)word, SIZE_32, 1};
	SHOW(waitv(WORDS, 0, NULL, 0));
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	alarm(1);
	SHOW(waitv(1, 0, NULL, 0));
}

static struct waiter {
	pthread_t thread;
	int epoll;
	pid_t tid;
} waiter[WAITERS];
static int returned;

static void *wait_for_event(void *arg)
{
	struct waiter *self = arg;
	struct epoll_event event;
	__atomic_store_n(&self->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	if (epoll_wait(self->epoll, &event, 1, -1) == 1)
		__atomic_add_fetch(&returned, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&self->tid, 0, __ATOMIC_SEQ_CST);
	return NULL;
}

static int is_asleep(const struct waiter *w)
{
	char path[64], state = 0;
	pid_t tid = __atomic_load_n(&w->tid, __ATOMIC_SEQ_CST);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	FILE *stat = tid ? fopen(path, "r") : NULL;
	if (!stat)
		return 0;
	if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(stat);
	return state == 'S';
}

static int asleep(void)
{
	int count = 0;
	for (int i = 0; i < WAITERS; i++)
		count += is_asleep(&waiter[i]);
	return count;
}

/* Nobody takes the event away: all that an event wakes come back. */
static void one_of_several_waiters(uint32_t flags)
{
	int event = eventfd(0, EFD_NONBLOCK);
	uint64_t one = 1;
	returned = 0;
	for (int i = 0; i < WAITERS; i++) {
		struct epoll_event what = {.events = EPOLLIN | flags};
		waiter[i] = (struct waiter){.epoll = epoll_create1(0)};
		SHOW(epoll_ctl(waiter[i].epoll, EPOLL_CTL_ADD, event, &what));
		pthread_create(&waiter[i].thread, NULL, wait_for_event, &waiter[i]);
	}
	while (asleep() < WAITERS)
		sched_yield();
	for (int woken = 1; woken <= WAITERS; woken++) {
		SHOW(write(event, &one, sizeof(one)));
		while (__atomic_load_n(&returned, __ATOMIC_SEQ_CST) <
		       (flags ? woken : WAITERS))
			sched_yield();
		SHOW(asleep());
		SHOW(returned);
	}
	for (int i = 0; i < WAITERS; i++) {
		pthread_join(waiter[i].thread, NULL);
		close(waiter[i].epoll);
	}
	close(event);
}

static void what_exclusive_refuses(void)
{
	int epoll = epoll_create1(0), other = epoll_create1(0), event = eventfd(0, 0);
	struct epoll_event what = {.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT};
	SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &what));
	what.events = EPOLLIN | EPOLLEXCLUSIVE;
	SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, other, &what));
	SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &what));
	SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, event, &what));
	SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, event, NULL));
}

int main(void)
{
	one_of_several_words();
	what_waitv_refuses();
	one_of_several_waiters(0);
	one_of_several_waiters(EPOLLEXCLUSIVE);
	what_exclusive_refuses();
	return 0;
}

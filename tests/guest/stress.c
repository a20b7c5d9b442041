/* Threads, signals, forks and memory at the same time; only sums that must come out are
 * shown. */
#include "show.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { WORKERS = 4, ROUNDS = 60 };

static volatile sig_atomic_t ticks;
static long failures;

static void fail(const char *what)
{
	__atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
	printf("failed: %s: %s\n", what, strerror(errno));
}

static void on_tick(int signo)
{
	(void)signo;
	ticks++;
}

static void *map_and_touch(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		size_t size = (size_t)(1 + i % 7) * 65536;
		unsigned char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at == MAP_FAILED) {
			fail("mmap");
			continue;
		}
		for (size_t k = 0; k < size; k += 4096)
			if (at[k]++)
				fail("a page that is not zero");
		if (mprotect(at, size / 2, PROT_READ) < 0 || munmap(at, size) < 0)
			fail("munmap");
	}
	return arg;
}

static void *fork_and_wait(void *arg)
{
	for (int i = 0; i < ROUNDS / 3; i++) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(i & 127);
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != (i & 127))
			fail("fork");
	}
	return arg;
}

static void *talk(void *arg)
{
	int pair[2];
	char c;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		fail("socketpair");
	for (int i = 0; i < ROUNDS * 5; i++) {
		char sent = (char)i;
		if (write(pair[i & 1], &sent, 1) != 1 ||
		    read(pair[!(i & 1)], &c, 1) != 1 || c != sent)
			fail("socket");
	}
	close(pair[0]);
	close(pair[1]);
	return arg;
}

static void *use_files(void *arg)
{
	char name[32], text[64], back[64];
	for (int i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "f%ld-%d", (long)(size_t)arg, i % 3);
		int size = snprintf(text, sizeof(text), "thread %ld round %d",
				    (long)(size_t)arg, i);
		int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0600);
		if (write(fd, text, (size_t)size) != size ||
		    pread(fd, back, sizeof(back), 0) != size ||
		    memcmp(text, back, (size_t)size) || close(fd) < 0 || unlink(name) < 0)
			fail("file");
	}
	return arg;
}

int main(void)
{
	static void *(*const bodies[])(void *) = {map_and_touch, fork_and_wait, talk,
						  use_files};
	pthread_t threads[4 * WORKERS];
	struct itimerval fast = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
	enter_scratch();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &fast, NULL);
	for (size_t i = 0; i < 4 * WORKERS; i++)
		if (pthread_create(&threads[i], NULL, bodies[i % 4], (void *)i))
			fail("pthread_create");
	for (size_t i = 0; i < 4 * WORKERS; i++) {
		void *result;
		if (pthread_join(threads[i], &result) || result != (void *)i)
			fail("pthread_join");
	}
	while (!ticks)
		pause();
	setitimer(ITIMER_REAL, &off, NULL);
	SHOW(failures);
	return 0;
}

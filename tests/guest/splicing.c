/* splice, tee and sendfile: no byte is lost or given twice when a side has no room. */
#include "show.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#define SIZE 30000

static char pattern[SIZE], got[2 * SIZE];

static void on_alarm(int signo)
{
	(void)signo;
}

static int waiting(int fd)
{
	int bytes = -1;
	ioctl(fd, FIONREAD, &bytes);
	return bytes;
}

static void set_nonblock(int fd, int on)
{
	fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0);
}

/* Reads until there is nothing: how much, and is it the pattern from `from` on? */
static long rest(int fd, long from, int *in_order)
{
	long have = 0, n;
	set_nonblock(fd, 1);
	while ((n = read(fd, got + have, sizeof(got) - (size_t)have)) > 0)
		have += n;
	set_nonblock(fd, 0);
	*in_order = memcmp(got, pattern + from, (size_t)have) == 0;
	return have;
}

static void show_rest(const char *what, int fd, long from)
{
	int in_order;
	long size = rest(fd, from, &in_order);
	printf("%s: %ld bytes, %s\n", what, size, in_order ? "in order" : "others");
}

/* A small pipe takes less than the large one has. */
static void pipe_to_small_pipe(void)
{
	int p[2], q[2];
	pipe(p);
	pipe(q);
	fcntl(q[1], F_SETPIPE_SZ, 4096);
	write(p[1], pattern, SIZE);
	long moved = splice(p[0], NULL, q[1], NULL, SIZE, SPLICE_F_NONBLOCK);
	SHOW(moved > 0 && moved <= 4096);
	SHOW(waiting(p[0]) + waiting(q[0]));
	SHOW(splice(p[0], NULL, q[1], NULL, SIZE, SPLICE_F_NONBLOCK));
	set_nonblock(q[1], 1);
	SHOW(splice(p[0], NULL, q[1], NULL, SIZE, 0));
	SHOW(waiting(p[0]) + waiting(q[0]));
	show_rest("small", q[0], 0);
	show_rest("large", p[0], moved);
	for (int i = 0; i < 2; i++)
		close(p[i]), close(q[i]);
}

static void pipe_to_full_socket(void)
{
	int p[2], s[2], bytes = 0;
	static char filler[4096];
	pipe(p);
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	set_nonblock(s[0], 1);
	for (long n; (n = write(s[0], filler, sizeof(filler))) > 0;)
		bytes += (int)n;
	write(p[1], pattern, SIZE);
	SHOW(splice(p[0], NULL, s[0], NULL, SIZE, 0));
	SHOW(waiting(p[0]));
	while (bytes > 0)
		bytes -= (int)read(s[1], got, sizeof(filler));
	long moved = 0;
	for (long n; (n = splice(p[0], NULL, s[0], NULL, SIZE, SPLICE_F_NONBLOCK)) > 0;)
		moved += n;
	SHOW(moved);
	SHOW(waiting(p[0]));
	show_rest("socket", s[1], 0);
	for (int i = 0; i < 2; i++)
		close(p[i]), close(s[i]);
}

static void socket_to_small_pipe(void)
{
	int q[2], s[2];
	pipe(q);
	fcntl(q[1], F_SETPIPE_SZ, 4096);
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	write(q[1], pattern, 3000);
	write(s[0], pattern + 3000, 8000);
	for (int i = 0; i < 3; i++)
		splice(s[1], NULL, q[1], NULL, 8000, SPLICE_F_NONBLOCK);
	SHOW(waiting(s[1]) + waiting(q[0]));
	int first, second; /* Linux fills no page of a pipe that has bytes */
	long in_pipe = rest(q[0], 0, &first);
	SHOW(in_pipe + rest(s[1], in_pipe, &second));
	SHOW(first && second);
	close(q[0]);
	write(s[0], pattern, 100);
	SHOW(splice(s[1], NULL, q[1], NULL, 100, 0));
	SHOW(waiting(s[1]));
	close(q[1]), close(s[0]), close(s[1]);
}

/* The reader is slow: the splice sleeps, a signal ends it, and the next goes on. */
static void interrupted(void)
{
	int p[2], s[2], status;
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval soon = {.it_value.tv_usec = 50000};
	static char filler[4096];
	pipe(p);
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	sigaction(SIGALRM, &action, NULL);
	set_nonblock(s[0], 1);
	int bytes = 0;
	for (long n; (n = write(s[0], filler, sizeof(filler))) > 0;)
		bytes += (int)n;
	set_nonblock(s[0], 0);
	write(p[1], pattern, SIZE);
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(splice(p[0], NULL, s[0], NULL, SIZE, 0));
	SHOW(waiting(p[0]));
	struct timeval limit = {0, 20000};
	setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	SHOW(splice(p[0], NULL, s[0], NULL, SIZE, 0));
	limit.tv_usec = 0;
	setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (fork() == 0) {
		close(s[0]);
		usleep(20000);
		while (bytes > 0)
			bytes -= (int)read(s[1], got, sizeof(filler));
		long have = 0;
		for (long n;
		     (n = read(s[1], got + have, sizeof(got) - (size_t)have)) > 0;)
			have += n;
		_exit(have == SIZE && memcmp(got, pattern, SIZE) == 0 ? 0 : 1);
	}
	close(s[1]);
	long moved = 0;
	while (moved < SIZE) {
		long n = splice(p[0], NULL, s[0], NULL, (size_t)(SIZE - moved), 0);
		if (n <= 0)
			break;
		moved += n;
	}
	SHOW(moved);
	close(s[0]);
	wait(&status);
	SHOW(status);
	close(p[0]), close(p[1]);
}

static int too_large;

static void on_too_large(int signo)
{
	(void)signo;
	too_large++;
}

static void over_the_limit(void)
{
	struct rlimit before, limit;
	getrlimit(RLIMIT_FSIZE, &before);
	limit = (struct rlimit){1000, before.rlim_max};
	signal(SIGXFSZ, on_too_large);
	int from = open("from", O_CREAT | O_RDWR, 0600),
	    to = open("to", O_CREAT | O_RDWR, 0600);
	write(from, pattern, SIZE);
	setrlimit(RLIMIT_FSIZE, &limit);
	lseek(from, 0, SEEK_SET);
	SHOW(sendfile(to, from, NULL, 3000));
	SHOW(too_large);
	SHOW(lseek(from, 0, SEEK_CUR));
	SHOW(sendfile(to, from, NULL, 3000));
	SHOW(too_large);
	loff_t at = 0, end = 0;
	SHOW(copy_file_range(from, &at, to, &end, 3000, 0));
	SHOW(too_large);
	SHOW(fallocate(to, 0, 500, 500));
	SHOW(fallocate(to, 0, 500, 501));
	SHOW(too_large);
	setrlimit(RLIMIT_FSIZE, &before);
	close(from), close(to);
}

int main(void)
{
	int p[2], q[2];
	for (int i = 0; i < SIZE; i++)
		pattern[i] = (char)(i * 7 + i / 251);
	signal(SIGPIPE, SIG_IGN);
	enter_scratch();
	pipe_to_small_pipe();
	pipe_to_full_socket();
	socket_to_small_pipe();
	interrupted();
	over_the_limit();

	pipe(p);
	pipe(q);
	SHOW(tee(p[0], q[1], 0, 0));
	SHOW(splice(p[0], NULL, q[1], NULL, 0, 0));
	write(p[1], "abc", 3);
	SHOW(splice(p[0], NULL, p[1], NULL, 3, 0));
	SHOW(tee(p[0], p[1], 3, 0));
	int file = open("file", O_CREAT | O_RDWR | O_APPEND, 0600);
	SHOW(splice(p[0], NULL, file, NULL, 3, 0));
	SHOW(waiting(p[0]));
	loff_t at = 0;
	SHOW(splice(p[0], &at, q[1], NULL, 3, 0));
	SHOW(splice(p[0], NULL, q[1], &at, 3, 0));
	SHOW(sendfile(q[1], p[0], NULL, 3));
	close(p[1]);
	SHOW(splice(p[0], NULL, q[1], NULL, 100, 0));
	SHOW(splice(p[0], NULL, q[1], NULL, 100, 0));
	show_bytes("moved", got, read(q[0], got, 100));
	return 0;
}

/* Pipes and FIFOs: bytes, ends, sizes, atomic writes, splice and tee. */
#include "show.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int broken;

static void on_pipe(int signo)
{
	(void)signo;
	broken++;
}

static int events(int fd)
{
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

int main(void)
{
	int p[2], q[2], status, bytes;
	static char block[1 << 17];
	char buffer[64];
	struct stat st;
	signal(SIGPIPE, on_pipe);
	enter_scratch();
	SHOW(pipe2(p, O_CLOEXEC | O_NONBLOCK));
	SHOW(fcntl(p[0], F_GETFD));
	SHOW(pipe2(q, 0x4));
	SHOW(events(p[0]));
	SHOW(events(p[1]));
	SHOW(read(p[0], buffer, 1));
	SHOW(write(p[0], "x", 1));
	SHOW(read(p[1], buffer, 1));
	SHOW(write(p[1], "abc", 3));
	SHOW(ioctl(p[0], FIONREAD, &bytes));
	SHOW(bytes);
	show_bytes("read", buffer, read(p[0], buffer, 2));
	SHOW(read(p[0], buffer, 2));
	SHOW(fcntl(p[0], F_GETPIPE_SZ));
	SHOW(write(p[1], block, sizeof(block)));
	SHOW(events(p[1]));
	SHOW(write(p[1], "x", 1));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 4096));
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 100000));
	SHOW(write(p[1], block, 4097));
	SHOW(write(p[1], block, sizeof(block)) > 0);
	long total = 0, n;
	while ((n = read(p[0], block, 5000)) > 0)
		total += n;
	SHOW(total > 126000 && total <= 131072); /* Linux counts whole pages */
	SHOW(fstat(p[0], &st));
	SHOW(S_ISFIFO(st.st_mode));
	SHOW(lseek(p[0], 0, SEEK_CUR));
	SHOW(ftruncate(p[1], 0));
	SHOW(write(p[1], "end", 3));
	close(p[1]);
	SHOW(events(p[0]));
	SHOW(read(p[0], buffer, 10));
	SHOW(read(p[0], buffer, 10));
	close(p[0]);
	pipe(p);
	close(p[0]);
	SHOW(write(p[1], "x", 1));
	SHOW(broken);
	SHOW(events(p[1]));
	close(p[1]);

	SHOW(mkfifo("fifo", 0600));
	SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
	if (fork() == 0) {
		int fd = open("fifo", O_WRONLY);
		write(fd, "through", 7);
		_exit(0);
	}
	int fd = open("fifo", O_RDONLY);
	show_bytes("fifo", buffer, read(fd, buffer, sizeof(buffer)));
	wait(&status);
	SHOW(read(fd, buffer, 1));
	close(fd);

	pipe(p);
	pipe(q);
	write(p[1], "spliced", 7);
	SHOW(tee(p[0], q[1], 4, 0));
	show_bytes("teed", buffer, read(q[0], buffer, sizeof(buffer)));
	fd = open("file", O_CREAT | O_RDWR, 0600);
	SHOW(splice(p[0], NULL, fd, NULL, 100, 0));
	SHOW(splice(fd, NULL, fd, NULL, 1, 0));
	loff_t at = 2;
	SHOW(splice(fd, &at, q[1], NULL, 3, 0));
	show_bytes("from file", buffer, read(q[0], buffer, sizeof(buffer)));

	/* Two writers of PIPE_BUF bytes: never mixed. */
	for (int i = 0; i < 2; i++)
		if (fork() == 0) {
			memset(block, 'a' + i, 4096);
			for (int k = 0; k < 50; k++)
				write(p[1], block, 4096);
			_exit(0);
		}
	close(p[1]);
	int mixed = 0, got = 0;
	for (long have = 0; (n = read(p[0], block + have, 4096 - (size_t)have)) > 0;) {
		have += n;
		if (have < 4096)
			continue;
		for (int i = 1; i < 4096; i++)
			mixed += block[i] != block[0];
		got++;
		have = 0;
	}
	SHOW(got);
	SHOW(mixed);
	while (wait(&status) > 0)
		;
	return 0;
}

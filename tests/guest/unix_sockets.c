/* AF_UNIX: kinds of sockets, names, connections, halves, errors, poll bits. */
#include "show.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static int pipes_broken;

static void on_pipe(int signo)
{
	(void)signo;
	pipes_broken++;
}

static socklen_t name(struct sockaddr_un *to, const char *path)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	strcpy(to->sun_path, path);
	return sizeof(*to);
}

static socklen_t abstract(struct sockaddr_un *to, const char *text)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	memcpy(to->sun_path + 1, text, strlen(text));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text));
}

static int try_bind(int fd, const char *path)
{
	struct sockaddr_un to;
	return bind(fd, (struct sockaddr *)&to, name(&to, path));
}

static int try_connect(int fd, const char *path)
{
	struct sockaddr_un to;
	return connect(fd, (struct sockaddr *)&to, name(&to, path));
}

static int events(int fd)
{
	struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};
	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static int option(int fd, int which)
{
	int value = -1;
	socklen_t size = sizeof(value);
	return getsockopt(fd, SOL_SOCKET, which, &value, &size) < 0 ? -1 : value;
}

static void show_name(const char *what, int fd, int peer)
{
	struct sockaddr_un at;
	socklen_t size = sizeof(at);
	memset(&at, 'x', sizeof(at));
	int rc = (peer ? getpeername : getsockname)(fd, (struct sockaddr *)&at, &size);
	if (show(what, rc) == 0)
		printf("  size %u family %u first byte %d path \"%s\"\n", size,
		       at.sun_family, size > 2 ? at.sun_path[0] : -1,
		       size > 2 && at.sun_path[0] ? at.sun_path : "");
}

static void kinds(void)
{
	int pair[2];
	SHOW(socket(AF_UNIX, SOCK_STREAM, 7));
	SHOW(socket(AF_UNIX, 9, 0));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	SHOW(fcntl(pair[0], F_GETFD));
	SHOW(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	SHOW(option(pair[0], SO_TYPE));
	SHOW(option(pair[0], SO_DOMAIN));
	SHOW(option(pair[0], SO_PROTOCOL));
	SHOW(option(pair[0], SO_ACCEPTCONN));
	SHOW(option(pair[0], SO_SNDBUF));
	int size = 10000;
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	SHOW(option(pair[0], SO_SNDBUF));
	size = 1;
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	SHOW(option(pair[0], SO_SNDBUF));
	SHOW(setsockopt(pair[0], SOL_SOCKET, 9999, &size, sizeof(size)));
	SHOW(setsockopt(pair[0], 77, 1, &size, sizeof(size)));
	struct stat st;
	SHOW(fstat(pair[0], &st));
	SHOW(S_ISSOCK(st.st_mode));
	SHOW(lseek(pair[0], 0, SEEK_SET));
	close(pair[0]);
	close(pair[1]);
}

static void stream_pair(void)
{
	int pair[2], bytes;
	char buffer[64];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	SHOW(events(pair[0]));
	SHOW(write(pair[0], "hello", 5));
	SHOW(write(pair[0], " world", 6));
	SHOW(events(pair[1]));
	SHOW(ioctl(pair[1], FIONREAD, &bytes));
	SHOW(bytes);
	show_bytes("peek", buffer, recv(pair[1], buffer, 8, MSG_PEEK));
	show_bytes("read", buffer, read(pair[1], buffer, 3));
	show_bytes("read", buffer, read(pair[1], buffer, sizeof(buffer)));
	SHOW(recv(pair[1], buffer, 1, MSG_DONTWAIT));
	SHOW(write(pair[0], "left", 4));
	SHOW(shutdown(pair[0], SHUT_WR));
	SHOW(events(pair[0]));
	SHOW(events(pair[1]));
	SHOW(write(pair[0], "x", 1));
	SHOW(pipes_broken);
	SHOW(send(pair[0], "x", 1, MSG_NOSIGNAL));
	SHOW(pipes_broken);
	show_bytes("read", buffer, read(pair[1], buffer, sizeof(buffer)));
	SHOW(read(pair[1], buffer, 1));
	SHOW(write(pair[1], "back", 4));
	SHOW(close(pair[0]));
	SHOW(events(pair[1]));
	SHOW(read(pair[1], buffer, 1));
	SHOW(write(pair[1], "x", 1));
	close(pair[1]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	write(pair[1], "unread", 6);
	SHOW(close(pair[1]));
	show_bytes("read", buffer, read(pair[0], buffer, sizeof(buffer)));
	SHOW(read(pair[0], buffer, 1));
	close(pair[0]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	write(pair[0], "lost", 4);
	SHOW(close(pair[1]));
	SHOW(events(pair[0]));
	SHOW(option(pair[0], SO_ERROR));
	SHOW(option(pair[0], SO_ERROR));
	SHOW(shutdown(pair[0], 9));
	close(pair[0]);
}

static void names(void)
{
	int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0), c,
	    d;
	struct stat st;
	struct sockaddr_un at;
	char buffer[16];
	show_name("unbound", a, 0);
	show_name("unbound peer", a, 1);
	SHOW(events(a));
	SHOW(listen(a, 1));
	umask(027);
	SHOW(try_bind(a, "listener"));
	SHOW(stat("listener", &st));
	SHOW((int)st.st_mode);
	SHOW(try_bind(a, "again"));
	SHOW(try_bind(b, "listener"));
	SHOW(try_bind(b, "missing/name"));
	SHOW(try_connect(b, "listener"));
	SHOW(try_connect(b, "nothing"));
	close(open("file", O_CREAT | O_WRONLY, 0600));
	SHOW(try_connect(b, "file"));
	SHOW(open("listener", O_RDWR));
	SHOW(accept(a, NULL, NULL));
	SHOW(listen(a, 5));
	SHOW(option(a, SO_ACCEPTCONN));
	SHOW(events(a));
	c = socket(AF_UNIX, SOCK_DGRAM, 0);
	SHOW(try_connect(c, "listener"));
	SHOW(listen(c, 1));
	close(c);
	SHOW(try_connect(b, "listener"));
	SHOW(try_connect(b, "listener"));
	SHOW(write(b, "early", 5));
	SHOW(events(a));
	d = accept4(a, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	SHOW(d > 0);
	SHOW(fcntl(d, F_GETFD));
	SHOW((fcntl(d, F_GETFL) & O_NONBLOCK) != 0);
	show_bytes("read", buffer, read(d, buffer, sizeof(buffer)));
	show_name("accepted", d, 0);
	show_name("accepted peer", d, 1);
	show_name("client", b, 0);
	show_name("client peer", b, 1);
	SHOW(read(d, buffer, 1));
	SHOW(rename("listener", "renamed"));
	close(b);
	SHOW(read(d, buffer, 1));
	close(d);
	b = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(try_connect(b, "renamed"));
	SHOW(close(a));
	SHOW(events(b));
	SHOW(read(b, buffer, 1));
	close(b);
	b = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(try_connect(b, "renamed"));
	SHOW(unlink("renamed"));
	SHOW(try_connect(b, "renamed"));
	SHOW(bind(b, (struct sockaddr *)&at, abstract(&at, "guest-test")));
	show_name("abstract", b, 0);
	a = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(bind(a, (struct sockaddr *)&at, abstract(&at, "guest-test")));
	SHOW(connect(a, (struct sockaddr *)&at, abstract(&at, "guest-test")));
	SHOW(listen(b, 0));
	SHOW(connect(a, (struct sockaddr *)&at, abstract(&at, "guest-test")));
	c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	SHOW(connect(c, (struct sockaddr *)&at, abstract(&at, "guest-test")));
	close(a);
	close(b);
	close(c);
	a = socket(AF_UNIX, SOCK_STREAM, 0);
	at.sun_family = AF_UNIX;
	SHOW(bind(a, (struct sockaddr *)&at, 2));
	socklen_t size = sizeof(at);
	SHOW(getsockname(a, (struct sockaddr *)&at, &size));
	SHOW(size);
	at.sun_family = AF_INET;
	SHOW(bind(a, (struct sockaddr *)&at, 20));
	close(a);
}

static void datagrams(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0), c,
	    pair[2];
	struct sockaddr_un to, from;
	socklen_t size = sizeof(from);
	char buffer[64];
	try_bind(a, "a");
	SHOW(send(b, "x", 1, 0));
	SHOW(sendto(b, "first", 5, 0, (struct sockaddr *)&to, name(&to, "a")));
	SHOW(recvfrom(a, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size));
	SHOW(size);
	try_bind(b, "b");
	SHOW(sendto(b, "second", 6, 0, (struct sockaddr *)&to, name(&to, "a")));
	SHOW(sendto(b, "", 0, 0, (struct sockaddr *)&to, name(&to, "a")));
	SHOW(sendto(b, "x", 1, 0, (struct sockaddr *)&to, name(&to, "none")));
	size = sizeof(from);
	SHOW(recvfrom(a, buffer, 3, MSG_TRUNC | MSG_PEEK, (struct sockaddr *)&from,
		      &size));
	struct iovec v = {buffer, 3};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	SHOW(recvmsg(a, &m, 0));
	SHOW(m.msg_flags);
	printf("from %s, size %u\n", from.sun_path, size);
	SHOW(recv(a, buffer, 8, 0));
	SHOW(recv(a, buffer, 8, MSG_DONTWAIT));
	SHOW(try_connect(b, "a"));
	SHOW(send(b, "third", 5, 0));
	SHOW(try_connect(a, "b"));
	c = socket(AF_UNIX, SOCK_DGRAM, 0);
	SHOW(sendto(c, "x", 1, 0, (struct sockaddr *)&to, name(&to, "a")));
	SHOW(try_connect(c, "a"));
	SHOW(recv(a, buffer, 8, 0));
	SHOW(close(a));
	SHOW(events(b));
	SHOW(send(b, "x", 1, 0));
	SHOW(send(b, "x", 1, 0));
	close(b);
	close(c);
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	SHOW(send(pair[0], "one", 3, 0));
	SHOW(send(pair[0], "two!", 4, 0));
	m.msg_controllen = 0;
	SHOW(recvmsg(pair[1], &m, 0));
	SHOW(m.msg_flags);
	SHOW(recvmsg(pair[1], &m, 0));
	SHOW(m.msg_flags);
	SHOW(shutdown(pair[0], SHUT_WR));
	SHOW(recv(pair[1], buffer, 8, 0));
	SHOW(events(pair[1]));
	SHOW(close(pair[1]));
	SHOW(events(pair[0]));
	int broken = pipes_broken;
	SHOW(send(pair[0], "x", 1, 0));
	SHOW(pipes_broken - broken);
	close(pair[0]);
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	close(pair[1]);
	SHOW(send(pair[0], "x", 1, 0));
	SHOW(recv(pair[0], buffer, 1, 0));
	close(pair[0]);
}

/* What memory that cannot be written does to a message: a datagram is lost, bytes stay.
 */
static void nowhere_to_go(void)
{
	static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
	char buffer[8];
	int pair[2];
	for (int i = 0; i < 3; i++) {
		socketpair(AF_UNIX, types[i], 0, pair);
		send(pair[0], "first", 5, 0);
		send(pair[0], "again", 5, 0);
		SHOW(recv(pair[1], (void *)8, 5, MSG_PEEK));
		SHOW(recv(pair[1], (void *)8, 5, 0));
		show_bytes("then", buffer, recv(pair[1], buffer, 5, 0));
		close(pair[0]);
		close(pair[1]);
	}
}

/* More than any buffer holds goes through while another process reads. */
static void bulk(void)
{
	enum { TOTAL = 3 << 20 };
	int pair[2], status;
	static char block[100000];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	if (fork() == 0) {
		long seen = 0, sum = 0, n;
		close(pair[0]);
		while ((n = read(pair[1], block, 7777)) > 0)
			for (long i = 0; i < n; i++, seen++)
				sum += (unsigned char)block[i] ==
				       (unsigned char)(seen % 251);
		_exit(seen == TOTAL && sum == TOTAL ? 7 : 1);
	}
	close(pair[1]);
	for (long sent = 0; sent < TOTAL;) {
		long n = TOTAL - sent < (long)sizeof(block) ? TOTAL - sent
							    : (long)sizeof(block);
		for (long i = 0; i < n; i++)
			block[i] = (char)((sent + i) % 251);
		if (write(pair[0], block, (size_t)n) != n)
			break;
		sent += n;
	}
	close(pair[0]);
	wait(&status);
	SHOW(WEXITSTATUS(status));
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	while (write(pair[0], block, sizeof(block)) > 0)
		;
	int full = errno;
	SHOW(full == EAGAIN);
	SHOW(events(pair[0]));
	while (read(pair[1], block, sizeof(block)) > 0)
		;
	SHOW(events(pair[0]));
}

int main(void)
{
	signal(SIGPIPE, on_pipe);
	enter_scratch();
	kinds();
	stream_pair();
	names();
	datagrams();
	nowhere_to_go();
	bulk();
	return 3;
}

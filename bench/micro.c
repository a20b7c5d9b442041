/* micro.c: what the calls cost that programs make most. One static program, the same in
 * the image and in the Linux guest; prints a line a row: name, a tab, nanoseconds an
 * operation. `micro exit` ends at once: it is what exec is measured with. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE    4096
#define SCRATCH "/tmp/micro"

static const char *const self = "/proc/self/exe";
static const char *dynamic_program;
static int file, pair_to[2], pair_from[2];
static char buffer[65536];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void null_call(long rounds)
{
	while (rounds--)
		syscall(SYS_getppid);
}

static void read_bytes(long rounds, size_t size)
{
	while (rounds--)
		if (pread(file, buffer, size, 0) != (ssize_t)size)
			die("pread");
}

static void write_bytes(long rounds, size_t size)
{
	while (rounds--)
		if (pwrite(file, buffer, size, 0) != (ssize_t)size)
			die("pwrite");
}

static void read_one(long rounds)
{
	read_bytes(rounds, 1);
}

static void read_64k(long rounds)
{
	read_bytes(rounds, sizeof(buffer));
}

static void write_one(long rounds)
{
	write_bytes(rounds, 1);
}

static void write_64k(long rounds)
{
	write_bytes(rounds, sizeof(buffer));
}

static void open_close(long rounds)
{
	while (rounds--)
		if (close(open(SCRATCH, O_RDONLY)) < 0)
			die("open");
}

static void stat_name(long rounds)
{
	struct stat st;
	while (rounds--)
		if (stat(SCRATCH, &st) < 0)
			die("stat");
}

static char *map_pages(size_t pages)
{
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static void map_touch_unmap(long rounds)
{
	while (rounds--) {
		char *at = map_pages(16);
		for (int i = 0; i < 16; i++)
			at[i * PAGE] = 1;
		munmap(at, 16 * PAGE);
	}
}

static void page_fault(long rounds)
{
	char *at = map_pages((size_t)rounds);
	madvise(at, (size_t)rounds * PAGE, MADV_NOHUGEPAGE);
	for (long i = 0; i < rounds; i++)
		at[i * PAGE] = 1;
	munmap(at, (size_t)rounds * PAGE);
}

static void end_of(pid_t child)
{
	int status;
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		die("child");
}

static void fork_exit_wait(long rounds)
{
	while (rounds--) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		end_of(child);
	}
}

static void fork_exec_wait(long rounds, const char *program)
{
	while (rounds--) {
		pid_t child = fork();
		if (child == 0) {
			execl(program, program, "exit", (char *)NULL);
			_exit(127);
		}
		end_of(child);
	}
}

static void exec_static(long rounds)
{
	fork_exec_wait(rounds, self);
}

static void exec_dynamic(long rounds)
{
	fork_exec_wait(rounds, dynamic_program);
}

static void pipe_ping_pong(long rounds)
{
	char byte = 0;
	pid_t child = fork();
	if (child == 0) {
		for (long i = 0; i < rounds; i++)
			if (read(pair_to[0], &byte, 1) != 1 ||
			    write(pair_from[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (long i = 0; i < rounds; i++)
		if (write(pair_to[1], &byte, 1) != 1 || read(pair_from[0], &byte, 1) != 1)
			die("pipe");
	end_of(child);
}

static void *no_work(void *nothing)
{
	return nothing;
}

static void thread_create_join(long rounds)
{
	while (rounds--) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, no_work, NULL) ||
		    pthread_join(thread, NULL))
			die("thread");
	}
}

static atomic_int turn;

static void turn_take(int mine, int next)
{
	while (atomic_load(&turn) != mine)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, next, NULL, NULL, 0);
	atomic_store(&turn, next);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *other_turns(void *rounds)
{
	for (long i = (long)rounds; i > 0; i--)
		turn_take(1, 0);
	return NULL;
}

static void futex_ping_pong(long rounds)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, other_turns, (void *)rounds))
		die("thread");
	for (long i = 0; i < rounds; i++)
		turn_take(0, 1);
	pthread_join(thread, NULL);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void signal_delivery(long rounds)
{
	signal(SIGUSR1, on_signal);
	while (rounds--)
		raise(SIGUSR1);
}

static const struct {
	const char *name;
	void (*run)(long rounds);
	long rounds;
} rows[] = {
	{"null call", null_call, 4000},
	{"read 1 byte", read_one, 2000},
	{"read 64 KiB", read_64k, 100},
	{"write 1 byte", write_one, 2000},
	{"write 64 KiB", write_64k, 100},
	{"open + close", open_close, 1000},
	{"stat", stat_name, 1000},
	{"mmap + touch 16 pages + munmap", map_touch_unmap, 100},
	{"page fault", page_fault, 1000},
	{"fork + exit + wait", fork_exit_wait, 40},
	{"fork + exec + wait, static", exec_static, 40},
	{"fork + exec + wait, dynamic", exec_dynamic, 20},
	{"pipe ping-pong", pipe_ping_pong, 500},
	{"thread create + join", thread_create_join, 100},
	{"futex ping-pong", futex_ping_pong, 500},
	{"signal delivery", signal_delivery, 500},
};

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "exit") == 0)
		return 0;
	dynamic_program = argc > 1 ? argv[1] : self;
	file = open(SCRATCH, O_CREAT | O_RDWR | O_TRUNC, 0600);
	if (file < 0 || write(file, buffer, sizeof(buffer)) != sizeof(buffer) ||
	    pipe(pair_to) < 0 || pipe(pair_from) < 0)
		die(SCRATCH);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rows[i].run(rows[i].rounds / 10 +
			    1); /* what is made once is not counted */
		double start = seconds();
		rows[i].run(rows[i].rounds);
		printf("%s\t%.0f\n", rows[i].name,
		       (seconds() - start) * 1e9 / (double)rows[i].rounds);
		fflush(stdout);
	}
	return 0;
}

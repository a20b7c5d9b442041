/* Memory: mapping, protecting, moving, sharing, copying on write, and the faults. */
#include "show.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { PAGE = 4096 };
#define FAILS(mapping) SHOW((mapping) == MAP_FAILED ? -1 : 0)

static sigjmp_buf escape;
static siginfo_t seen;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)context;
	seen = *info;
	siglongjmp(escape, signo);
}

/* What touching an address leads to: 0, or the signal; its code is shown too. */
static int touch(volatile char *at, int write)
{
	int signo = sigsetjmp(escape, 1);
	if (signo) {
		printf("  signal %d code %d address %s\n", signo, seen.si_code,
		       seen.si_addr == (void *)at ? "the one touched" : "another");
		return signo;
	}
	if (write)
		*at = 1;
	else
		(void)*at;
	return 0;
}

static char *map(size_t size, int protection, int flags)
{
	return mmap(NULL, size, protection, flags | MAP_ANONYMOUS, -1, 0);
}

static void mappings(void)
{
	char *a = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	int zero = 0;
	for (int i = 0; i < 8 * PAGE; i++)
		zero += a[i] == 0;
	SHOW(zero);
	SHOW(munmap(a + PAGE, PAGE));
	SHOW(touch(a + PAGE, 0));
	SHOW(touch(a + 2 * PAGE, 1));
	SHOW(mprotect(a + 3 * PAGE, PAGE, PROT_READ));
	SHOW(touch(a + 3 * PAGE, 0));
	SHOW(touch(a + 3 * PAGE, 1));
	SHOW(mprotect(a + 3 * PAGE, PAGE, PROT_NONE));
	SHOW(touch(a + 3 * PAGE, 0));
	SHOW(mprotect(a, 2 * PAGE, PROT_READ));
	SHOW(mprotect(a + 1, PAGE, PROT_READ));
	SHOW(mprotect(a, PAGE, PROT_READ | 0x100));
	SHOW(munmap(a + 1, PAGE));
	SHOW(munmap(a, 0));
	FAILS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
	FAILS(mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		   -1, 0));
	SHOW(mmap(a + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		  0) == a + PAGE);
	FAILS(mmap(a + PAGE, PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	SHOW(touch(NULL, 0));
	SHOW(touch((char *)0x800000000000, 0) == SIGSEGV);
	char *big = map((size_t)1 << 40, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
	SHOW(big != MAP_FAILED);
	SHOW(munmap(big, (size_t)1 << 40));
	char *brk0 = sbrk(0);
	SHOW(sbrk(3 * PAGE) == brk0);
	brk0[2 * PAGE] = 5;
	SHOW(brk(brk0));
	unsigned char in[8];
	char *m = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	m[PAGE] = 1;
	SHOW(mincore(m, 4 * PAGE, in));
	SHOW((in[0] & 1) * 10 + (in[1] & 1));
	SHOW(madvise(m, 4 * PAGE, MADV_DONTNEED));
	SHOW(m[PAGE]);
	SHOW(madvise(m, 4 * PAGE, 999));
	SHOW(madvise(m + 1, PAGE, MADV_DONTNEED));
	SHOW(mlock(m, PAGE));
	SHOW(munlock(m, PAGE));
	SHOW(msync(m, PAGE, MS_SYNC));
}

static void moving(void)
{
	char *a = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), *b, *room;
	for (int i = 0; i < 4; i++)
		a[i * PAGE] = (char)(i + 1);
	b = mremap(a, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	SHOW(b[0] + b[PAGE] * 10 + b[3 * PAGE] * 100 + b[63 * PAGE]);
	SHOW(mremap(b, 64 * PAGE, 2 * PAGE, 0) == b);
	SHOW(touch(b + 2 * PAGE, 0));
	room = map(8 * PAGE, PROT_NONE, MAP_PRIVATE);
	SHOW(mremap(b, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		    room + 2 * PAGE) == room + 2 * PAGE);
	SHOW(room[2 * PAGE] + room[3 * PAGE] * 10);
	SHOW(touch(b, 0));
	FAILS(mremap(b, PAGE, PAGE, 0));
}

static void sharing(void)
{
	int status, fd = open("shared", O_CREAT | O_RDWR, 0600);
	char *anonymous = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	char *own = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), c[4];
	SHOW(ftruncate(fd, PAGE + 100));
	char *file = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	own[0] = 1;
	if (fork() == 0) {
		anonymous[0] = 2;
		own[0] = 2;
		file[5] = 'f';
		_exit(own[0]);
	}
	wait(&status);
	SHOW(anonymous[0]);
	SHOW(own[0]);
	SHOW(pread(fd, c, 1, 5));
	SHOW(c[0]);
	SHOW(copy[5]);
	copy[5] = 'p';
	SHOW(file[5]);
	pwrite(fd, "w", 1, 6);
	SHOW(file[6]);
	SHOW(touch(file + PAGE + 200, 1));
	SHOW(touch(file + 2 * PAGE, 0));
	SHOW(ftruncate(fd, 10));
	SHOW(touch(file + PAGE, 0));
	SHOW(ftruncate(fd, 3 * PAGE));
	SHOW(file[PAGE + 200]);
	SHOW(file[2 * PAGE]);
	SHOW(pwrite(fd, "hole", 4,
		    2 * PAGE)); /* what was mapped as a hole has bytes now */
	SHOW(file[2 * PAGE]);
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE, PAGE));
	SHOW(file[2 * PAGE]);
	SHOW(msync(file, 3 * PAGE, MS_SYNC));
	int reader = open("shared", O_RDONLY);
	FAILS(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0));
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 100));
	SHOW(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0) !=
	     MAP_FAILED);
	SHOW(close(fd));
	SHOW(file[5]);
}

/* Grandchildren see the memory of the moment they were made. */
static void copies(void)
{
	enum { COUNT = 300 };
	int *numbers =
		    (int *)(void *)map(COUNT * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE),
	    status;
	for (int i = 0; i < COUNT; i++)
		numbers[i * (PAGE / 4)] = i;
	for (int round = 0; round < 5; round++) {
		if (fork() == 0) {
			int bad = 0;
			if (fork() == 0) {
				for (int i = 0; i < COUNT; i++)
					bad += numbers[i * (PAGE / 4)] != i + round;
				_exit(bad ? 1 : 0);
			}
			for (int i = 0; i < COUNT; i++)
				numbers[i * (PAGE / 4)] = -1;
			wait(&status);
			_exit(WEXITSTATUS(status));
		}
		wait(&status);
		SHOW(WEXITSTATUS(status));
		for (int i = 0; i < COUNT; i++)
			numbers[i * (PAGE / 4)]++;
	}
}

static void limits(void)
{
	int status;
	if (fork() == 0) {
		struct rlimit small = {64 << 20, 64 << 20};
		setrlimit(RLIMIT_AS, &small);
		_exit(map(128 << 20, PROT_READ, MAP_PRIVATE) == MAP_FAILED &&
				      errno == ENOMEM
			      ? 3
			      : 4);
	}
	wait(&status);
	SHOW(WEXITSTATUS(status));
	if (fork() == 0) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)16 = 1;
	}
	wait(&status);
	SHOW(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	char *code = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	code[0] = (char)0xc3;
	int signo = sigsetjmp(escape, 1);
	if (!signo)
		((void (*)(void))(uintptr_t)code)();
	SHOW(signo);
	mprotect(code, PAGE, PROT_READ | PROT_EXEC);
	((void (*)(void))(uintptr_t)code)();
	SHOW(touch(code, 1));
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	enter_scratch();
	mappings();
	moving();
	sharing();
	copies();
	limits();
	return 0;
}

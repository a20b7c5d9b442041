/* What several CPUs add: threads that run at the same time, and what one CPU must make
 * another do at once. Threads wait for each other by spinning without a call wherever it
 * matters that they are on two CPUs; the number of lines does not depend on how many CPUs
 * there are. */
#include "../show.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { TURNS = 100, FLUSHES = 40 };

static volatile int turn, stop, ready, handled;
static volatile unsigned seen_cpu[2];

static int pin(unsigned cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void unpin(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	for (unsigned i = 0; i < (unsigned)sysconf(_SC_NPROCESSORS_CONF); i++)
		CPU_SET(i, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void spin_until(const volatile int *flag, int value)
{
	while (*flag != value)
		__builtin_ia32_pause();
}

/* Each on a CPU of its own, and neither leaves it between two turns: only when both run
 * at the same time do they come to an end before a slice is over 100 times. */
static void *take_turns(void *arg)
{
	unsigned self = (unsigned)(size_t)arg;
	if (pin(self))
		return NULL;
	for (int i = 0; i < TURNS; i++) {
		spin_until(&turn, 2 * i + (int)self);
		turn++;
	}
	getcpu((unsigned *)&seen_cpu[self], NULL);
	return arg;
}

static void same_time(void)
{
	pthread_t other;
	pthread_create(&other, NULL, take_turns, (void *)1);
	take_turns((void *)0);
	pthread_join(other, NULL);
	unpin();
	SHOW(turn);
	SHOW(seen_cpu[0]);
	SHOW(seen_cpu[1]);
}

static sigjmp_buf again;
static char *volatile page;
static volatile int faults, allowed;

static void on_fault(int signo)
{
	(void)signo;
	faults++;
	siglongjmp(again, 1);
}

static volatile int torn;

/* Reads all the time; when the page is gone, waits for the next. */
static void *read_page(void *arg)
{
	pin(1);
	while (!stop) {
		if (sigsetjmp(again, 1))
			spin_until(&allowed, 1);
		if (*page != 'x')
			torn++;
		ready = 1;
	}
	return arg;
}

/* A page with an x in it appears at once where the reader looks. */
static void page_put(void)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	*at = 'x';
	mremap(at, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page);
	allowed = 1;
}

/* Mapped over, the page is soon somebody else's, and after mprotect out of reach: a CPU
 * that could still read it would not fault, or not find the x. */
static void shoot_down(void)
{
	pthread_t reader;
	struct sigaction action = {.sa_handler = on_fault};
	sigaction(SIGSEGV, &action, NULL);
	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pin(0);
	page_put();
	pthread_create(&reader, NULL, read_page, NULL);
	for (int i = 0; i < FLUSHES; i++) {
		ready = 0;
		spin_until(&ready, 1);
		allowed = 0;
		if (i % 2) {
			mprotect((void *)page, 4096, PROT_NONE);
		} else {
			mmap((void *)page, 4096, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			char *other = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			memset(other, 'y', 65536);
			munmap(other, 65536);
		}
		spin_until(&faults, i + 1);
		if (i == FLUSHES - 1)
			stop = 1;
		page_put();
	}
	pthread_join(reader, NULL);
	unpin();
	signal(SIGSEGV, SIG_DFL);
	SHOW(faults);
	SHOW(torn);
}

static void on_signal(int signo)
{
	(void)signo;
	handled++;
}

static void *spin_for_ever(void *arg)
{
	pin(1);
	ready = 3;
	while (!stop)
		;
	return arg;
}

static void signals(void)
{
	pthread_t spinner;
	struct sigaction action = {.sa_handler = on_signal};
	struct timespec used, used_by_all;
	clockid_t clock;
	sigaction(SIGUSR1, &action, NULL);
	stop = ready = 0;
	pin(0);
	pthread_create(&spinner, NULL, spin_for_ever, NULL);
	spin_until(&ready, 3);
	for (int i = 1; i <= 20; i++) {
		pthread_kill(spinner, SIGUSR1);
		spin_until(&handled, i);
	}
	pthread_getcpuclockid(spinner, &clock);
	do
		clock_gettime(clock, &used);
	while (used.tv_sec == 0 && used.tv_nsec < 20000000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used_by_all);
	SHOW(used_by_all.tv_sec > used.tv_sec || used_by_all.tv_nsec > used.tv_nsec);
	SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	stop = 1;
	pthread_join(spinner, NULL);
	unpin();
	SHOW(handled);
}

/* A process whose other thread spins in ring 3 ends, is killed, and changes its program.
 */
static void ends(const char *program)
{
	for (int how = 0; how < 3; how++) {
		int status;
		pid_t child = fork();
		if (child == 0) {
			pthread_t spinner;
			stop = ready = 0;
			pin(0);
			pthread_create(&spinner, NULL, spin_for_ever, NULL);
			spin_until(&ready, 3);
			if (how == 0)
				exit(7);
			if (how == 1)
				raise(SIGKILL);
			execl(program, program, "8", (char *)NULL);
			_exit(99);
		}
		waitpid(child, &status, 0);
		SHOW(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return atoi(argv[1]);
	same_time();
	shoot_down();
	signals();
	ends("/proc/self/exe");
	return 0;
}

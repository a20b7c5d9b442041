/* Restartable sequences: registration, the CPU's number, and what aborts a sequence. */
#define _GNU_SOURCE
#include "show.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIG 0x53053053
#define SEQUENCE_OF(version, name)                                                       \
	".pushsection .data\n"                                                           \
	".balign 32\n" name ": .long " version ", 0\n"                                   \
	".quad 10f, 20f - 10f, 40f\n"                                                    \
	".popsection\n"

static struct rseq own __attribute__((aligned(32)));

static long call(void *area, uint32_t size, int flags, uint32_t signature)
{
	return syscall(SYS_rseq, area, size, flags, signature);
}

static struct rseq *libcs(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* Per CPU counters, each by read, a wait, and a write that commits. */
#define THREADS 4
#define TURNS   20000
static struct {
	uint64_t count;
	uint64_t other[7];
} counter[256];
static uint64_t aborted;

static int count_once(struct rseq *area)
{
	uint32_t cpu = *(volatile uint32_t *)&area->cpu_id_start;
	int done = 0;
	__asm__ volatile(SEQUENCE_OF("0", "30") "lea 30b(%%rip), %%rax\n"
						"mov %%rax, %[sequence]\n"
						"10:\n"
						"cmp %[cpu], %[cpu_now]\n"
						"jne 20f\n"
						"mov %[counter], %%rax\n"
						"mov $300, %%ecx\n"
						"5: dec %%ecx\n"
						"jnz 5b\n"
						"inc %%rax\n"
						"movl $1, %[done]\n"
						"mov %%rax, %[counter]\n"
						"20:\n"
						"jmp 50f\n"
						".long 0x53053053\n"
						"40: movl $0, %[done]\n"
						"lock incq %[aborted]\n"
						"50:\n"
			 : [sequence] "=m"(area->rseq_cs), [done] "+m"(done),
			   [counter] "+m"(counter[cpu].count), [aborted] "+m"(aborted)
			 : [cpu] "r"(cpu), [cpu_now] "m"(area->cpu_id)
			 : "rax", "rcx", "memory", "cc");
	return done;
}

static void *count(void *unused)
{
	for (int i = 0; i < TURNS;)
		i += count_once(libcs());
	return unused;
}

static void counting(void)
{
	pthread_t thread[THREADS];
	uint64_t sum = 0;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, count, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 256; i++)
		sum += counter[i].count;
	SHOW(sum);
	SHOW(aborted > 0);
}

static void registration(void)
{
	struct rseq *libc = libcs();
	SHOW(__rseq_size);
	SHOW(libc->cpu_id < 256);
	SHOW(call(&own, 32, 0, SIG)); /* one is registered */
	SHOW(call(libc, 32, 0, SIG));
	SHOW(call(libc, 32, 0, SIG + 1));
	SHOW(call(libc, 31, RSEQ_FLAG_UNREGISTER, SIG));
	SHOW(call(libc, 32, RSEQ_FLAG_UNREGISTER | 2, SIG));
	SHOW(call(libc, 32, RSEQ_FLAG_UNREGISTER, SIG + 1));
	SHOW(call(&own, 32, RSEQ_FLAG_UNREGISTER, SIG));
	SHOW(call(libc, 32, RSEQ_FLAG_UNREGISTER, SIG));
	SHOW((int)libc->cpu_id);
	SHOW(call(libc, 32, RSEQ_FLAG_UNREGISTER, SIG));
	SHOW(call((char *)&own + 8, 32, 0, SIG));
	SHOW(call(&own, 16, 0, SIG));
	SHOW(call(&own, 32, 2, SIG));
	SHOW(call((void *)0xffff800000000000, 32, 0, SIG));
	SHOW(call(&own, 32, 0, SIG));
	SHOW(own.cpu_id == own.cpu_id_start && own.cpu_id < 256);
}

/* For ever, but for an abort. */
static int spin(void)
{
	int how = 0;
	__asm__ volatile(SEQUENCE_OF("0", "30") "lea 30b(%%rip), %%rax\n"
						"mov %%rax, %[sequence]\n"
						"10: jmp 10b\n"
						"20:\n"
						"jmp 50f\n"
						".long 0x53053053\n"
						"40: movl $2, %[how]\n"
						"50:\n"
			 : [sequence] "=m"(own.rseq_cs), [how] "+m"(how)
			 :
			 : "rax", "memory");
	return how;
}

static void nothing(int signo)
{
	(void)signo;
}

static void alarm_soon(void)
{
	struct itimerval soon = {.it_value.tv_usec = 20000};
	signal(SIGALRM, nothing);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void *busy(void *stop)
{
	while (!*(volatile int *)stop)
		continue;
	return NULL;
}

static void aborts(void)
{
	alarm_soon();
	SHOW(spin()); /* by a signal */
	SHOW(own.rseq_cs == 0);

	pthread_t other;
	int stop = 0;
	cpu_set_t here;
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
	SHOW((int)own.cpu_id == sched_getcpu());
	pthread_create(&other, NULL, busy, &stop); /* on the same CPU */
	SHOW(spin());                              /* by another's turn */
	stop = 1;
	pthread_join(other, NULL);
}

/* Descriptors that are none: SIGSEGV at the next signal, whatever its handler. */
static void bad(const char *what, uint64_t sequence, uint32_t flags)
{
	int status;
	fflush(stdout);
	if (fork() == 0) {
		own.rseq_cs = sequence;
		own.flags = flags;
		alarm_soon();
		for (;;)
			continue;
	}
	wait(&status);
	printf("%s: %d\n", what, WTERMSIG(status));
}

static void bad_descriptors(void)
{
	static const uint32_t code[4] = {0, SIG, 0, 0};
	static struct rseq_cs cs __attribute__((aligned(32)));
	bad("not mapped", 64, 0);
	bad("the kernel's", 0xffff800000000000, 0);
	cs = (struct rseq_cs){.version = 1, .abort_ip = (uintptr_t)&code[2]};
	bad("version", (uintptr_t)&cs, 0);
	cs = (struct rseq_cs){.start_ip = 8, .post_commit_offset = -4ull};
	bad("wraps", (uintptr_t)&cs, 0);
	cs = (struct rseq_cs){.start_ip = (uintptr_t)code,
			      .post_commit_offset = 16,
			      .abort_ip = (uintptr_t)&code[2]};
	bad("aborts into itself", (uintptr_t)&cs, 0);
	cs = (struct rseq_cs){.start_ip = 4096,
			      .post_commit_offset = 16,
			      .abort_ip = (uintptr_t)&code[1]};
	bad("no signature", (uintptr_t)&cs, 0);
}

/* An alarm outside of the sequence that is named: it is forgotten, its flags unread. */
static void left_with_flags(void)
{
	static const uint32_t code[8] = {0, SIG, 0, 0};
	static struct rseq_cs cs __attribute__((aligned(32)));
	cs = (struct rseq_cs){.flags = 128,
			      .start_ip = (uintptr_t)&code[4],
			      .post_commit_offset = 16,
			      .abort_ip = (uintptr_t)&code[2]};
	own.flags = 128;
	own.rseq_cs = (uintptr_t)&cs;
	alarm_soon();
	while (*(volatile uint64_t *)&own.rseq_cs)
		continue;
	SHOW(own.rseq_cs == 0);
	own.flags = 0;
}

/* An alarm inside of one that has some: SIGSEGV. */
static void inside_with_flags(void)
{
	int status;
	fflush(stdout);
	if (fork() == 0) {
		alarm_soon();
		__asm__ volatile(SEQUENCE_OF("0", "30") "movl $128, 30b+4(%%rip)\n"
							"lea 30b(%%rip), %%rax\n"
							"mov %%rax, %[sequence]\n"
							"10: jmp 10b\n"
							"20:\n"
							".long 0x53053053\n"
							"40: ud2\n"
				 : [sequence] "=m"(own.rseq_cs)
				 :
				 : "rax", "memory");
	}
	wait(&status);
	SHOW(WTERMSIG(status));
	if (fork() == 0) {
		own.flags = 128;
		alarm_soon();
		_exit(spin());
	}
	wait(&status);
	SHOW(WTERMSIG(status));
}

int main(void)
{
	counting();
	registration();
	aborts();
	left_with_flags();
	inside_with_flags();
	bad_descriptors();
	int status;
	if (fork() == 0) /* a child has its parent's */
		_exit(call(&own, 32, RSEQ_FLAG_UNREGISTER, SIG) ? 1 : 0);
	wait(&status);
	SHOW(WEXITSTATUS(status));
	return 0;
}

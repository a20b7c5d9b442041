/* Signals: handlers, masks, order, restarts, stacks, waiting for them, and what is kept.
 */
#include "show.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

static volatile int count, order[16], ordered;
static siginfo_t last;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)context;
	last = *info;
	count++;
	if (ordered < 16)
		order[ordered++] = signo;
}

static void handle(int signo, int flags)
{
	struct sigaction action = {.sa_sigaction = on_signal,
				   .sa_flags = SA_SIGINFO | flags};
	sigaction(signo, &action, NULL);
}

static void block(int how, int signo)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(how, &set, NULL);
}

static void delivery(void)
{
	sigset_t set;
	handle(SIGUSR1, 0);
	SHOW(raise(SIGUSR1));
	SHOW(count);
	SHOW(last.si_signo);
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(last.si_code);
	SHOW(last.si_pid == getpid());
	block(SIG_BLOCK, SIGUSR1);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	SHOW(count);
	sigpending(&set);
	SHOW(sigismember(&set, SIGUSR1));
	block(SIG_UNBLOCK, SIGUSR1);
	SHOW(count);
	int rt = SIGRTMIN + 1;
	handle(rt, 0);
	handle(rt + 1, 0);
	handle(SIGUSR2, 0);
	for (int i = 0; i < 2; i++)
		block(SIG_BLOCK, rt + i);
	block(SIG_BLOCK, SIGUSR2);
	ordered = 0;
	sigqueue(getpid(), rt + 1, (union sigval){.sival_int = 1});
	sigqueue(getpid(), rt, (union sigval){.sival_int = 2});
	sigqueue(getpid(), rt, (union sigval){.sival_int = 3});
	kill(getpid(), SIGUSR2);
	sigfillset(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	SHOW(ordered);
	int first_to_run =
		order[ordered - 1]; /* frames pile up: the last made runs first */
	SHOW(first_to_run == SIGUSR2 || order[0] == SIGUSR2);
	for (int i = 0; i < ordered; i++)
		printf("%d ",
		       order[i] >= SIGRTMIN ? order[i] - SIGRTMIN + 1000 : order[i]);
	printf("\n");
	SHOW(sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL));
	SHOW(sigaction(65, NULL, NULL));
	SHOW(kill(getpid(), 65));
	SHOW(kill(getpid(), 0));
	handle(SIGUSR1, SA_RESETHAND);
	raise(SIGUSR1);
	struct sigaction now;
	sigaction(SIGUSR1, NULL, &now);
	SHOW(now.sa_handler == SIG_DFL);
}

static volatile int depth, deepest, raises;

static void nested(int signo)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (raises++ < 2)
		raise(signo);
	depth--;
}

static void nesting(void)
{
	struct sigaction action = {.sa_handler = nested, .sa_flags = SA_NODEFER};
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	SHOW(deepest);
	deepest = raises = 0;
	action.sa_flags = 0;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	SHOW(deepest);
}

static void restarts(void)
{
	int p[2], status;
	char c;
	pipe(p);
	for (int restart = 0; restart < 2; restart++) {
		handle(SIGALRM, restart ? SA_RESTART : 0);
		struct itimerval soon = {{0, 0}, {0, 20000}};
		if (fork() == 0) {
			usleep(60000);
			write(p[1], "x", 1);
			_exit(0);
		}
		setitimer(ITIMER_REAL, &soon, NULL);
		SHOW(read(p[0], &c, 1));
		wait(&status);
		if (!restart)
			read(p[0], &c, 1);
	}
	struct timespec nap = {5, 0}, left = {9, 9};
	struct itimerval soon = {{0, 0}, {0, 10000}};
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(nanosleep(&nap, &left));
	SHOW(left.tv_sec < 5 && left.tv_nsec > 0);
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(pause());
	soon.it_interval.tv_usec = 5000;
	count = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
	while (count < 5)
		pause();
	SHOW(getitimer(ITIMER_REAL, &soon));
	SHOW(soon.it_interval.tv_usec);
	SHOW(alarm(0));
}

static void waiting(void)
{
	sigset_t set, none;
	siginfo_t info;
	struct timespec short_time = {0, 10000000};
	sigemptyset(&set);
	sigemptyset(&none);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SHOW(sigtimedwait(&set, &info, &short_time));
	sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 42});
	SHOW(sigwaitinfo(&set, &info));
	SHOW(info.si_code);
	SHOW(info.si_value.sival_int);
	handle(SIGUSR2, 0);
	count = 0;
	kill(getpid(), SIGUSR2);
	SHOW(sigsuspend(&none));
	SHOW(count);
	sigprocmask(SIG_BLOCK, NULL, &none);
	SHOW(sigismember(&none, SIGUSR2));
	handle(SIGCHLD, 0);
	count = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(9);
	waitpid(pid, NULL, 0);
	SHOW(count);
	SHOW(last.si_code);
	SHOW(last.si_status);
	SHOW(last.si_pid == pid);
	signal(SIGCHLD, SIG_IGN);
	if (fork() == 0)
		_exit(0);
	SHOW(wait(NULL));
	signal(SIGCHLD, SIG_DFL);
}

static char stack[65536] __attribute__((aligned(16)));
static sigjmp_buf out;
static volatile int on_the_stack;

static void on_overflow(int signo, siginfo_t *info, void *context)
{
	char here;
	(void)info;
	ucontext_t *uc = context;
	on_the_stack = &here > stack && &here < stack + sizeof(stack);
	on_the_stack += uc->uc_stack.ss_sp == stack ? 10 : 0;
	siglongjmp(out, signo);
}

static int recurse(int n)
{
	volatile char room[4096];
	room[0] = (char)n;
	return n < 1 << 30 ? recurse(n + 1) + room[0] : 0;
}

static void stacks(void)
{
	stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)}, old;
	SHOW(sigaltstack(&own, NULL));
	SHOW(sigaltstack(NULL, &old));
	SHOW(old.ss_sp == stack && old.ss_size == sizeof(stack));
	own.ss_size = 100;
	SHOW(sigaltstack(&own, NULL));
	struct sigaction action = {.sa_sigaction = on_overflow,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK};
	sigaction(SIGSEGV, &action, NULL);
	int signo = sigsetjmp(out, 1);
	if (signo == 0)
		recurse(0);
	SHOW(signo);
	SHOW(on_the_stack);
	sigaltstack(NULL, &old);
	SHOW(old.ss_flags);
}

/* The handler uses the vector and x87 registers; the interrupted loop must not see it. */
static void on_tick(int signo)
{
	(void)signo;
	volatile double x = 1.5;
	for (int i = 0; i < 50; i++)
		x = x * 1.0001 + (double)i;
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm5, %%xmm5; pcmpeqd "
			 "%%xmm15, %%xmm15" ::
				 : "xmm0", "xmm5", "xmm15");
	count++;
}

static void registers(void)
{
	struct itimerval fast = {{0, 500}, {0, 500}}, off = {{0, 0}, {0, 0}};
	signal(SIGALRM, on_tick);
	count = 0;
	setitimer(ITIMER_REAL, &fast, NULL);
	double expected = 0, sum;
	int wrong = 0;
	for (int i = 0; i < 1000; i++)
		expected += 1.0 / (i + 1);
	while (count < 50) {
		sum = 0;
		for (int i = 0; i < 1000; i++)
			sum += 1.0 / (i + 1);
		wrong += sum != expected;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	SHOW(wrong);
}

static void on_trap(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	(void)signo;
	last = *info;
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* over the ud2 */
	uc->uc_mcontext.gregs[REG_RAX] = 77;
}

static void contexts(void)
{
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	long changed = 0;
	int status;
	sigaction(SIGILL, &action, NULL);
	__asm__ volatile("ud2" : "=a"(changed) : "0"(changed));
	SHOW(changed);
	SHOW(last.si_code);
	if (fork() == 0) {
		volatile int zero = 0;
		_exit(5 / zero);
	}
	wait(&status);
	SHOW(WTERMSIG(status));
	if (fork() == 0) {
		block(SIG_BLOCK, SIGILL);
		__asm__ volatile("ud2"); /* blocked: the process dies */
	}
	wait(&status);
	SHOW(WTERMSIG(status));
}

int main(void)
{
	delivery();
	nesting();
	restarts();
	waiting();
	stacks();
	registers();
	contexts();
	fflush(stdout);
	raise(SIGTERM);
	return 1;
}

/* Clocks and sleeping: order, units, limits, per-process timers. */
#include "show.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static long long now(clockid_t clock)
{
	struct timespec t;
	return clock_gettime(clock, &t) < 0 ? -1 : t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void burn(long long ns)
{
	long long end = now(CLOCK_PROCESS_CPUTIME_ID) + ns;
	while (now(CLOCK_PROCESS_CPUTIME_ID) < end)
		;
}

int main(void)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
		CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,
	};
	struct timespec t, left;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		int backwards = 0;
		long long before = now(clocks[i]);
		for (int k = 0; k < 1000; k++) {
			long long after = now(clocks[i]);
			backwards += after < before;
			before = after;
		}
		printf("clock %d backwards %d positive %d\n", (int)clocks[i], backwards,
		       before > 0);
	}
	SHOW(clock_gettime(77, &t));
	SHOW(clock_getres(CLOCK_MONOTONIC, &t));
	SHOW(t.tv_sec * 1000000000 + t.tv_nsec);
	SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)8));
	SHOW(now(CLOCK_REALTIME) > 1600000000000000000ll);
	SHOW(now(CLOCK_REALTIME) / 1000000000 - time(NULL) <= 1);
	struct timeval tv;
	SHOW(gettimeofday(&tv, NULL));
	SHOW(tv.tv_usec < 1000000);
	long long start = now(CLOCK_MONOTONIC);
	t = (struct timespec){0, 20000000};
	SHOW(nanosleep(&t, &left));
	SHOW(now(CLOCK_MONOTONIC) - start >= 20000000);
	t.tv_nsec = 1000000000;
	SHOW(nanosleep(&t, &left));
	t = (struct timespec){-1, 0};
	SHOW(nanosleep(&t, &left));
	start = now(CLOCK_MONOTONIC) + 15000000;
	t = (struct timespec){start / 1000000000, start % 1000000000};
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	SHOW(now(CLOCK_MONOTONIC) >= start);
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	SHOW(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL) != 0);
	struct rusage usage;
	burn(30000000);
	SHOW(getrusage(RUSAGE_SELF, &usage));
	SHOW(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
		     usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec >=
	     20000);
	struct tms used;
	SHOW(times(&used) > 0);
	SHOW(sysconf(_SC_CLK_TCK));
	SHOW(getrusage(99, &usage));
	struct itimerval cpu = {{0, 0}, {0, 10000}};
	sigset_t set;
	int signo;
	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SHOW(setitimer(ITIMER_PROF, &cpu, NULL));
	/* Linux counts this timer's time by ticks: it may want more than it was set to.
	 */
	sigset_t pending;
	do {
		burn(1000000);
		sigpending(&pending);
	} while (!sigismember(&pending, SIGPROF));
	SHOW(sigwait(&set, &signo));
	SHOW(signo);
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
				 .sigev_signo = SIGPROF,
				 .sigev_value.sival_int = 55};
	SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
	struct itimerspec at = {{0, 0}, {0, 5000000}};
	SHOW(timer_settime(timer, 0, &at, NULL));
	siginfo_t info;
	struct timespec long_time = {5, 0};
	SHOW(sigtimedwait(&set, &info, &long_time));
	SHOW(info.si_code);
	SHOW(info.si_value.sival_int);
	SHOW(timer_getoverrun(timer));
	SHOW(timer_delete(timer));
	return 0;
}

/* all_cpus.c: threads that come and go with their work. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "imgfmt/all_cpus.h"

#define THREADS_MAX 64u

void on_all_cpus(void *(*work)(void *), void *context, size_t most)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread[THREADS_MAX];
	unsigned started = 0;
	sigset_t all, before;
	/* Signals are for the thread that has always been there. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started + 1 < cpus && started < THREADS_MAX && started + 1 < most &&
	       !pthread_create(&thread[started], NULL, work, context))
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	work(context);
	while (started)
		pthread_join(thread[--started], NULL);
}

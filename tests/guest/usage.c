/* What getrusage and wait4 tell of faults, switches and memory. */
#include "show.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define SIZE_KIB 24576l
#define PAGES    (SIZE_KIB / 4)

static struct rusage usage(int who)
{
	struct rusage now;
	getrusage(who, &now);
	return now;
}

static void touch(void)
{
	char *area = mmap(NULL, SIZE_KIB * 1024, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(area, SIZE_KIB * 1024, MADV_NOHUGEPAGE);
	for (long i = 0; i < SIZE_KIB * 1024; i += 4096)
		area[i] = 1;
	munmap(area, SIZE_KIB * 1024);
}

static void *touch_and_tell(void *arg)
{
	long before = usage(RUSAGE_THREAD).ru_minflt;
	touch();
	SHOW(usage(RUSAGE_THREAD).ru_minflt - before >= PAGES);
	SHOW(usage(RUSAGE_THREAD).ru_maxrss == usage(RUSAGE_SELF).ru_maxrss);
	return arg;
}

static void memory(void)
{
	int status;
	struct rusage of_child;
	long before = usage(RUSAGE_SELF).ru_minflt;
	SHOW(usage(RUSAGE_SELF).ru_maxrss < SIZE_KIB);
	SHOW(usage(RUSAGE_CHILDREN).ru_maxrss + usage(RUSAGE_CHILDREN).ru_minflt);
	fflush(stdout);
	if (fork() == 0) {
		touch();
		_exit(0);
	}
	wait4(-1, &status, 0, &of_child);
	SHOW(of_child.ru_maxrss >= SIZE_KIB && of_child.ru_minflt >= PAGES);
	SHOW(usage(RUSAGE_CHILDREN).ru_maxrss == of_child.ru_maxrss);
	SHOW(usage(RUSAGE_CHILDREN).ru_minflt == of_child.ru_minflt);
	SHOW(usage(RUSAGE_SELF).ru_maxrss < SIZE_KIB);
	SHOW(usage(RUSAGE_SELF).ru_minflt - before < PAGES);
	if (fork() == 0) { /* less: the most stays, faults add up */
		struct rusage own = usage(RUSAGE_SELF);
		_exit(own.ru_maxrss >= SIZE_KIB || own.ru_minflt >= PAGES);
	}
	wait4(-1, &status, 0, NULL);
	SHOW(WEXITSTATUS(status));
	SHOW(usage(RUSAGE_CHILDREN).ru_maxrss == of_child.ru_maxrss);
	SHOW(usage(RUSAGE_CHILDREN).ru_minflt > of_child.ru_minflt);
	pthread_t thread;
	pthread_create(&thread, NULL, touch_and_tell, NULL);
	pthread_join(thread, NULL);
	SHOW(usage(RUSAGE_SELF).ru_maxrss >= SIZE_KIB);
	SHOW(usage(RUSAGE_SELF).ru_minflt - before >= PAGES);
	SHOW(usage(RUSAGE_THREAD).ru_minflt < PAGES);
	SHOW(usage(RUSAGE_SELF).ru_majflt < 100);
}

static void *spin(void *stop)
{
	while (!*(volatile int *)stop)
		continue;
	return NULL;
}

static void switches(void)
{
	long before = usage(RUSAGE_SELF).ru_nvcsw;
	for (int i = 0; i < 20; i++)
		usleep(1000);
	SHOW(usage(RUSAGE_SELF).ru_nvcsw - before >= 20);
	SHOW(usage(RUSAGE_THREAD).ru_nvcsw >= 20);
	pthread_t thread;
	int stop = 0;
	cpu_set_t here;
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
	pthread_create(&thread, NULL, spin, &stop);
	before = usage(RUSAGE_THREAD).ru_nivcsw;
	while (usage(RUSAGE_THREAD).ru_nivcsw < before + 5)
		continue;
	SHOW(usage(RUSAGE_SELF).ru_nivcsw > before + 5); /* both took turns */
	stop = 1;
	pthread_join(thread, NULL);
}

int main(void)
{
	/* In a child: the most memory is kept by an exec, from whoever started this. */
	if (fork() == 0) {
		memory();
		switches();
		return 0;
	}
	wait(NULL);
	return 0;
}

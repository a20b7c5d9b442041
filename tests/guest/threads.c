/* Threads and futexes: making, joining, locks of every kind, conditions, robust and
 * shared. */
#include "show.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* linux/futex.h, which musl's headers do not have. */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_WAIT_BITSET = 9 };
enum { THREADS = 8, ROUNDS = 5000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long total, turn;
static __thread long own = 5;

static void *add(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		total++;
		pthread_mutex_unlock(&lock);
		own++;
	}
	return (void *)(own + (intptr_t)arg);
}

static void *take_turns(void *arg)
{
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		while (turn % THREADS != (intptr_t)arg)
			pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static long run(void *(*body)(void *))
{
	pthread_t threads[THREADS];
	long sum = 0;
	for (intptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, body, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		sum += (intptr_t)result;
	}
	return sum;
}

static void *short_life(void *arg)
{
	return arg;
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static long serial, shared_value, torn;

static void *meet(void *arg)
{
	for (int i = 0; i < 100; i++)
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
	return (void *)((intptr_t)arg * 0);
}

static void *read_write(void *arg)
{
	for (int i = 0; i < 500; i++) {
		if ((i + (intptr_t)arg) % 5 == 0) {
			pthread_rwlock_wrlock(&rw);
			shared_value++;
			shared_value++;
		} else {
			pthread_rwlock_rdlock(&rw);
			torn += shared_value & 1;
		}
		pthread_rwlock_unlock(&rw);
	}
	return NULL;
}

static pthread_mutex_t kind;

static void *die_with_lock(void *arg)
{
	pthread_mutex_lock(&kind);
	return arg;
}

static void *use_kind(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&kind);
		total++;
		pthread_mutex_unlock(&kind);
	}
	return arg;
}

static void kinds(void)
{
	pthread_mutexattr_t attr;
	pthread_t thread;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&kind, &attr);
	pthread_create(&thread, NULL, die_with_lock, NULL);
	pthread_join(thread, NULL);
	SHOW(pthread_mutex_lock(&kind) == EOWNERDEAD);
	SHOW(pthread_mutex_consistent(&kind));
	SHOW(pthread_mutex_unlock(&kind));
	SHOW(pthread_mutex_lock(&kind));
	SHOW(pthread_mutex_unlock(&kind));
	pthread_mutexattr_init(&attr);
	SHOW(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	pthread_mutex_init(&kind, &attr);
	total = 0;
	run(use_kind);
	SHOW(total);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&kind, &attr);
	pthread_mutex_lock(&kind);
	SHOW(pthread_mutex_lock(&kind) == EDEADLK);
	pthread_mutex_unlock(&kind);
	SHOW(pthread_mutex_unlock(&kind) == EPERM);
}

static void across_processes(void)
{
	struct {
		pthread_mutex_t lock;
		sem_t done;
		long total;
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->lock, &attr);
	sem_init(&shared->done, 1, 0);
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			for (int k = 0; k < 2000; k++) {
				pthread_mutex_lock(&shared->lock);
				shared->total++;
				pthread_mutex_unlock(&shared->lock);
			}
			sem_post(&shared->done);
			_exit(0);
		}
	for (int i = 0; i < 4; i++)
		sem_wait(&shared->done);
	SHOW(shared->total);
	while (wait(NULL) > 0)
		;
	if (fork() == 0) {
		pthread_mutex_lock(&shared->lock);
		raise(SIGKILL);
	}
	wait(NULL);
	SHOW(pthread_mutex_lock(&shared->lock) == EOWNERDEAD);
}

static long futex(uint32_t *at, int operation, uint32_t value,
		  const struct timespec *timeout)
{
	return syscall(SYS_futex, at, operation, value, timeout, NULL, 1);
}

static void raw(void)
{
	static uint32_t word = 1;
	struct timespec soon = {0, 10000000}, bad = {0, -1};
	SHOW(futex(&word, FUTEX_WAIT, 2, NULL));
	SHOW(futex(&word, FUTEX_WAIT, 1, &soon));
	SHOW(futex(&word, FUTEX_WAIT, 1, &bad));
	SHOW(futex(&word, FUTEX_WAKE, 1, NULL));
	SHOW(futex((uint32_t *)((char *)&word + 1), FUTEX_WAKE, 1, NULL));
	SHOW(futex((uint32_t *)4096, FUTEX_WAIT, 1, NULL));
	SHOW(futex(&word, 99, 1, NULL));
	SHOW(futex(&word, FUTEX_WAIT_BITSET, 1, &soon) == -1 && errno == ETIMEDOUT);
}

static volatile int handled_by;

static void on_signal(int signo)
{
	(void)signo;
	handled_by = (int)syscall(SYS_gettid);
}

static void *sleeper(void *arg)
{
	*(int *)arg = (int)syscall(SYS_gettid);
	while (!handled_by)
		usleep(1000);
	return NULL;
}

static void signals(void)
{
	volatile int tid = 0;
	pthread_t thread;
	sigset_t set;
	signal(SIGUSR1, on_signal);
	pthread_create(&thread, NULL, sleeper, (void *)&tid);
	while (!tid)
		usleep(1000);
	SHOW(pthread_kill(thread, SIGUSR1));
	pthread_join(thread, NULL);
	SHOW(handled_by == tid);
	handled_by = tid = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_create(&thread, NULL, sleeper, (void *)&tid);
	while (!tid)
		usleep(1000);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	SHOW(kill(getpid(), SIGUSR1)); /* only the other may take it */
	pthread_join(thread, NULL);
	SHOW(handled_by == tid);
}

static void *never(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void endings(void)
{
	pthread_t thread;
	int status;
	void *result;
	pthread_create(&thread, NULL, never, NULL);
	SHOW(pthread_cancel(thread));
	pthread_join(thread, &result);
	SHOW(result == PTHREAD_CANCELED);
	if (fork() == 0) {
		pthread_create(&thread, NULL, never, NULL);
		exit(6);
	}
	wait(&status);
	SHOW(WEXITSTATUS(status));
	if (fork() == 0) {
		pthread_create(&thread, NULL, never, NULL);
		execl("/proc/self/exe", "threads", "alone", NULL);
	}
	wait(&status);
	SHOW(WEXITSTATUS(status));
#ifdef __GLIBC__ /* musl 1.2.3 hangs here on Linux as well */
	if (fork() == 0) {
		pthread_create(&thread, NULL, add, NULL);
		pthread_exit(NULL); /* the process goes on until the last thread */
	}
	wait(&status);
	SHOW(WEXITSTATUS(status));
#endif
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 21;
	SHOW(run(add));
	SHOW(total);
	SHOW(own);
	run(take_turns);
	SHOW(turn);
	for (int i = 0; i < 50; i++)
		run(short_life);
	pthread_barrier_init(&barrier, NULL, THREADS);
	run(meet);
	SHOW(serial);
	run(read_write);
	SHOW(shared_value);
	SHOW(torn);
	kinds();
	across_processes();
	raw();
	signals();
	endings();
	return 0;
}

/* What processes share by clone's flags, and unshare again: working directory, umask,
 * descriptors. */
#include "show.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* As fork, with flags. */
static long branch(unsigned long flags)
{
	fflush(stdout);
	return syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static long ended(long pid)
{
	int status = 0;
	return waitpid((pid_t)pid, &status, 0) == pid ? WEXITSTATUS(status) : -1;
}

static void show_place(const char *what)
{
	char cwd[64] = "";
	mode_t mask = umask(0);
	umask(mask);
	printf("%s: %s %03o\n", what, getcwd(cwd, sizeof(cwd)) ? cwd : "?", mask);
}

static void place(unsigned long flags, int unshares)
{
	if (chdir("/tmp") < 0)
		exit(98);
	umask(022);
	long pid = branch(flags);
	if (pid == 0) {
		if (unshares && unshare(CLONE_FS) < 0)
			_exit(1);
		umask(027);
		_exit(chdir("/") < 0);
	}
	SHOW(ended(pid));
	show_place(unshares ? "after a child with CLONE_FS that left it"
		   : flags  ? "after a child with CLONE_FS"
			    : "after a child");
}

static void files(unsigned long flags, int unshares)
{
	int fd = open("/dev/null", O_RDONLY);
	long pid = branch(flags);
	if (pid == 0) {
		if (unshares && unshare(CLONE_FILES) < 0)
			_exit(1);
		_exit(close(fd) < 0);
	}
	SHOW(ended(pid));
	SHOW(fcntl(fd, F_GETFD));
	close(fd);
}

/* What is closed on exec is closed in the child's table, which is its own from then on.
 */
static void files_over_exec(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char number[16];
	snprintf(number, sizeof(number), "%d", fd);
	long pid = branch(CLONE_FILES);
	if (pid == 0) {
		execl("/proc/self/exe", "sharing", number, NULL);
		_exit(99);
	}
	SHOW(ended(pid));
	SHOW(fcntl(fd, F_GETFD));
	close(fd);
}

static void *unshare_beside_others(void *arg)
{
	(void)arg;
	SHOW(unshare(CLONE_THREAD));
	SHOW(unshare(CLONE_VM));
	SHOW(unshare(CLONE_SIGHAND));
	return NULL;
}

static int lock_all(int fd, int command)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, command, &all) < 0 ? -1 : all.l_type;
}

static pid_t waiter; /* the thread, from when it does nothing but wait */

static int waits(void)
{
	char path[64], state = 0;
	pid_t tid = __atomic_load_n(&waiter, __ATOMIC_SEQ_CST);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	FILE *stat = tid ? fopen(path, "r") : NULL;
	if (!stat)
		return 0;
	fscanf(stat, "%*d (%*[^)]) %c", &state);
	fclose(stat);
	return state == 'S';
}

static void *wait_for_lock(void *fd)
{
	__atomic_store_n(&waiter, gettid(), __ATOMIC_SEQ_CST);
	SHOW(lock_all(*(int *)fd, F_SETLKW));
	return NULL;
}

/* A thread waits for a lock while another takes descriptors of its own: the table that it
 * waits for goes with it, and so does the lock. */
static void lock_of_a_left_table(void)
{
	pthread_t thread;
	int start[2], taken[2], status;
	char c;
	int fd = memfd_create("lock", 0);
	pipe(start), pipe(taken);
	if (fork() == 0) {
		SHOW(lock_all(fd, F_SETLK));
		write(taken[1], "x", 1);
		read(start[0], &c, 1);
		_exit(0);
	}
	read(taken[0], &c, 1);
	pthread_create(&thread, NULL, wait_for_lock, &fd);
	while (!waits())
		usleep(1000);
	SHOW(syscall(SYS_close_range, 1000, 1001, 2)); /* CLOSE_RANGE_UNSHARE */
	write(start[1], "x", 1);
	wait(&status);
	pthread_join(thread, NULL);
	fflush(stdout);
	if (fork() == 0) {
		SHOW(lock_all(fd, F_GETLK) == F_UNLCK);
		_exit(0);
	}
	wait(&status);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	if (argc > 1)
		return fcntl(atoi(argv[1]), F_GETFD) < 0 && errno == EBADF ? 7 : 8;
	place(0, 0);
	place(CLONE_FS, 0);
	place(CLONE_FS, 1);
	files(0, 0);
	files(CLONE_FILES, 0);
	files(CLONE_FILES, 1);
	files_over_exec();
	lock_of_a_left_table();
	SHOW(branch(CLONE_SIGHAND));
	SHOW(branch(CLONE_THREAD));
	SHOW(branch(CLONE_THREAD | CLONE_VM));
	SHOW(branch(CLONE_FS | CLONE_NEWNS));
	SHOW(unshare(0));
	SHOW(unshare(1));
	SHOW(unshare(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_SYSVSEM));
	pthread_create(&thread, NULL, unshare_beside_others, NULL);
	pthread_join(thread, NULL);
	return 0;
}

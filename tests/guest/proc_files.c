/* What /proc says of processes and their open files: stat, status, fdinfo; who owns a
 * file's signals. */
#include "show.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void show_lines(const char *path, const char *wanted)
{
	char line[256];
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, wanted, strlen(wanted)) == 0)
			printf("%s", line);
	printf("%s\n", file ? "" : "absent");
	fflush(stdout);
	if (file)
		fclose(file);
}

static int has_line(const char *path, const char *wanted)
{
	char line[256];
	int found = 0;
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		found += strcmp(line, wanted) == 0;
	if (file)
		fclose(file);
	return found;
}

/* Field n of stat, counted from the state, which is 3. */
static long field(pid_t pid, int n, char *letter)
{
	char path[64], text[1024] = {0};
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY);
	read(fd, text, sizeof(text) - 1);
	close(fd);
	char *at = strrchr(text, ')') + 2;
	*letter = *at;
	for (int i = 3; i < n; i++)
		at = strchr(at, ' ') + 1;
	return atol(at);
}

static void descriptors(void)
{
	char path[64];
	int fd = open("file", O_CREAT | O_RDWR | O_APPEND, 0600), copy;
	write(fd, "hello world", 11);
	SHOW(lseek(fd, 7, SEEK_SET));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	show_lines(path, "pos:");
	show_lines(path, "flags:");
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", copy);
	show_lines(path, "pos:");
	show_lines(path, "flags:");
	close(copy);
	SHOW(access(path, F_OK));
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	int child = (int)syscall(SYS_pidfd_open, pid, 0);
	char wanted[32];
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", child);
	snprintf(wanted, sizeof(wanted), "Pid:\t%d\n", pid);
	SHOW(has_line(path, wanted));
	kill(pid, SIGKILL);
	wait(NULL);
	close(child);
	int numbers = 0;
	struct dirent *entry;
	DIR *folder = opendir("/proc/self/fdinfo");
	while ((entry = readdir(folder)))
		numbers += entry->d_name[0] != '.';
	SHOW(numbers); /* 0, 1, 2, the file and the folder */
	closedir(folder);
	close(fd);
}

static void *name_itself(void *arg)
{
	char wanted[32];
	(void)arg;
	prctl(PR_SET_NAME, "worker");
	show_lines("/proc/thread-self/comm", "");
	show_lines("/proc/self/comm", "");
	show_lines("/proc/thread-self/status", "Name:");
	show_lines("/proc/thread-self/status", "State:");
	show_lines("/proc/thread-self/status", "Threads:");
	snprintf(wanted, sizeof(wanted), "Pid:\t%ld\n", syscall(SYS_gettid));
	SHOW(has_line("/proc/thread-self/status", wanted));
	snprintf(wanted, sizeof(wanted), "Tgid:\t%d\n", getpid());
	SHOW(has_line("/proc/thread-self/status", wanted));
	return NULL;
}

/* What is told of one thread, not of its process. */
static void threads(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, name_itself, NULL);
	pthread_join(thread, NULL);
}

static void states(void)
{
	char letter, path[64];
	int status, p[2];
	pipe(p);
	setpriority(PRIO_PROCESS, 0, 4);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		write(p[1], "x", 1);
		for (;;)
			pause();
	}
	read(p[0], path, 1);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	SHOW(field(pid, 4, &letter) == getpid());
	printf("state %c\n", letter);
	SHOW(field(pid, 5, &letter) == pid);
	SHOW(field(pid, 6, &letter) == pid);
	SHOW(field(pid, 7, &letter));
	SHOW(field(pid, 8, &letter));
	SHOW(field(pid, 18, &letter));
	SHOW(field(pid, 19, &letter));
	SHOW(field(pid, 20, &letter));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	show_lines(path, "State:");
	kill(pid, SIGKILL);
	siginfo_t info;
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	field(pid, 4, &letter);
	printf("state %c\n", letter);
	wait(NULL);
	SHOW(access(path, F_OK));
}

static void owners(void)
{
	int p[2];
	pipe(p);
	SHOW(fcntl(p[0], F_GETOWN));
	SHOW(fcntl(p[0], F_SETOWN, getpid()));
	SHOW(fcntl(p[0], F_GETOWN) == getpid());
	SHOW(fcntl(p[0], F_SETOWN, 4000000));
	SHOW(fcntl(p[0], F_SETOWN, -4000000));
	SHOW(fcntl(p[0], F_GETSIG));
	SHOW(fcntl(p[0], F_SETSIG, SIGUSR1));
	SHOW(fcntl(p[0], F_GETSIG));
	SHOW(fcntl(p[0], F_SETSIG, 99));
}

int main(void)
{
	enter_scratch();
	descriptors();
	threads();
	states();
	owners();
	return 0;
}

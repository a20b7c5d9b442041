/* What /proc says of processes and their open files: stat, status, fdinfo; who owns a
 * file's signals. */
#include "show.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* A number of status, by its name. */
static long status(const char *folder, const char *name)
{
	char path[64], line[256];
	long value = -1;
	snprintf(path, sizeof(path), "/proc/%s/status", folder);
	FILE *file = fopen(path, "r");
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = atol(line + strlen(name) + 1);
	fclose(file);
	return value;
}

static long of_machine(const char *path, const char *name)
{
	char line[1024];
	long value = -1;
	FILE *file = fopen(path, "r");
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			value = atol(line + strlen(name));
	fclose(file);
	return value;
}

static long own(const char *name)
{
	return status("self", name);
}

static long statm(int n)
{
	long value[7] = {0};
	FILE *file = fopen("/proc/self/statm", "r");
	for (int i = 0; i < 7; i++)
		fscanf(file, "%ld", &value[i]);
	fclose(file);
	return value[n] * 4;
}

/* Counts in KiB; Linux may be a few pages late with some. */
#define SIZE_KIB 16384
#define NEARLY   (SIZE_KIB - 1024)
static void memory(void)
{
	char letter;
	long rss = own("VmRSS"), data = own("VmData"), size = own("VmSize");
	long shared = own("RssShmem"), anonymous = own("RssAnon");
	SHOW(rss > 0 && rss < SIZE_KIB && own("VmHWM") >= rss);
	SHOW(own("RssFile") > 0 && own("VmStk") > 0 && own("VmPeak") >= size);
	char *area = mmap(NULL, SIZE_KIB * 1024, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SHOW(own("VmData") - data);
	SHOW(own("VmSize") - size);
	long sum = 0;
	for (long i = 0; i < SIZE_KIB * 1024; i += 4096)
		sum += area[i];
	SHOW(sum);
	SHOW(own("VmRSS") - rss < 1024); /* all zeros, and nobody's */
	memset(area, 1, SIZE_KIB * 1024);
	SHOW(own("VmRSS") - rss > NEARLY);
	SHOW(own("RssAnon") - anonymous > NEARLY);
	SHOW(statm(0) - size);
	SHOW(statm(1) - rss > NEARLY);
	SHOW(field(getpid(), 24, &letter) * 4 - rss > NEARLY);
	SHOW(madvise(area, SIZE_KIB * 512, MADV_DONTNEED));
	SHOW(own("VmRSS") - rss < NEARLY);
	munmap(area, SIZE_KIB * 1024);
	SHOW(own("VmRSS") - rss < 1024);
	SHOW(own("VmHWM") - rss > NEARLY);
	SHOW(own("VmPeak") - size >= SIZE_KIB && own("VmSize") == size);
	area = mmap(NULL, SIZE_KIB * 1024, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(area, 1, SIZE_KIB * 1024);
	SHOW(own("RssShmem") - shared > NEARLY);
	SHOW(statm(2) - shared > NEARLY);
	SHOW(own("VmData") - data);
	munmap(area, SIZE_KIB * 1024);
	int file = memfd_create("memory", 0);
	long files = of_machine("/proc/meminfo", "Shmem:");
	for (int i = 0; i < SIZE_KIB / 1024; i++) {
		static const char bytes[1 << 20] = {1};
		write(file, bytes, sizeof(bytes));
	}
	SHOW(of_machine("/proc/meminfo", "Shmem:") - files > SIZE_KIB / 2);
	close(file);
	long before = own("FDSize");
	dup2(0, 900);
	SHOW(before < 900 && own("FDSize") > 900);
	close(900);
}

static long inode(const char *path)
{
	struct stat values = {0};
	SHOW(stat(path, &values));
	return (long)values.st_ino;
}

static void inodes(void)
{
	SHOW(inode("/proc/self/status") == inode("/proc/self/status"));
	SHOW(inode("/proc/self/status") == inode("/proc/self/stat"));
	SHOW(inode("/proc/self/status") == inode("/proc/thread-self/status"));
	SHOW(inode("/proc/self") == inode("/proc/self/task"));
	SHOW(inode("/proc/stat") == inode("/proc/self/stat"));
	SHOW(inode("/proc/self/fdinfo/0") == inode("/proc/self/fdinfo/1"));
	SHOW(inode("/proc/sys/kernel") == inode("/proc/sys"));
}

static void *spin(void *stop)
{
	while (!*(volatile int *)stop)
		continue;
	return NULL;
}

static void *wait_often(void *arg)
{
	(void)arg;
	long all = of_machine("/proc/stat", "ctxt ");
	long before = status("thread-self", "voluntary_ctxt_switches");
	for (int i = 0; i < 20; i++)
		usleep(1000);
	SHOW(status("thread-self", "voluntary_ctxt_switches") - before >= 20);
	SHOW(of_machine("/proc/stat", "ctxt ") - all >= 20);
	return NULL;
}

static void switches(void)
{
	pthread_t thread;
	int stop = 0;
	char wanted[64];
	pthread_create(&thread, NULL, wait_often, NULL);
	pthread_join(thread, NULL);
	cpu_set_t here;
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	snprintf(wanted, sizeof(wanted), "Cpus_allowed_list:\t%d\n", sched_getcpu());
	sched_setaffinity(0, sizeof(here), &here);
	SHOW(has_line("/proc/self/status", wanted));
	pthread_create(&thread, NULL, spin, &stop); /* takes turns with this one */
	long before = own("nonvoluntary_ctxt_switches");
	while (own("nonvoluntary_ctxt_switches") < before + 5)
		continue;
	stop = 1;
	pthread_join(thread, NULL);
}

int main(void)
{
	enter_scratch();
	descriptors();
	threads();
	states();
	owners();
	memory();
	inodes();
	switches();
	return 0;
}

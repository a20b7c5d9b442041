/* What /proc says of memory area by area, and /sys of CPUs. */
#include "show.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* A number of a file of "name: number" lines; after the line that begins with from. */
static long value(const char *path, const char *from, const char *name)
{
	char line[512];
	int inside = !from;
	FILE *file = fopen(path, "r");
	long found = -1;
	while (file && found < 0 && fgets(line, sizeof(line), file)) {
		inside = inside || strncmp(line, from, strlen(from)) == 0;
		if (inside && strncmp(line, name, strlen(name)) == 0)
			found = atol(line + strlen(name));
	}
	if (file)
		fclose(file);
	return found;
}

static long sum(const char *path, const char *name)
{
	char line[512];
	long all = 0;
	FILE *file = fopen(path, "r");
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			all += atol(line + strlen(name));
	fclose(file);
	return all;
}

#define SIZE (4l << 20)
static char start[32];

/* Of the area that starts there. */
static void show_area(const char *what)
{
	static const char *const names[] = {
		"Size:",          "Rss:",          "Pss:",
		"Shared_Clean:",  "Shared_Dirty:", "Private_Clean:",
		"Private_Dirty:", "Anonymous:",    "Swap:"};
	printf("%s:", what);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		printf(" %s%ld", names[i], value("/proc/self/smaps", start, names[i]));
	printf("\n");
	fflush(stdout);
}

/* Alone between areas of no rights, so that nothing is joined to it. */
static char *area(int flags)
{
	char *at = mmap(NULL, 3 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at = mmap(at + SIZE, SIZE, PROT_READ | PROT_WRITE,
		  flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	madvise(at, SIZE, MADV_NOHUGEPAGE);
	snprintf(start, sizeof(start), "%08lx-", (unsigned long)at);
	return at;
}

static pid_t fork_toucher(char *at, int step)
{
	int p[2];
	char c;
	pipe(p);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		for (long i = 0; step && i < SIZE; i += step)
			at[i]++;
		write(p[1], "x", 1);
		for (;;)
			pause();
	}
	read(p[0], &c, 1);
	close(p[0]);
	close(p[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void areas(void)
{
	char *at = area(MAP_PRIVATE);
	show_area("untouched");
	memset(at, 1, SIZE / 2);
	show_area("half");
	memset(at, 1, SIZE);
	show_area("whole");
	pid_t pid = fork_toucher(at, 0);
	show_area("forked");
	memset(at, 2, SIZE / 4);
	show_area("a quarter written");
	end(pid);
	show_area("alone");
	pid = fork_toucher(at, 4096);
	show_area("written by the child");
	end(pid);
	madvise(at, SIZE / 2, MADV_DONTNEED);
	show_area("half given back");
	at = area(MAP_SHARED);
	memset(at, 1, SIZE);
	show_area("shared");
	pid = fork_toucher(at, 8192);
	show_area("half of it by two");
	end(pid);
}

static void rollup(void)
{
	static const char *const names[] = {
		"Rss:", "Pss:", "Private_Dirty:", "Anonymous:"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		long all = value("/proc/self/smaps_rollup", NULL, names[i]);
		long each = sum("/proc/self/smaps", names[i]);
		printf("%s %d\n", names[i], all > 2048 && labs(all - each) < 200);
	}
	SHOW(value("/proc/self/smaps_rollup", NULL, "Pss_Shmem:") >= 4096);
	long resident = value("/proc/self/status", NULL, "VmRSS:");
	SHOW(labs(value("/proc/self/smaps_rollup", NULL, "Rss:") - resident) < 1024);
}

#define CPU "/sys/devices/system/cpu/"

static long number(const char *path)
{
	return value(path, NULL, "");
}

/* Of this process' CPU: the folder, its lists, and cpuinfo agree. */
static void cpus(void)
{
	int folders = 0;
	struct dirent *entry;
	DIR *folder = opendir(CPU);
	while ((entry = readdir(folder)))
		folders += strncmp(entry->d_name, "cpu", 3) == 0 &&
			   entry->d_name[3] >= '0' && entry->d_name[3] <= '9' &&
			   entry->d_type == DT_DIR;
	closedir(folder);
	SHOW(folders == sysconf(_SC_NPROCESSORS_CONF));
	SHOW(access(CPU "cpu0/topology/core_id", R_OK));
	SHOW(access(CPU "cpu0/topology/core_idx", R_OK));
	SHOW(access(CPU "cpu00", R_OK));
	SHOW(access(CPU "cpu4096", R_OK));
	SHOW(access(CPU "cpu", R_OK));
	SHOW(number(CPU "possible"));
	SHOW(number(CPU "present"));
	SHOW(number(CPU "cpu0/topology/thread_siblings_list"));
	SHOW(number(CPU "cpu0/topology/core_siblings_list"));
	SHOW(number(CPU "cpu0/topology/package_cpus_list"));
	SHOW(number(CPU "cpu0/topology/core_id") ==
	     value("/proc/cpuinfo", NULL, "core id\t\t: "));
	SHOW(number(CPU "cpu0/topology/physical_package_id") ==
	     value("/proc/cpuinfo", NULL, "physical id\t: "));
	char path[80], mask[64] = "";
	int last = folders - 1;
	snprintf(path, sizeof(path), CPU "cpu%d/topology/core_cpus", last);
	FILE *file = fopen(path, "r");
	fgets(mask, sizeof(mask), file);
	fclose(file);
	SHOW(strtoul(mask, NULL, 16) >> last & 1);
}

int main(void)
{
	areas();
	rollup();
	cpus();
	return 0;
}

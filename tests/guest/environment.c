/* What a program learns of where it runs: system, identity, random numbers, /proc and
 * /dev. */
#include "show.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static int line_count(const char *path, const char *wanted)
{
	char line[1024];
	int seen = 0;
	FILE *file = fopen(path, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		seen += strncmp(line, wanted, strlen(wanted)) == 0;
	fclose(file);
	return seen;
}

static void system_facts(void)
{
	struct utsname name;
	struct sysinfo info;
	SHOW(uname(&name));
	printf("%s %s\n", name.sysname, name.machine);
	SHOW(atoi(name.release) >= 5);
	SHOW(sysinfo(&info));
	SHOW(info.totalram * info.mem_unit > 1 << 20);
	SHOW(info.procs > 0);
	SHOW(getpagesize());
	SHOW(getauxval(AT_PAGESZ));
	SHOW(getauxval(AT_SECURE));
	SHOW(getauxval(AT_RANDOM) != 0);
	SHOW(getauxval(AT_SYSINFO_EHDR) != 0);
	SHOW(strlen((const char *)getauxval(AT_PLATFORM)));
	SHOW(get_nprocs() > 0);
	SHOW(getuid() + getgid() + geteuid() + getegid());
	SHOW(syscall(9999));
	SHOW(syscall(SYS_io_uring_setup, 1, NULL) < 0);
}

static void random_bytes(void)
{
	unsigned char a[64] = {0}, b[64] = {0};
	SHOW(getrandom(a, sizeof(a), 0));
	SHOW(getrandom(b, sizeof(b), GRND_NONBLOCK));
	SHOW(memcmp(a, b, sizeof(a)) != 0);
	SHOW(getrandom(a, 8, 0x100));
	SHOW(getrandom((void *)8, 8, 0));
	int fd = open("/dev/urandom", O_RDONLY);
	SHOW(read(fd, b, sizeof(b)));
	SHOW(memcmp(a, b, sizeof(a)) != 0);
	close(fd);
}

static void devices(void)
{
	char buffer[16] = "full";
	int fd = open("/dev/null", O_RDWR);
	SHOW(write(fd, "x", 1));
	SHOW(read(fd, buffer, 1));
	SHOW(isatty(fd));
	close(fd);
	fd = open("/dev/zero", O_RDONLY);
	SHOW(read(fd, buffer, 16));
	SHOW(buffer[0]);
	close(fd);
	fd = open("/dev/full", O_RDWR);
	SHOW(write(fd, "x", 1));
	close(fd);
	SHOW(access("/dev/fd/1", F_OK));
	SHOW(access("/dev/stdin", F_OK));
	SHOW(open("/dev/tty", O_RDWR) < 0);
}

static void proc_files(void)
{
	char path[4096], link[64];
	struct dirent *e;
	int fds = 0;
	SHOW(readlink("/proc/self/exe", path, sizeof(path)) > 0);
	snprintf(link, sizeof(link), "/proc/%d/exe", getpid());
	SHOW(access(link, X_OK));
	SHOW(readlink("/proc/self", path, sizeof(path)) > 0 && atoi(path) == getpid());
	SHOW(line_count("/proc/self/status", "Name:\tenvironment"));
	SHOW(line_count("/proc/self/status", "Threads:\t1"));
	SHOW(line_count("/proc/self/maps", "") > 3);
	SHOW(line_count("/proc/self/stat", "") == 1);
	SHOW(line_count("/proc/meminfo", "MemTotal:"));
	SHOW(line_count("/proc/cpuinfo", "processor") > 0);
	SHOW(line_count("/proc/uptime", "") == 1);
	SHOW(line_count("/proc/stat", "cpu ") == 1);
	SHOW(line_count("/proc/loadavg", "") == 1);
	SHOW(line_count("/proc/filesystems", "nodev\tproc"));
	SHOW(line_count("/proc/self/limits", "Max open files"));
	SHOW(line_count("/proc/sys/kernel/ostype", "Linux"));
	SHOW(line_count("/proc/version", "Linux version"));
	SHOW(line_count("/proc/self/mounts", "") > 0);
	int fd = open("/proc/self/cmdline", O_RDONLY);
	long n = read(fd, path, sizeof(path));
	SHOW(n > 1 && path[n - 1] == '\0' && strlen(path) == (size_t)n - 1);
	close(fd);
	fd = open("/proc/self/environ", O_RDONLY);
	SHOW(read(fd, path, sizeof(path)));
	close(fd);
	fd = open("/proc/self/comm", O_RDONLY);
	show_bytes("comm", path, read(fd, path, sizeof(path)));
	close(fd);
	DIR *dir = opendir("/proc/self/fd");
	while ((e = readdir(dir)))
		fds += e->d_name[0] != '.';
	closedir(dir);
	SHOW(fds);
	SHOW(open("/proc/self/none", O_RDONLY));
	SHOW(open("/proc/new", O_CREAT | O_WRONLY, 0600) < 0);
	enter_scratch();
	fd = open("reopened", O_CREAT | O_RDWR, 0600);
	write(fd, "bytes", 5);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int again = open(link, O_RDONLY);
	show_bytes("reopened", path, read(again, path, sizeof(path)));
	SHOW(unlink("reopened"));
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	SHOW(strstr(path, "/reopened (deleted)") != NULL);
}

int main(void)
{
	system_facts();
	random_bytes();
	devices();
	proc_files();
	return 0;
}

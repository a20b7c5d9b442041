/* Names: links, renames, directories, the *at calls, times, attributes, what stat says.
 */
#include "show.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <utime.h>

static void touch(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

static int links(const char *path)
{
	struct stat st;
	return lstat(path, &st) < 0 ? -1 : (int)st.st_nlink;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *path)
{
	char *names[64];
	int count = 0;
	DIR *dir = opendir(path);
	if (!dir) {
		perror(path);
		return;
	}
	for (struct dirent *e; count < 64 && (e = readdir(dir));) {
		char line[300];
		snprintf(line, sizeof(line), "%s(%d)", e->d_name, e->d_type);
		names[count++] = strdup(line);
	}
	closedir(dir);
	qsort(names, (size_t)count, sizeof(names[0]), compare);
	printf("%s:", path);
	for (int i = 0; i < count; i++)
		printf(" %s", names[i]);
	printf("\n");
}

static void directories(void)
{
	char path[4096], *start = getcwd(path, sizeof(path));
	umask(022);
	SHOW(mkdir("d", 0777));
	SHOW(mkdir("d", 0777));
	SHOW(mkdir("x/y", 0777));
	SHOW(mkdir("d/e/", 0700));
	SHOW(links("d"));
	touch("d/f", "f");
	SHOW(rmdir("d"));
	SHOW(rmdir("d/f"));
	SHOW(unlink("d/e"));
	SHOW(rmdir("d/."));
	SHOW(rmdir("d/.."));
	SHOW(mkfifo("d/fifo", 0600));
	SHOW(symlink("f", "d/link"));
	SHOW(mknod("d/node", S_IFREG | 0600, 0));
	list("d");
	SHOW(chdir("d/e"));
	SHOW(chdir("../f"));
	SHOW(chdir(".."));
	SHOW(strcmp(getcwd(path, sizeof(path)) + strlen(path) - 2, "/d"));
	SHOW(syscall(SYS_getcwd, path, 2));
	SHOW(chdir("e"));
	SHOW(rmdir("../e"));
	SHOW(open("new", O_CREAT | O_RDWR, 0600));
	SHOW(getcwd(path, sizeof(path)) == NULL);
	SHOW(chdir("/"));
	SHOW(access("tmp", F_OK));
	(void)start;
}

/* Removed from below: the lowest, which is open, keeps those above it until it is closed.
 */
static void deep(void)
{
	int made = 0, gone = 0;
	struct stat st;
	while (made < 1000 && mkdir("d", 0700) == 0 && chdir("d") == 0)
		made++;
	int fd = open(".", O_RDONLY);
	while (gone < 1000 && chdir("..") == 0 && rmdir("d") == 0)
		gone++;
	SHOW(made);
	SHOW(gone);
	fstat(fd, &st);
	SHOW(st.st_nlink);
	int up = openat(fd, "..", O_RDONLY);
	SHOW(close(fd));
	fstat(up, &st);
	SHOW(st.st_nlink);
	SHOW(close(up));
	SHOW(mkdir("d", 0700));
	SHOW(links("d"));
}

static void renames(void)
{
	touch("a", "a");
	touch("b", "b");
	SHOW(link("a", "a2"));
	SHOW(link("a", "a2"));
	SHOW(links("a"));
	SHOW(rename("a", "a2"));
	SHOW(links("a"));
	SHOW(rename("a", "b"));
	SHOW(links("b"));
	SHOW(rename("none", "b"));
	mkdir("m", 0755);
	mkdir("m/n", 0755);
	SHOW(rename("m", "m/n/o"));
	SHOW(rename("b", "m"));
	SHOW(rename("m", "b"));
	mkdir("p", 0755);
	SHOW(rename("p", "m"));
	SHOW(rename("m", "p"));
	SHOW(links("p"));
	list("p");
	touch("q", "q");
	SHOW(renameat2(AT_FDCWD, "q", AT_FDCWD, "b", RENAME_NOREPLACE));
	SHOW(renameat2(AT_FDCWD, "q", AT_FDCWD, "p", RENAME_EXCHANGE));
	SHOW(renameat2(AT_FDCWD, "q", AT_FDCWD, "p", 64));
	list("q");
	SHOW(unlink("p"));
	SHOW(link("q", "hard"));
	int fd = open("b", O_RDWR);
	SHOW(unlink("b"));
	SHOW(write(fd, "still", 5));
	struct stat st;
	fstat(fd, &st);
	SHOW(st.st_nlink);
	close(fd);
}

static void relative(void)
{
	struct stat st;
	char text[64];
	int d;
	mkdir("at", 0755);
	SHOW((d = open("at", O_RDONLY | O_DIRECTORY)) > 0);
	SHOW(mkdirat(d, "sub", 0750));
	SHOW(symlinkat("target", d, "link"));
	SHOW(readlinkat(d, "link", text, sizeof(text)));
	SHOW(readlinkat(d, "link", text, 3));
	SHOW(readlink("at", text, 3));
	SHOW(fstatat(d, "link", &st, AT_SYMLINK_NOFOLLOW));
	SHOW(st.st_size);
	SHOW(fstatat(d, "link", &st, 0));
	SHOW(fstatat(d, "", &st, AT_EMPTY_PATH));
	SHOW(fstatat(d, "", &st, 0));
	SHOW(S_ISDIR(st.st_mode));
	SHOW(fstatat(999, "x", &st, 0));
	SHOW(close(openat(d, "file", O_CREAT | O_WRONLY, 0640)));
	SHOW(linkat(d, "file", d, "other", 0));
	SHOW(faccessat(d, "other", R_OK | W_OK, 0));
	SHOW(fchmodat(d, "other", 04755, 0));
	SHOW(fstatat(d, "file", &st, 0));
	SHOW((int)st.st_mode);
	SHOW(renameat(d, "other", AT_FDCWD, "outside"));
	SHOW(unlinkat(d, "sub", 0));
	SHOW(unlinkat(d, "sub", AT_REMOVEDIR));
	SHOW(openat(open("outside", O_RDONLY), "x", O_RDONLY));
	SHOW(fchdir(d));
	SHOW(access("file", R_OK));
	SHOW(chdir(".."));
	SHOW(access("file", R_OK));
	struct statx x;
	SHOW(statx(d, "file", 0, STATX_BASIC_STATS, &x));
	SHOW((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	SHOW(x.stx_nlink);
	SHOW(x.stx_mode);
	close(d);
}

static void metadata(void)
{
	struct stat st;
	char value[64];
	touch("meta", "12345");
	struct timespec times[2] = {{1000000000, 123456789}, {1234567890, 987654321}};
	SHOW(utimensat(AT_FDCWD, "meta", times, 0));
	stat("meta", &st);
	SHOW(st.st_atim.tv_sec);
	SHOW(st.st_mtim.tv_nsec);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	SHOW(utimensat(AT_FDCWD, "meta", times, 0));
	stat("meta", &st);
	SHOW(st.st_atim.tv_sec);
	SHOW(st.st_mtim.tv_sec > 1600000000);
	times[0].tv_nsec = 1000000000;
	SHOW(utimensat(AT_FDCWD, "meta", times, 0));
	struct utimbuf old = {100, 200};
	SHOW(utime("meta", &old));
	stat("meta", &st);
	SHOW(st.st_mtime);
	SHOW(st.st_size);
	SHOW(st.st_blksize);
	SHOW(chmod("meta", 0));
	stat("meta", &st);
	SHOW((int)st.st_mode);
	SHOW(chmod("none", 0));
	SHOW(chown("meta", 0, 0));
	SHOW(stat("/dev/null", &st));
	SHOW(S_ISCHR(st.st_mode));
	SHOW(major(st.st_rdev) * 1000 + minor(st.st_rdev));
	SHOW(setxattr("meta", "user.k", "value", 5, XATTR_CREATE));
	SHOW(setxattr("meta", "user.k", "value", 5, XATTR_CREATE));
	SHOW(setxattr("meta", "user.j", "value", 5, XATTR_REPLACE));
	SHOW(getxattr("meta", "user.k", value, sizeof(value)));
	SHOW(getxattr("meta", "user.k", value, 2));
	SHOW(getxattr("meta", "user.k", NULL, 0));
	SHOW(getxattr("meta", "user.none", value, sizeof(value)));
	SHOW(listxattr("meta", value, sizeof(value)));
	SHOW(removexattr("meta", "user.k"));
	SHOW(removexattr("meta", "user.k"));
	SHOW(setxattr("meta", "nonsense", "v", 1, 0));
	struct statfs fs;
	SHOW(statfs("meta", &fs));
	SHOW(fs.f_namelen);
}

/* Every name is seen once though others come and go meanwhile. */
static void changing_directory(void)
{
	char name[32], seen[200] = {0};
	int extra = 0;
	mkdir("many", 0755);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		touch(name, "");
	}
	DIR *dir = opendir("many");
	for (struct dirent *e; (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		int n = atoi(e->d_name);
		seen[n]++;
		extra += seen[n] > 1;
		snprintf(name, sizeof(name), "many/%d", n);
		unlink(name);
	}
	closedir(dir);
	int missing = 0;
	for (int i = 0; i < 200; i++)
		missing += !seen[i];
	SHOW(missing);
	SHOW(extra);
	SHOW(rmdir("many"));
}

/* Of what every Linux has at the top. */
static void top(void)
{
	int dev = 0, proc = 0, sys = 0, tmp = 0;
	DIR *dir = opendir("/");
	for (struct dirent *e; dir && (e = readdir(dir));) {
		dev += strcmp(e->d_name, "dev") == 0;
		proc += strcmp(e->d_name, "proc") == 0;
		sys += strcmp(e->d_name, "sys") == 0;
		tmp += strcmp(e->d_name, "tmp") == 0;
	}
	printf("dev %d, proc %d, sys %d, tmp %d\n", dev, proc, sys, tmp);
	closedir(dir);
}

int main(void)
{
	char path[64];
	top();
	enter_scratch();
	getcwd(path, sizeof(path));
	directories();
	chdir(path);
	renames();
	relative();
	metadata();
	changing_directory();
	chdir(path);
	mkdir("deep", 0700);
	chdir("deep");
	deep();
	return 0;
}

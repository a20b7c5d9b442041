/* openat2: what RESOLVE_* lets a path lead to. And vmsplice. */
#include "show.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static int folder;

static int resolve(int at, const char *path, unsigned long long flags,
		   unsigned long long how)
{
	struct open_how open = {.flags = flags, .resolve = how};
	int fd = (int)syscall(SYS_openat2, at, path, &open, sizeof(open));
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : -1;
}

static void make(void)
{
	mkdir("inside", 0700);
	mkdir("inside/deep", 0700);
	close(creat("inside/file", 0600));
	close(creat("outside", 0600));
	symlink("file", "inside/link");
	symlink("../outside", "inside/out");
	symlink("/file", "inside/absolute");
	symlink("deep/../file", "inside/around");
	symlink("/proc/self/exe", "inside/program");
	symlink("link", "inside/twice");
	folder = open("inside", O_RDONLY | O_DIRECTORY);
}

static void beneath(void)
{
	SHOW(resolve(folder, "file", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "link", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "deep/../file", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "around", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "out", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "..", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "../inside/file", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "deep/../../outside", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "/etc", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "absolute", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "absent", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "new", O_CREAT | O_WRONLY, RESOLVE_BENEATH));
	SHOW(resolve(folder, "../new", O_CREAT | O_WRONLY, RESOLVE_BENEATH));
	SHOW(resolve(AT_FDCWD, "inside/out", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(AT_FDCWD, "../", O_RDONLY, RESOLVE_BENEATH));
}

static void in_root(void)
{
	SHOW(resolve(folder, "/file", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(resolve(folder, "../../file", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(resolve(folder, "absolute", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(resolve(folder, "out", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(resolve(folder, "/deep/../../link", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(resolve(folder, "/etc/passwd", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(resolve(folder, "/newer", O_CREAT | O_WRONLY, RESOLVE_IN_ROOT));
	SHOW(access("inside/newer", F_OK));
}

static void others(void)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY);
	SHOW(resolve(folder, "link", O_RDONLY, RESOLVE_NO_SYMLINKS));
	SHOW(resolve(folder, "twice", O_RDONLY, RESOLVE_NO_SYMLINKS));
	SHOW(resolve(folder, "file", O_RDONLY, RESOLVE_NO_SYMLINKS));
	SHOW(resolve(folder, "twice", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	SHOW(resolve(folder, "program", O_RDONLY, 0));
	SHOW(resolve(folder, "program", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	SHOW(resolve(proc, "self/status", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	SHOW(resolve(proc, "self/fd/0", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	SHOW(resolve(proc, "self/root", O_RDONLY, RESOLVE_BENEATH));
	SHOW(resolve(proc, "self/cwd/..", O_RDONLY, RESOLVE_NO_XDEV));
	SHOW(resolve(proc, "self/status", O_RDONLY, RESOLVE_NO_XDEV));
	SHOW(resolve(AT_FDCWD, "/proc/self/status", O_RDONLY, RESOLVE_NO_XDEV));
	SHOW(resolve(folder, "link", O_RDONLY, RESOLVE_NO_XDEV));
	SHOW(resolve(folder, "file", O_RDONLY, RESOLVE_CACHED));
	SHOW(resolve(folder, "file", O_RDONLY | O_TRUNC, RESOLVE_CACHED));
	SHOW(resolve(folder, "file", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	SHOW(resolve(folder, "file", O_RDONLY, 0x1000));
	SHOW(resolve(folder, "file", 1ull << 40, 0));
}

static void pages(void)
{
	char a[] = "two ", b[] = "pieces", bytes[32];
	struct iovec parts[] = {{a, 4}, {b, 6}}, into[] = {{bytes, 5}, {bytes + 8, 20}};
	int p[2], file = open("outside", O_RDWR);
	pipe(p);
	SHOW(vmsplice(p[1], parts, 2, 0));
	SHOW(vmsplice(p[0], into, 2, 0));
	show_bytes("first", bytes, 5);
	show_bytes("second", bytes + 8, 5);
	SHOW(vmsplice(p[0], into, 2, SPLICE_F_NONBLOCK));
	SHOW(vmsplice(file, parts, 2, 0));
	SHOW(vmsplice(99, parts, 2, 0));
	SHOW(vmsplice(p[1], parts, 2, 1 << 10));
}

int main(void)
{
	enter_scratch();
	make();
	beneath();
	in_root();
	others();
	pages();
	return 0;
}

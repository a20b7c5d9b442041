/* Calls that the C library makes for others, or not at all, by their own numbers: old and
 * new forms about files, and about waiting for them. */
#include "show.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#define CALL(name, ...) syscall(SYS_##name, __VA_ARGS__)

static void positions(void)
{
	char bytes[16];
	int fd = open("file", O_CREAT | O_RDWR, 0600), p[2];
	pipe(p);
	SHOW(CALL(pwrite64, fd, "hello world", 11, 0));
	SHOW(CALL(pread64, fd, bytes, 5, 6));
	show_bytes("pread64", bytes, 5);
	SHOW(CALL(pread64, fd, bytes, 5, -1L));
	SHOW(CALL(pread64, p[0], bytes, 5, 0));
	SHOW(CALL(pwrite64, fd, "x", 1, -1L));
	SHOW(CALL(fdatasync, fd));
	SHOW(CALL(fdatasync, 99));
	SHOW(CALL(fdatasync, p[0]));
	SHOW((sync(), 0));
	SHOW(CALL(syncfs, fd));
	SHOW(CALL(syncfs, 99));
	SHOW(CALL(readahead, fd, 0, 4096));
	SHOW(CALL(readahead, p[0], 0, 4096));
	SHOW(CALL(fadvise64, fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	SHOW(CALL(fadvise64, fd, 0, 0, 77));
	SHOW(CALL(fadvise64, p[0], 0, 0, POSIX_FADV_NORMAL));
	close(p[0]);
	close(p[1]);
	close(fd);
}

static void owners(void)
{
	struct stat st;
	struct statfs fs;
	int here = open(".", O_RDONLY | O_DIRECTORY), fd = open("file", O_RDWR);
	symlink("file", "link");
	symlink("nowhere", "dangling");
	SHOW(fchown(fd, 0, 0));
	SHOW(fchown(99, 0, 0));
	SHOW(lchown("dangling", 0, 0));
	SHOW(chown("dangling", 0, 0));
	SHOW(fchownat(here, "dangling", (uid_t)-1, (gid_t)-1, AT_SYMLINK_NOFOLLOW));
	SHOW(fchownat(here, "dangling", (uid_t)-1, (gid_t)-1, 0));
	SHOW(fchownat(fd, "", 0, 0, AT_EMPTY_PATH));
	SHOW(fchownat(here, "file", 0, 0, 1));
	SHOW(CALL(newfstatat, here, "link", &st, AT_SYMLINK_NOFOLLOW));
	SHOW(S_ISLNK(st.st_mode));
	SHOW(CALL(newfstatat, fd, "", &st, AT_EMPTY_PATH));
	SHOW(st.st_size);
	SHOW(CALL(newfstatat, fd, "", &st, 0));
	SHOW(CALL(newfstatat, here, "file", &st, 1 << 20));
	SHOW(CALL(faccessat2, here, "file", R_OK | W_OK, AT_EACCESS));
	SHOW(CALL(faccessat2, here, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
	SHOW(CALL(faccessat2, here, "dangling", F_OK, 0));
	SHOW(CALL(faccessat2, here, "file", R_OK, 1));
	SHOW(CALL(faccessat2, here, "file", 8, 0));
	SHOW(CALL(fchmodat2, here, "file", 0640, 0));
	SHOW(CALL(fchmodat2, here, "file", 0640, 1));
	SHOW(CALL(fchmodat2, here, "dangling", 0640, 0));
	SHOW(stat("file", &st));
	SHOW(st.st_mode & 07777);
	SHOW(fstatfs(fd, &fs));
	SHOW(fs.f_namelen);
	SHOW(fstatfs(99, &fs));
	SHOW(mknodat(here, "fifo", S_IFIFO | 0600, 0));
	SHOW(mknodat(here, "fifo", S_IFIFO | 0600, 0));
	SHOW(mknodat(here, "plain", S_IFREG | 0600, 0));
	SHOW(mknodat(here, "folder", S_IFDIR | 0600, 0));
	SHOW(stat("fifo", &st));
	SHOW(S_ISFIFO(st.st_mode));
	close(fd);
	close(here);
}

static void times(void)
{
	struct stat st;
	struct timeval at[2] = {{100, 250000}, {200, 750000}},
		       bad[2] = {{0, 1000000}, {0, 0}};
	SHOW(CALL(utimes, "file", at));
	stat("file", &st);
	printf("%ld.%09ld %ld.%09ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec,
	       st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	SHOW(CALL(utimes, "file", bad));
	SHOW(CALL(utimes, "absent", at));
	at[0].tv_sec = 300;
	SHOW(CALL(futimesat, AT_FDCWD, "file", at));
	stat("file", &st);
	printf("%ld.%09ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec);
	SHOW(CALL(futimesat, AT_FDCWD, "file", NULL));
	SHOW(CALL(futimesat, 99, "file", at));
}

static void attributes(void)
{
	char bytes[64];
	SHOW(lsetxattr("file", "user.a", "one", 3, 0));
	SHOW(lsetxattr("file", "user.a", "one", 3, XATTR_CREATE));
	SHOW(lsetxattr("file", "user.b", "two", 3, XATTR_REPLACE));
	SHOW(lgetxattr("file", "user.a", bytes, sizeof(bytes)));
	show_bytes("lgetxattr", bytes, 3);
	SHOW(lgetxattr("file", "user.none", bytes, sizeof(bytes)));
	SHOW(llistxattr("file", NULL, 0));
	SHOW(llistxattr("file", bytes, 2));
	SHOW(lremovexattr("file", "user.a"));
	SHOW(lremovexattr("file", "user.a"));
	SHOW(lsetxattr("dangling", "user.a", "one", 3, 0)); /* not on links */
}

struct old_entry {
	unsigned long inode, offset;
	unsigned short size;
	char name[];
};

static void listing(void)
{
	char bytes[2048];
	mkdir("three", 0700);
	close(creat("three/a", 0600));
	mkdir("three/b", 0700);
	symlink("x", "three/c");
	int fd = open("three", O_RDONLY | O_DIRECTORY), types[256] = {0};
	long size = CALL(getdents, fd, bytes, sizeof(bytes));
	SHOW(size > 0);
	for (long at = 0; at < size;) {
		const struct old_entry *entry = (const void *)(bytes + at);
		types[(unsigned char)entry->name[0]] = bytes[at + entry->size - 1];
		at += entry->size;
	}
	printf("%d %d %d %d\n", types['.'], types['a'], types['b'], types['c']);
	SHOW(CALL(getdents, fd, bytes, sizeof(bytes)));
	SHOW(CALL(getdents, fd, bytes, 1));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(CALL(getdents, fd, bytes, 4));
	SHOW(CALL(getdents, 99, bytes, sizeof(bytes)));
	close(fd);
}

static void waiting(void)
{
	struct timespec none = {0, 0}, bad = {0, -1};
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 3};
	uint64_t mask = 0, count = 0;
	struct {
		const uint64_t *mask;
		size_t size;
	} with = {&mask, sizeof(mask)};
	fd_set set;
	int fd = (int)CALL(eventfd2, 4, EFD_NONBLOCK | EFD_CLOEXEC),
	    ep = epoll_create1(0);
	SHOW(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(CALL(eventfd2, 0, 1 << 3));
	FD_ZERO(&set);
	FD_SET(fd, &set);
	SHOW(CALL(pselect6, fd + 1, &set, NULL, NULL, &none, &with));
	SHOW(FD_ISSET(fd, &set));
	SHOW(CALL(pselect6, fd + 1, &set, NULL, NULL, &bad, NULL));
	with.size = 4;
	SHOW(CALL(pselect6, fd + 1, &set, NULL, NULL, &none, &with));
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
	SHOW(CALL(epoll_pwait, ep, &event, 1, 0, &mask, sizeof(mask)));
	SHOW(event.data.u32);
	SHOW(CALL(epoll_pwait, ep, &event, 1, 0, &mask, 4));
	SHOW(CALL(epoll_pwait2, ep, &event, 1, &none, &mask, sizeof(mask)));
	SHOW(CALL(epoll_pwait2, ep, &event, 1, &bad, NULL, 0));
	SHOW(read(fd, &count, sizeof(count)));
	SHOW(CALL(epoll_pwait2, ep, &event, 1, &none, NULL, 0));
	int watch = (int)CALL(inotify_init, 0);
	SHOW(watch >= 0);
	SHOW(fcntl(watch, F_GETFL));
	close(watch);
	close(ep);
	close(fd);
}

static void peers(void)
{
	struct sockaddr_un name = {0};
	socklen_t size = sizeof(name);
	int pair[2], alone = socket(AF_UNIX, SOCK_STREAM, 0);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	SHOW(getpeername(pair[0], (struct sockaddr *)&name, &size));
	SHOW(size);
	SHOW(name.sun_family == AF_UNIX);
	SHOW(getpeername(alone, (struct sockaddr *)&name, &size));
	SHOW(getpeername(99, (struct sockaddr *)&name, &size));
}

static void taken(int signo)
{
	printf("handler %d\n", signo);
	fflush(stdout);
}

static void signals(void)
{
	uint64_t set = 1ull << (SIGUSR1 - 1), old = 0;
	struct signalfd_siginfo info;
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action;
	signal(SIGUSR1, taken);
	SHOW(CALL(rt_sigprocmask, SIG_BLOCK, &set, &old, 8));
	SHOW(CALL(rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
	SHOW(CALL(rt_sigprocmask, 9, &set, NULL, 8));
	raise(SIGUSR1);
	SHOW(CALL(rt_sigpending, &old, 8));
	SHOW(old == set);
	SHOW(CALL(rt_sigpending, &old, 99));
	int fd = (int)CALL(signalfd4, -1, &set, 8, SFD_CLOEXEC | SFD_NONBLOCK);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(read(fd, &info, sizeof(info)));
	SHOW(info.ssi_signo);
	SHOW(read(fd, &info, sizeof(info)));
	SHOW(CALL(signalfd4, 0, &set, 8, 0));
	SHOW(CALL(signalfd4, -1, &set, 8, 1));
	SHOW(CALL(rt_sigaction, SIGUSR1, NULL, &action, 8));
	SHOW(action.handler == (void *)taken);
	SHOW(CALL(rt_sigaction, SIGKILL, &action, NULL, 8));
	SHOW(CALL(rt_sigaction, SIGUSR1, NULL, &action, 4));
	raise(SIGUSR1);
	SHOW(CALL(rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8));
	SHOW(CALL(restart_syscall, 0));
}

int main(void)
{
	enter_scratch();
	positions();
	owners();
	times();
	attributes();
	listing();
	waiting();
	peers();
	signals();
	return 0;
}

/* Open files: flags, offsets, vectors, holes, truncation, copying, locks, seals. */
#include "show.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

static void open_flags(void)
{
	int fd;
	char buffer[32];
	struct stat st;
	umask(022);
	SHOW(open("none", O_RDONLY));
	SHOW(open("", O_RDONLY));
	SHOW(fd = open("a", O_CREAT | O_EXCL | O_RDWR, 0666));
	SHOW(open("a", O_CREAT | O_EXCL | O_RDWR, 0666));
	fstat(fd, &st);
	SHOW((int)st.st_mode);
	SHOW(write(fd, "0123456789", 10));
	SHOW(fcntl(fd, F_GETFL) &
	     ~0100000); /* O_LARGEFILE: shown by some libcs' kernels only */
	SHOW(close(fd));
	SHOW(close(fd));
	SHOW(fd = open("a", O_WRONLY | O_APPEND));
	SHOW(read(fd, buffer, 1));
	SHOW(lseek(fd, 2, SEEK_SET));
	SHOW(write(fd, "ab", 2));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pwrite(fd, "X", 1, 0));
	close(fd);
	SHOW(fd = open("a", O_RDONLY));
	SHOW(write(fd, "x", 1));
	show_bytes("read", buffer, read(fd, buffer, sizeof(buffer)));
	SHOW(read(fd, buffer, 1));
	SHOW(pread(fd, buffer, 3, 4));
	SHOW(pread(fd, buffer, 3, -1));
	SHOW(lseek(fd, -20, SEEK_END));
	SHOW(lseek(fd, -2, SEEK_END));
	SHOW(lseek(fd, 0, 9));
	SHOW(ftruncate(fd, 1));
	close(fd);
	SHOW(fd = open("a", O_WRONLY | O_TRUNC));
	fstat(fd, &st);
	SHOW(st.st_size);
	close(fd);
	SHOW(open("a", O_RDONLY | O_DIRECTORY));
	SHOW(open("a/", O_RDONLY));
	SHOW(open("a/b", O_RDONLY));
	SHOW(open(".", O_RDWR));
	SHOW(open("new/", O_CREAT | O_RDWR, 0600));
	symlink("a", "link");
	SHOW(open("link", O_RDONLY | O_NOFOLLOW));
	symlink("loop", "loop");
	SHOW(open("loop", O_RDONLY));
	SHOW(fd = open("link", O_PATH | O_NOFOLLOW));
	SHOW(read(fd, buffer, 1));
	fstat(fd, &st);
	SHOW(S_ISLNK(st.st_mode));
	SHOW(fchmod(fd, 0600));
	close(fd);
	SHOW(fd = open(".", O_TMPFILE | O_RDWR, 0600));
	SHOW(write(fd, "unnamed", 7));
	fstat(fd, &st);
	SHOW(st.st_nlink);
	SHOW(linkat(fd, "", AT_FDCWD, "given", AT_EMPTY_PATH));
	SHOW(access("given", F_OK));
	close(fd);
	char name[300];
	memset(name, 'n', 256);
	name[256] = '\0';
	SHOW(open(name, O_CREAT | O_RDWR, 0600));
	name[255] = '\0';
	SHOW(close(open(name, O_CREAT | O_RDWR, 0600)));
}

static void descriptors(void)
{
	int fd = open("a", O_RDWR), other;
	SHOW(other = dup(fd));
	lseek(fd, 5, SEEK_SET);
	SHOW(lseek(other, 0, SEEK_CUR));
	SHOW(dup2(fd, 50));
	SHOW(dup2(fd, fd));
	SHOW(dup3(fd, fd, 0));
	SHOW(dup3(fd, 51, O_CLOEXEC));
	SHOW(fcntl(51, F_GETFD));
	SHOW(fcntl(fd, F_DUPFD, 40));
	SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 40));
	SHOW(fcntl(41, F_GETFD));
	SHOW(dup2(fd, -1));
	SHOW(dup2(999, 5));
	SHOW(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	SHOW(fcntl(other, F_GETFL) & ~0100000);
	SHOW(syscall(SYS_close_range, 40, 60, 0));
	SHOW(fcntl(50, F_GETFD));
	struct rlimit small = {8, 8}, old;
	struct stat st;
	getrlimit(RLIMIT_NOFILE, &old);
	old.rlim_max = old.rlim_max > 1024 ? 1024 : old.rlim_max;
	small.rlim_max = old.rlim_max;
	int kept = open("kept", O_CREAT | O_WRONLY, 0600);
	SHOW(write(kept, "kept", 4));
	close(kept);
	SHOW(setrlimit(RLIMIT_NOFILE, &small));
	while (dup(fd) >= 0)
		;
	int full = errno;
	SHOW(full == EMFILE);
	SHOW(open("kept", O_WRONLY | O_TRUNC)); /* fails before it does anything */
	SHOW(open("made", O_CREAT | O_WRONLY, 0600));
	SHOW(access("made", F_OK));
	SHOW(stat("kept", &st));
	SHOW(st.st_size);
	SHOW(dup2(fd, 8));
	for (int i = fd; i < 8; i++)
		close(i);
	small.rlim_cur = 256;
	SHOW(setrlimit(RLIMIT_NOFILE, &small));
}

static void vectors_and_holes(void)
{
	int fd = open("v", O_CREAT | O_RDWR | O_TRUNC, 0600), out;
	char a[4], b[8], block[4096];
	struct iovec w[3] = {{"abc", 3}, {"", 0}, {"defgh", 5}}, r[2] = {{a, 4}, {b, 8}};
	struct stat st;
	SHOW(writev(fd, w, 3));
	SHOW(pwritev(fd, w, 3, 100));
	SHOW(preadv(fd, r, 2, 98));
	show_bytes("second", b, 8);
	SHOW(syscall(SYS_preadv2, fd, r, 2, -1L, -1L, 0));
	SHOW(writev(fd, w, -1));
	SHOW(writev(fd, w, 2000));
	SHOW(ftruncate(fd, 1 << 20));
	SHOW(pwrite(fd, "data", 4, 1 << 19));
	fstat(fd, &st);
	SHOW(st.st_size);
	SHOW(st.st_blocks < 64);
	SHOW(lseek(fd, 0, SEEK_HOLE));
	SHOW(lseek(fd, 4096, SEEK_DATA));
	SHOW(lseek(fd, 1 << 19, SEEK_HOLE));
	SHOW(lseek(fd, (1 << 19) + 4096, SEEK_DATA));
	SHOW(lseek(fd, 1 << 20, SEEK_DATA));
	SHOW(ftruncate(fd, 50));
	SHOW(ftruncate(fd, 200));
	SHOW(pread(fd, block, sizeof(block), 0));
	SHOW(block[7] == 'h' && block[100] == 0);
	SHOW(truncate("v", 5));
	SHOW(truncate("none", 5));
	SHOW(ftruncate(fd, -1));
	SHOW(fallocate(fd, 0, 0, 10000));
	fstat(fd, &st);
	SHOW(st.st_size);
	SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 20000, 10000));
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	SHOW(pread(fd, block, 4, 0));
	SHOW(block[0]);
	SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	SHOW(fsync(fd));
	out = open("w", O_CREAT | O_RDWR | O_TRUNC, 0600);
	pwrite(fd, "copy me", 7, 0);
	off_t from = 0;
	SHOW(sendfile(out, fd, &from, 7));
	SHOW(from);
	off_t in = 2, to = 20;
	SHOW(copy_file_range(fd, &in, out, &to, 5, 0));
	SHOW(pread(out, block, sizeof(block), 0));
	show_bytes("copied", block + 20, 5);
	lseek(fd, 0, SEEK_SET);
	SHOW(read(fd, (void *)8, 10));
	SHOW(pwrite(out, (void *)8, 10, 0));
	close(fd);
	close(out);
}

static int lock(int fd, int command, int type, long start, long size)
{
	struct flock l = {.l_type = (short)type,
			  .l_whence = SEEK_SET,
			  .l_start = start,
			  .l_len = size};
	return fcntl(fd, command, &l) < 0 ? -1 : l.l_type;
}

static void locks(void)
{
	int fd = open("lock", O_CREAT | O_RDWR, 0600), other = open("lock", O_RDWR),
	    status;
	SHOW(flock(fd, LOCK_EX));
	SHOW(flock(other, LOCK_EX | LOCK_NB));
	SHOW(flock(fd, LOCK_SH));
	SHOW(flock(other, LOCK_SH | LOCK_NB));
	SHOW(flock(fd, LOCK_UN));
	SHOW(flock(other, LOCK_UN));
	SHOW(flock(fd, 77));
	SHOW(lock(fd, F_SETLK, F_WRLCK, 0, 10));
	SHOW(lock(other, F_GETLK, F_WRLCK, 0, 10));
	if (fork() == 0) {
		int mine = open("lock", O_RDWR);
		SHOW(lock(mine, F_SETLK, F_RDLCK, 5, 2));
		SHOW(lock(mine, F_GETLK, F_RDLCK, 5, 2));
		SHOW(lock(mine, F_SETLK, F_RDLCK, 10, 2));
		_exit(0);
	}
	wait(&status);
	SHOW(lock(fd, F_SETLK, F_UNLCK, 3, 3));
	if (fork() == 0) {
		int mine = open("lock", O_RDWR);
		SHOW(lock(mine, F_SETLK, F_WRLCK, 3, 3));
		SHOW(lock(mine, F_SETLK, F_WRLCK, 2, 1));
		_exit(0);
	}
	wait(&status);
	SHOW(close(other)); /* any close of the file by the process drops its locks */
	if (fork() == 0) {
		int mine = open("lock", O_RDWR);
		SHOW(lock(mine, F_SETLK, F_WRLCK, 0, 0));
		_exit(0);
	}
	wait(&status);
	other = open("lock", O_RDWR);
	SHOW(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10));
	SHOW(lock(other, F_OFD_SETLK, F_WRLCK, 0, 10));
	SHOW(lock(other, F_OFD_SETLK, F_WRLCK, 10, 10));
	close(fd);
	SHOW(lock(other, F_OFD_SETLK, F_WRLCK, 0, 10));
	close(other);
}

static void seals(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(ftruncate(fd, 100));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	SHOW(ftruncate(fd, 50));
	SHOW(ftruncate(fd, 200));
	SHOW(pwrite(fd, "x", 1, 100));
	SHOW(pwrite(fd, "x", 1, 0));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
	SHOW(pwrite(fd, "x", 1, 0));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(fcntl(fd, F_GET_SEALS));
	close(fd);
	fd = memfd_create("plain", 0);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(fcntl(open("a", O_RDONLY), F_GET_SEALS) < 0);
	SHOW(memfd_create("x", 0x8000));
}

int main(void)
{
	enter_scratch();
	open_flags();
	descriptors();
	vectors_and_holes();
	locks();
	seals();
	return 0;
}

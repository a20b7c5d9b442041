/* What may be done to a page after each change of its protection: private and shared,
 * anonymous and of a file, untouched, read and written before. */
#include "show.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

enum { PAGE = 4096, RIGHTS = 8 };

static sigjmp_buf escape;

static void on_fault(int signo)
{
	siglongjmp(escape, signo);
}

/* The byte read, or minus the signal. */
static int load(volatile char *at)
{
	int signo = sigsetjmp(escape, 1);
	return signo ? -signo : *at;
}

static int store(volatile char *at, char byte)
{
	int signo = sigsetjmp(escape, 1);
	if (signo)
		return -signo;
	*at = byte;
	return 1;
}

static const char *const touched[] = {"untouched", "read", "written"};

static void every_change(const char *name, int flags, int fd)
{
	for (int touch = 0; touch < 3; touch++)
		for (int first = 0; first < RIGHTS; first++) {
			printf("%s, %s, %d, then:", name, touched[touch], first);
			for (int then = 0; then < RIGHTS; then++) {
				char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
						  flags, fd, 0);
				if (touch == 1)
					load(page);
				if (touch == 2)
					store(page, 7);
				mprotect(page, PAGE, first);
				load(page + 1);
				mprotect(page, PAGE, then);
				printf(" %d/%d/%d", load(page), store(page, 3),
				       load(page));
				munmap(page, PAGE);
			}
			printf("\n");
		}
}

int main(void)
{
	enter_scratch();
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	(void)!write(fd, "contents", 8);
	every_change("private", MAP_PRIVATE | MAP_ANONYMOUS, -1);
	every_change("shared", MAP_SHARED | MAP_ANONYMOUS, -1);
	every_change("private file", MAP_PRIVATE, fd);
	every_change("shared file", MAP_SHARED, fd);
	char *page = mmap(NULL, PAGE, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(write(fd, page, 3)); /* the kernel reads it */
	SHOW(read(fd, page, 3));
	show_bytes("read", page, 3);
	return 0;
}

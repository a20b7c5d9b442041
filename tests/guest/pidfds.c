/* Processes as files: pidfd_open, pidfd_send_signal, pidfd_getfd, CLONE_PIDFD,
 * waitid(P_PIDFD), polling for their end. */
#include "show.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send_signal(int fd, int signo, siginfo_t *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, signo, info, flags);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static void show_end(int fd, int options)
{
	siginfo_t info = {0};
	int rc = waitid(P_PIDFD, (id_t)fd, &info, options);
	SHOW(rc);
	if (rc == 0)
		printf("  code %d status %d child %d\n", info.si_code, info.si_status,
		       info.si_pid > 0);
}

static void opening(void)
{
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, 0);
	struct pollfd one = {fd, POLLIN, 0};
	char byte;
	SHOW(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(pidfd_open(pid, 1));
	SHOW(pidfd_open(0, 0));
	SHOW(pidfd_open(-1, 0));
	SHOW(pidfd_open(4000000, 0));
	SHOW(read(fd, &byte, 1));
	SHOW(write(fd, &byte, 1));
	SHOW(poll(&one, 1, 0));
	SHOW(send_signal(fd, 0, NULL, 0));
	SHOW(send_signal(fd, SIGTERM, NULL, 0x100));
	SHOW(send_signal(fd, 99, NULL, 0));
	SHOW(send_signal(0, SIGTERM, NULL, 0));
	SHOW(send_signal(99, SIGTERM, NULL, 0));
	siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};
	SHOW(send_signal(fd, SIGINT, &info, 0));
	info.si_code = SI_USER;
	SHOW(send_signal(fd, SIGTERM, &info, 0));
	info.si_code = SI_QUEUE;
	SHOW(send_signal(fd, SIGTERM, &info, 0));
	SHOW(poll(&one, 1, 5000));
	SHOW(one.revents);
	show_end(fd, WEXITED | WNOWAIT);
	SHOW(send_signal(fd, SIGTERM, NULL, 0)); /* a zombie takes it */
	show_end(fd, WEXITED);
	SHOW(poll(&one, 1, 0));
	SHOW(send_signal(fd, SIGTERM, NULL, 0));
	show_end(fd, WEXITED);
	close(fd);
	show_end(fd, WEXITED);
	show_end(0, WEXITED);
}

static void without_waiting(void)
{
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, O_NONBLOCK);
	SHOW(fcntl(fd, F_GETFL) & O_NONBLOCK);
	show_end(fd, WEXITED);
	siginfo_t info = {.si_pid = 9};
	SHOW(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG));
	SHOW(info.si_pid);
	int ep = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7};
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	SHOW(epoll_wait(ep, &event, 1, 0));
	kill(pid, SIGKILL);
	SHOW(epoll_wait(ep, &event, 1, 5000));
	SHOW(event.events);
	show_end(fd, WEXITED);
	close(ep);
	close(fd);
}

static void cloning(void)
{
	int fd = -1, status;
	struct clone_args args = {.flags = CLONE_PIDFD,
				  .exit_signal = SIGCHLD,
				  .pidfd = (uint64_t)(uintptr_t)&fd};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(fd == -1 ? 5 : 6); /* the number is the parent's */
	SHOW(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	show_end(fd, WEXITED);
	close(fd);
	pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);
	if (pid == 0)
		_exit(7);
	SHOW(fd >= 0);
	show_end(fd, WEXITED);
	close(fd);
	SHOW(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0,
		     0));
	SHOW(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8, 0, 0));
	SHOW(waitpid(-1, &status, 0));
}

static void descriptors(void)
{
	int p[2], child;
	char bytes[8];
	pipe(p);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(p[1], 77);
		write(p[1], "r", 1);
		for (;;)
			pause();
	}
	read(p[0], bytes, 1);
	child = pidfd_open(pid, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, child, 77, 0);
	SHOW(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(write(fd, "taken", 5));
	SHOW(read(p[0], bytes, sizeof(bytes)));
	SHOW(syscall(SYS_pidfd_getfd, child, 78, 0));
	SHOW(syscall(SYS_pidfd_getfd, child, 77, 1));
	SHOW(syscall(SYS_pidfd_getfd, p[0], 77, 0));
	kill(pid, SIGKILL);
	show_end(child, WEXITED);
	SHOW(syscall(SYS_pidfd_getfd, child, 77, 0));
}

/* /proc/PID opened as a folder takes signals too; what is below it does not. */
static void folders(void)
{
	pid_t pid = sleeper();
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	int below = open(path, O_RDONLY | O_DIRECTORY);
	*strrchr(path, '/') = '\0';
	int folder = open(path, O_RDONLY | O_DIRECTORY);
	int named = open(path, O_PATH);
	int proc = open("/proc", O_RDONLY | O_DIRECTORY);
	SHOW(folder >= 0 && below >= 0 && named >= 0 && proc >= 0);
	SHOW(send_signal(below, 0, NULL, 0));
	SHOW(send_signal(named, 0, NULL, 0));
	SHOW(send_signal(proc, 0, NULL, 0));
	SHOW(send_signal(folder, 0, NULL, 0));
	SHOW(send_signal(folder, 65, NULL, 0));
	SHOW(send_signal(folder, SIGTERM, NULL, 0));
	int status = 0;
	SHOW(waitpid(pid, &status, 0) == pid);
	SHOW(WTERMSIG(status));
	SHOW(send_signal(folder, 0, NULL, 0));
	close(below);
	close(folder);
	close(named);
	close(proc);
}

int main(void)
{
	opening();
	without_waiting();
	cloning();
	descriptors();
	folders();
	return 0;
}

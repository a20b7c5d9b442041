/* Many messages by one call, and timers that tell nobody or one thread. */
#include "show.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

static void many_messages(void)
{
	int pair[2];
	char out[3][4] = {"one", "two", "six"}, in[4][8] = {{0}};
	struct iovec from[3], to[4];
	struct mmsghdr send[3] = {{.msg_len = 0}}, receive[4] = {{.msg_len = 0}};
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	for (int i = 0; i < 4; i++) {
		if (i < 3) {
			from[i] = (struct iovec){out[i], (size_t)(i + 1)};
			send[i].msg_hdr.msg_iov = &from[i],
			send[i].msg_hdr.msg_iovlen = 1;
		}
		to[i] = (struct iovec){in[i], sizeof(in[i])};
		receive[i].msg_hdr.msg_iov = &to[i], receive[i].msg_hdr.msg_iovlen = 1;
	}
	SHOW(sendmmsg(pair[0], send, 3, 0));
	SHOW(recvmmsg(pair[1], receive, 4, MSG_WAITFORONE, NULL));
	for (int i = 0; i < 3; i++)
		printf("%u %u %s\n", send[i].msg_len, receive[i].msg_len, in[i]);
	SHOW(recvmmsg(pair[1], receive, 4, MSG_DONTWAIT, NULL));
	SHOW(sendmmsg(-1, send, 3, 0));
}

static void timers(void)
{
	struct sigevent none = {.sigev_notify = SIGEV_NONE}, wrong = {.sigev_notify = 77};
	struct sigevent thread = {.sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = SIGRTMIN};
	struct itimerspec at = {{0, 0}, {0, 1000000}}, left;
	struct timespec pause = {0, 30000000}, soon = {5, 0};
	timer_t timer;
	sigset_t set;
	siginfo_t info;
	SHOW(timer_create(CLOCK_MONOTONIC, &wrong, &timer));
	SHOW(timer_create(CLOCK_REALTIME, &none, &timer));
	SHOW(timer_settime(timer, 0, &at, NULL));
	nanosleep(&pause, NULL);
	SHOW(timer_gettime(timer, &left));
	SHOW(left.it_value.tv_sec * 1000000000 + left.it_value.tv_nsec);
	SHOW(timer_delete(timer));
	thread._sigev_un._tid = (int)syscall(SYS_gettid);
	thread.sigev_value.sival_int = 31;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	at.it_interval.tv_nsec = 1000000;
	SHOW(timer_create(CLOCK_BOOTTIME, &thread, &timer));
	SHOW(timer_settime(timer, 0, &at, NULL));
	nanosleep(&pause, NULL);
	SHOW(sigtimedwait(&set, &info, &soon) == SIGRTMIN);
	SHOW(info.si_code);
	SHOW(info.si_value.sival_int);
	SHOW(info.si_overrun >= 10);
	SHOW(timer_getoverrun(timer) == info.si_overrun);
	SHOW(timer_delete(timer));
	SHOW(timer_create(CLOCK_MONOTONIC_RAW, &none, &timer));
}

int main(void)
{
	many_messages();
	timers();
	return 0;
}

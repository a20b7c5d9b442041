/* Pseudo-terminals: the line discipline, sessions and job control, window sizes,
 * hang-ups. */
#include "show.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <utmp.h>

static int master, slave;

static void type(const char *text)
{
	if (write(master, text, strlen(text)) != (ssize_t)strlen(text))
		perror("type");
}

/* What was printed up to the bytes that end it, with control characters shown. Linux
 * echoes a little later than it is typed at; what is on the screen has been received. */
static void show_screen(const char *what, const char *end)
{
	char bytes[512] = {0};
	size_t got = 0, size = strlen(end);
	struct pollfd one = {master, POLLIN, 0};
	while (poll(&one, 1, size ? 5000 : 0) == 1 && (one.revents & POLLIN)) {
		ssize_t n = read(master, bytes + got, sizeof(bytes) - got);
		got += n > 0 ? (size_t)n : 0;
		if (n <= 0 ||
		    (size && got >= size && !memcmp(bytes + got - size, end, size)))
			break;
	}
	printf("%s: screen \"", what);
	for (size_t i = 0; i < got; i++)
		printf(bytes[i] >= ' ' && bytes[i] != 127 ? "%c" : "<%d>", bytes[i]);
	printf("\"\n");
	fflush(stdout);
}

/* Waits for it; the name of the next needs no echo. */
static void await_line(void)
{
	struct pollfd one = {slave, POLLIN, 0};
	SHOW(poll(&one, 1, 5000));
}

static void show_line(void)
{
	char line[512] = {0};
	fcntl(slave, F_SETFL, O_NONBLOCK);
	ssize_t n = read(slave, line, sizeof(line));
	int error = errno;
	fcntl(slave, F_SETFL, 0);
	printf("line: %zd \"", n);
	for (ssize_t i = 0; i < n; i++)
		printf(line[i] >= ' ' && line[i] != 127 ? "%c" : "<%d>", line[i]);
	printf("\" %s\n", n < 0 ? strerror(error) : "");
	fflush(stdout);
}

static void set_local(tcflag_t on, tcflag_t off)
{
	struct termios t;
	tcgetattr(slave, &t);
	t.c_lflag = (t.c_lflag | on) & ~off;
	SHOW(tcsetattr(slave, TCSANOW, &t));
}

static void making(void)
{
	struct stat st;
	struct termios t;
	int locked = 9;
	char peer[64];
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	SHOW(master >= 0);
	SHOW(open(ptsname(master), O_RDWR | O_NOCTTY));
	SHOW(ioctl(master, TIOCGPTLCK, &locked));
	SHOW(locked);
	SHOW(grantpt(master));
	SHOW(unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	SHOW(slave >= 0);
	SHOW(isatty(master));
	SHOW(isatty(slave));
	SHOW(strncmp(ptsname(master), "/dev/pts/", 9));
	SHOW(strcmp(ttyname(slave), ptsname(master)));
	SHOW(stat(ptsname(master), &st));
	SHOW(S_ISCHR(st.st_mode));
	SHOW(st.st_rdev >> 8 & 0xff);
	SHOW(tcgetattr(slave, &t));
	printf("%o %o %o %o\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
	for (int i = 0; i < 17; i++)
		printf("%d ", t.c_cc[i]);
	printf("speed %d\n", cfgetospeed(&t) == B38400);
	snprintf(peer, sizeof(peer), "/proc/self/fd/%d",
		 ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	SHOW(access(peer, F_OK));
	SHOW(lseek(master, 0, SEEK_SET));
	SHOW(read(slave, peer, 0));
}

static void editing(void)
{
	type("hello\n");
	show_screen("echo", "\r\n");
	show_line();
	show_line();
	type("ab\177cx\025kill \027me\n");
	show_screen("erase, kill, word", "\r\n");
	show_line();
	type("a\026\177b\026\003\r");
	show_screen("literal", "\r\n");
	show_line();
	type("part");
	show_screen("part", "part");
	show_line();
	type("\004");
	await_line();
	show_line();
	show_line();
	type("\004");
	await_line();
	show_line();
	show_line();
	type("one\ntwo\nthree");
	show_screen("lines", "three");
	int waiting = -1;
	SHOW(ioctl(slave, FIONREAD, &waiting));
	SHOW(waiting);
	show_line();
	show_line();
	show_line();
	SHOW(tcflush(slave, TCIFLUSH));
	type("\n");
	show_screen("flushed", "\n");
	show_line();
	type("\001\t\033[A\n");
	show_screen("control characters", "\n");
	show_line();
	set_local(0, ECHO);
	type("secret\n");
	await_line();
	show_screen("no echo", "");
	show_line();
	set_local(ECHONL, 0);
	type("secret\n");
	show_screen("echo of newline", "\n");
	show_line();
	set_local(ECHO, ECHONL | ECHOCTL | ECHOE);
	type("\001b\177\n");
	show_screen("plain echo", "\n");
	show_line();
	set_local(ECHOCTL | ECHOE, 0);
}

static void output(void)
{
	struct termios t;
	SHOW(write(slave, "a\nb\n", 4));
	show_screen("onlcr", "b\r\n");
	tcgetattr(slave, &t);
	t.c_oflag &= ~(tcflag_t)OPOST;
	tcsetattr(slave, TCSADRAIN, &t);
	SHOW(write(slave, "a\nb\n", 4));
	show_screen("raw", "b\n");
	t.c_oflag |= OPOST;
	tcsetattr(slave, TCSANOW, &t);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	SHOW(tcflow(slave, TCOOFF));
	SHOW(write(slave, "stopped", 7));
	SHOW(tcflow(slave, TCOON));
	SHOW(write(slave, "started", 7));
	show_screen("flow", "started");
	fcntl(slave, F_SETFL, 0);
	SHOW(tcdrain(slave));
	SHOW(tcsendbreak(slave, 0));
}

static void raw(void)
{
	struct termios before, t;
	struct pollfd one = {slave, POLLIN, 0};
	char bytes[16];
	tcgetattr(slave, &before);
	t = before;
	type("pending");
	show_screen("cooked", "pending");
	cfmakeraw(&t);
	tcsetattr(slave, TCSANOW, &t);
	show_line();
	t.c_cc[VMIN] = 3;
	tcsetattr(slave, TCSANOW, &t);
	type("\003\r\004");
	await_line();
	show_line();
	show_screen("raw", "");
	type("ab");
	SHOW(poll(&one, 1, 0));
	type("c");
	SHOW(poll(&one, 1, 5000));
	SHOW(read(slave, bytes, sizeof(bytes)));
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	tcsetattr(slave, TCSANOW, &t);
	SHOW(read(slave, bytes, sizeof(bytes)));
	t.c_cc[VTIME] = 1;
	tcsetattr(slave, TCSANOW, &t);
	SHOW(read(slave, bytes, sizeof(bytes)));
	t.c_cc[VMIN] = 5;
	tcsetattr(slave, TCSANOW, &t);
	type("xy");
	SHOW(read(slave, bytes, sizeof(bytes)));
	type("left!");
	await_line();
	SHOW(tcsetattr(slave, TCSAFLUSH, &before));
	type("\n");
	show_screen("cooked", "\n");
	show_line();
}

static void on_signal(int signo)
{
	char text[2] = {'0' + (char)(signo / 10), '0' + (char)(signo % 10)};
	write(STDOUT_FILENO, "signal ", 7);
	write(STDOUT_FILENO, text, 2);
	write(STDOUT_FILENO, "\n", 1);
}

static void block(int signo)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int await_signal(int signo)
{
	sigset_t set;
	int got = -1;
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigwait(&set, &got);
	return got;
}

/* Reads a byte that the child wrote when it got so far. */
static void await(int fd)
{
	char byte;
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static void sessions(void)
{
	int p[2], status, group = -1;
	char line[32];
	pipe(p);
	SHOW(ioctl(slave, TIOCGPGRP, &group));
	SHOW(ioctl(slave, TIOCGSID, &group));
	SHOW(tcsetpgrp(slave, getpgrp()));
	pid_t pid = fork();
	if (pid == 0) {
		SHOW(open("/dev/tty", O_RDWR));
		setsid();
		SHOW(ioctl(slave, TIOCSCTTY, 0));
		SHOW(ioctl(slave, TIOCSCTTY, 0));
		SHOW(open("/dev/tty", O_RDWR) >= 0);
		SHOW(tcgetpgrp(slave) == getpid());
		SHOW(tcgetsid(slave) == getpid());
		SHOW(tcsetpgrp(slave, 1000000));
		block(SIGINT);
		block(SIGWINCH);
		write(p[1], "1", 1);
		SHOW(read(slave, line, sizeof(line)));
		if (fork() == 0) { /* in the background, with a parent of the session */
			setpgid(0, 0);
			struct sigaction once = {.sa_handler = on_signal};
			sigaction(SIGTTIN, &once, NULL);
			SHOW(read(slave, line, sizeof(line)));
			sigaction(SIGTTOU, &once, NULL);
			SHOW(tcsetpgrp(slave, getpgrp()));
			signal(SIGTTIN, SIG_IGN);
			SHOW(read(slave, line, sizeof(line)));
			signal(SIGTTOU, SIG_IGN);
			SHOW(write(slave, "", 0));
			SHOW(tcsetpgrp(slave, getpgrp()));
			SHOW(tcgetpgrp(slave) == getpid());
			signal(SIGTTOU, SIG_DFL);
			_exit(3);
		}
		wait(&status);
		SHOW(WEXITSTATUS(status));
		signal(SIGTTOU, SIG_IGN);
		SHOW(tcsetpgrp(slave, getpgrp()));
		if (fork() == 0) {
			setpgid(0, 0);
			read(slave, line, sizeof(line));
			_exit(4);
		}
		SHOW(waitpid(-1, &status, WUNTRACED) > 0);
		SHOW(WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
		write(p[1], "2", 1);
		SHOW(await_signal(SIGINT));
		write(p[1], "3", 1);
		SHOW(await_signal(SIGWINCH));
		signal(SIGHUP, on_signal);
		signal(SIGCONT, on_signal);
		SHOW(ioctl(slave, TIOCNOTTY,
			   0)); /* SIGHUP and SIGCONT, this being the group */
		SHOW(open("/dev/tty", O_RDWR));
		_exit(0);
	}
	await(p[0]);
	type("typed\n");
	await(p[0]);
	type("\003");
	await(p[0]);
	struct winsize size = {.ws_row = 33, .ws_col = 99};
	int set = ioctl(master, TIOCSWINSZ, &size);
	waitpid(pid, &status, 0);
	SHOW(set);
	SHOW(WIFEXITED(status));
	memset(&size, 0, sizeof(size));
	SHOW(ioctl(slave, TIOCGWINSZ, &size));
	SHOW(size.ws_row);
	SHOW(size.ws_col);
	show_screen("after the session", "^C");
}

static void interrupted(const char *key, const char *seen, const char *what)
{
	int status, p[2];
	pipe(p);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		write(p[1], "1", 1);
		for (;;)
			pause();
	}
	await(p[0]);
	type("lost ");
	show_screen("typed", "lost ");
	type(key);
	waitpid(pid, &status, 0);
	printf("%s: signal %d\n", what, WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	show_screen(what, seen);
	type("\n");
	show_screen("then", "\n");
	show_line();
}

static void hang_up(void)
{
	int m, status, p[2];
	char bytes[16], *name;
	pipe(p);
	pid_t pid = forkpty(&m, NULL, NULL, NULL);
	if (pid == 0) {
		block(SIGHUP);
		SHOW(isatty(0));
		write(p[1], "1", 1);
		write(p[1], await_signal(SIGHUP) == SIGHUP ? "h" : "x", 1);
		write(p[1], read(0, bytes, sizeof(bytes)) == 0 ? "0" : "x", 1);
		write(p[1], write(1, "x", 1) < 0 && errno == EIO ? "e" : "x", 1);
		write(p[1], tcgetpgrp(0) < 0 && errno == ENOTTY ? "t" : "x", 1);
		_exit(5);
	}
	await(p[0]);
	ssize_t n = read(m, bytes, sizeof(bytes));
	show_bytes("isatty", bytes, n > 9 ? 9 : n);
	name = strdup(ptsname(m));
	SHOW(access(name, F_OK));
	close(m);
	SHOW(access(name, F_OK));
	waitpid(pid, &status, 0);
	SHOW(WEXITSTATUS(status));
	n = read(p[0], bytes, sizeof(bytes));
	show_bytes("after", bytes, n);

	pid = forkpty(&m, NULL, NULL, NULL); /* the other side goes */
	if (pid == 0)
		_exit(write(1, "bye\n", 4) != 4);
	waitpid(pid, &status, 0);
	struct pollfd one = {m, POLLIN | POLLOUT, 0};
	SHOW(poll(&one, 1, 1000));
	SHOW(one.revents & POLLIN);
	SHOW(read(m, bytes, sizeof(bytes)));
	SHOW(read(m, bytes, sizeof(bytes)));
	SHOW(write(m, "x", 1));
	close(m);
}

int main(void)
{
	making();
	editing();
	output();
	raw();
	sessions();
	interrupted("\003", "^C", "intr");
	interrupted("\034", "^\\", "quit");
	hang_up();
	return 0;
}

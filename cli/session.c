/* session.c: one loop over the guest's console, our standard input, signals, and the
 * question whether its HTTP server is ready. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/session.h"

#define END_OF_TRANSMISSION 4   /* what a terminal makes of Ctrl-D */
#define STATUS_UNKNOWN      125 /* the guest ended without saying how, as in env(1) */
#define PROBE_FIRST_MS      100 /* how long the first question may take; doubles */
#define PROBE_LAST_MS       2000
#define PROBE_PAUSE_MS      5

enum probe_state { PROBE_OFF, PROBE_PAUSED, PROBE_CONNECTING, PROBE_ASKED };

/* Asks the guest's /_/ready until it says 200. QEMU accepts connections before the guest
 * does, so each question has a deadline. */
struct probe {
	enum probe_state state;
	const struct forward *at;
	int fd;
	int patience_ms;
	long long deadline_ms; /* of the pause or the question */
	char answer[16];
	size_t answer_size;
};

struct session {
	pid_t qemu;
	int to_guest, from_guest, signals, status;
	bool listening; /* the guest reads its console: before that, input is lost */
	int said;       /* what its kernel wrote last to the status port, -1: nothing */
	bool interactive, input_open;
	int ended_by; /* signal that ended us, 0: none */
	char input[4096];
	size_t input_at, input_size;
	bool held_return; /* a CR that may be of a CR LF */
	struct probe probe;
};

static long long now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void probe_pause(struct probe *probe)
{
	if (probe->fd >= 0)
		close(probe->fd);
	probe->fd = -1;
	probe->state = PROBE_PAUSED;
	probe->deadline_ms = now_ms() + PROBE_PAUSE_MS;
}

static void probe_connect(struct probe *probe)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(probe->at->host)};
	inet_pton(AF_INET, probe->at->address, &to.sin_addr);
	if (!to.sin_addr.s_addr) /* 0.0.0.0: every address */
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	probe->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	probe->answer_size = 0;
	if (probe->fd < 0 || (connect(probe->fd, (struct sockaddr *)&to, sizeof(to)) &&
			      errno != EINPROGRESS)) {
		probe_pause(probe);
		return;
	}
	probe->state = PROBE_CONNECTING;
	probe->deadline_ms = now_ms() + probe->patience_ms;
}

static void probe_ask(struct probe *probe)
{
	static const char question[] = "GET /_/ready HTTP/1.1\r\nHost: localhost\r\n"
				       "Connection: close\r\n\r\n";
	if (send(probe->fd, question, sizeof(question) - 1, MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(question) - 1)
		probe_pause(probe);
	else
		probe->state = PROBE_ASKED;
}

static void probe_hear(struct probe *probe)
{
	static const char wanted[] = "HTTP/1.1 200";
	ssize_t got = read(probe->fd, probe->answer + probe->answer_size,
			   sizeof(wanted) - 1 - probe->answer_size);
	if (got <= 0) {
		probe_pause(probe);
		return;
	}
	probe->answer_size += (size_t)got;
	if (probe->answer_size < sizeof(wanted) - 1)
		return;
	bool ready = memcmp(probe->answer, wanted, sizeof(wanted) - 1) == 0;
	probe_pause(probe);
	if (!ready)
		return;
	probe->state = PROBE_OFF;
	printf("ready http://%s:%u/\n", probe->at->address, probe->at->host);
	fflush(stdout);
}

static void probe_step(struct probe *probe, short events)
{
	bool late = now_ms() >= probe->deadline_ms;
	if (probe->state == PROBE_PAUSED && late) {
		probe_connect(probe);
	} else if (probe->state == PROBE_CONNECTING && events) {
		probe_ask(probe);
	} else if (probe->state == PROBE_ASKED && events) {
		probe_hear(probe);
	} else if (probe->state != PROBE_OFF && late) {
		probe_pause(probe);
		if (probe->patience_ms < PROBE_LAST_MS)
			probe->patience_ms *= 2;
	}
}

static void write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(fd, bytes, size);
		if (done < 0 && errno != EINTR)
			return; /* nobody reads: the guest goes on */
		if (done > 0) {
			bytes += done;
			size -= (size_t)done;
		}
	}
}

/* The guest's console, with the CR taken back that it puts before every LF. */
static bool pass_output(struct session *session)
{
	char in[4096], out[sizeof(in) + 1];
	size_t size = 0;
	ssize_t got = read(session->from_guest, in, sizeof(in));
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	for (ssize_t i = 0; i < got; i++) {
		if (session->held_return && in[i] != '\n')
			out[size++] = '\r';
		session->held_return = in[i] == '\r';
		if (!session->held_return)
			out[size++] = in[i];
	}
	if (got <= 0 && session->held_return)
		out[size++] = '\r';
	write_all(session->interactive ? STDOUT_FILENO : STDERR_FILENO, out, size);
	return got > 0;
}

static void take_input(struct session *session)
{
	ssize_t got = read(STDIN_FILENO, session->input, sizeof(session->input));
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	session->input_at = 0;
	session->input_size = (size_t)got;
	if (got <= 0) {
		/* One ends the last line where it has no newline, the other the file. */
		session->input[0] = session->input[1] = END_OF_TRANSMISSION;
		session->input_size = 2;
		session->input_open = false;
	}
}

static void pass_input(struct session *session)
{
	ssize_t done = write(session->to_guest, session->input + session->input_at,
			     session->input_size - session->input_at);
	if (done > 0)
		session->input_at += (size_t)done;
	else if (errno != EINTR && errno != EAGAIN)
		session->input_at = session->input_size;
}

static void take_signal(struct session *session)
{
	struct signalfd_siginfo info;
	if (read(session->signals, &info, sizeof(info)) != sizeof(info) ||
	    info.ssi_signo == SIGCHLD)
		return;
	session->ended_by = (int)info.ssi_signo;
	kill(session->qemu, SIGKILL); /* it writes to no file: nothing is lost */
}

/* The first byte says that the console is listened to, the last one is the exit status.
 */
static bool take_status(struct session *session)
{
	uint8_t bytes[16];
	ssize_t got = read(session->status, bytes, sizeof(bytes));
	if (got < 0 && errno == EINTR)
		return true;
	if (got > 0) {
		session->said = bytes[got - 1];
		session->listening = true;
	}
	return got > 0;
}

static int next_timeout(const struct session *session)
{
	long long left = session->probe.deadline_ms - now_ms();
	if (session->probe.state == PROBE_OFF)
		return -1;
	return left < 0 ? 0 : (int)left;
}

/* Until QEMU is gone; returns its wait status. */
static int watch(struct session *session)
{
	bool output_open = true, status_open = true;
	int status = 0;
	for (;;) {
		bool pending = session->input_at < session->input_size;
		const struct probe *probe = &session->probe;
		struct pollfd fds[] = {
			{.fd = session->signals, .events = POLLIN},
			{.fd = output_open ? session->from_guest : -1, .events = POLLIN},
			{.fd = session->input_open && session->listening && !pending
				       ? STDIN_FILENO
				       : -1,
			 .events = POLLIN},
			{.fd = pending ? session->to_guest : -1, .events = POLLOUT},
			{.fd = probe->fd,
			 .events = probe->state == PROBE_CONNECTING ? POLLOUT : POLLIN},
			{.fd = status_open ? session->status : -1, .events = POLLIN}};
		poll(fds, sizeof(fds) / sizeof(fds[0]), next_timeout(session));
		if (fds[5].revents)
			status_open = take_status(session);
		if (fds[1].revents)
			output_open = pass_output(session);
		if (fds[2].revents)
			take_input(session);
		if (fds[3].revents)
			pass_input(session);
		probe_step(&session->probe, fds[4].revents);
		if (fds[0].revents)
			take_signal(session);
		if (waitpid(session->qemu, &status, WNOHANG) == session->qemu)
			break;
	}
	while (output_open)
		output_open = pass_output(session);
	while (status_open)
		status_open = take_status(session);
	return status;
}

/* isa-debug-exit ends QEMU with (2 * status + 1) & 255: then the byte said last is the
 * status. */
static bool ended_by_guest(const struct session *session, int status)
{
	return session->said >= 0 && WIFEXITED(status) &&
	       WEXITSTATUS(status) == ((session->said << 1 | 1) & 0xff);
}

static int end_status(const struct session_plan *plan, const struct session *session,
		      int status, struct diag *why)
{
	if (ended_by_guest(session, status))
		return session->said;
	if (session->ended_by)
		return 128 + session->ended_by;
	if (WIFSIGNALED(status)) {
		diag_set(why, "%s was killed by signal %d", plan->qemu[0],
			 WTERMSIG(status));
		return EXIT_FAILED;
	}
	if (WEXITSTATUS(status)) {
		diag_set(why, "%s ended with status %d", plan->qemu[0],
			 WEXITSTATUS(status));
		return EXIT_FAILED;
	}
	if (!plan->interactive)
		return EXIT_DONE;
	diag_set(why, "the guest ended without an exit status");
	return STATUS_UNKNOWN;
}

static int open_signals(struct diag *why)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? diag_errno(why, "signalfd") : fd;
}

int session_run(const struct session_plan *plan, struct diag *why)
{
	struct session session = {
		.interactive = plan->interactive,
		.input_open = plan->interactive,
		.signals = -1,
		.status = plan->status[0],
		.said = -1,
		.probe = {.fd = -1,
			  .at = plan->http,
			  .patience_ms = PROBE_FIRST_MS,
			  .state = plan->http ? PROBE_PAUSED : PROBE_OFF}};
	int in[2] = {-1, -1}, out[2] = {-1, -1}, status = EXIT_FAILED;
	if (fcntl(plan->status[1], F_SETFD, 0) || pipe2(in, O_CLOEXEC) ||
	    pipe2(out, O_CLOEXEC)) {
		diag_errno(why, "pipe");
		goto out;
	}
	session.signals = open_signals(why);
	if (session.signals < 0)
		goto out;
	session.qemu = qemu_start(plan->qemu, in[0], out[1], why);
	if (session.qemu < 0)
		goto out;
	close(plan->status[1]);
	close(in[0]);
	close(out[1]);
	in[0] = out[1] = -1;
	session.to_guest = in[1];
	session.from_guest = out[0];
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	status = end_status(plan, &session, watch(&session), why);
out:
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (out[i] >= 0)
			close(out[i]);
	}
	if (session.probe.fd >= 0)
		close(session.probe.fd);
	if (session.signals >= 0)
		close(session.signals);
	return status;
}

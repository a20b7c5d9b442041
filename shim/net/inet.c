/* inet.c: TCP sockets: they bind, listen and accept. connect() is refused in every mode,
 * and a job that does not serve the network has no such sockets at all. */
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/net/inet_options.h"
#include "shim/net/net.h"
#include "shim/net/wire.h"
#include "shim/proc/process.h"
#include "shim/proc/wait.h"
#include "shim/vfs/abi.h"

#define EPHEMERAL_FIRST 32768u
#define EPHEMERAL_COUNT 28232u

static struct inet *inet_of(struct socket *socket)
{
	return container_of(socket, struct inet, socket);
}

static const struct socket_ops inet_ops;

static struct inet *inet_new(void)
{
	struct inet *inet = kzalloc(&job_current()->account, sizeof(*inet));
	if (!inet)
		return NULL;
	inet->socket = (struct socket){.ops = &inet_ops,
				       .family = AF_INET,
				       .type = SOCK_STREAM,
				       .protocol = IPPROTO_TCP};
	inet->linger_s = -1;
	waitq_init(&inet->changed);
	return inet;
}

static int inet_make(int type, int protocol, struct socket **out)
{
	struct job *job = job_current();
	if (!job->listens) {
		if (!job->sockets_logged)
			kprint("job %u: network sockets are not available to it\n",
			       job->id);
		job->sockets_logged = true;
		return -EACCES;
	}
	if (type != SOCK_STREAM)
		return type == SOCK_DGRAM || type == SOCK_RAW ? -EACCES
							      : -ESOCKTNOSUPPORT;
	if (protocol != 0 && protocol != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	if (!net_stack())
		return -EACCES;
	struct inet *inet = inet_new();
	if (!inet)
		return -ENOMEM;
	*out = &inet->socket;
	return 0;
}

const struct socket_family inet_family = {AF_INET, inet_make};

/* Addresses. */

static int address_decode(const struct socket_address *from, struct tcp_endpoint *to)
{
	if (from->size < 16)
		return -EINVAL;
	if (socket_address_family(from) != AF_INET)
		return -EAFNOSUPPORT;
	to->port = get16(from->bytes + 2);
	to->address = get32(from->bytes + 4);
	return 0;
}

static void address_encode(struct socket_address *to, struct tcp_endpoint from)
{
	memset(to->bytes, 0, 16);
	to->bytes[0] = AF_INET;
	put16(to->bytes + 2, from.port);
	put32(to->bytes + 4, from.address);
	to->size = 16;
}

static int inet_bind(struct socket *socket, const struct socket_address *address)
{
	struct inet *inet = inet_of(socket);
	struct tcp_endpoint local;
	int rc = address_decode(address, &local);
	if (rc < 0)
		return rc;
	if (inet->bound || inet->tcp || inet->listener)
		return -EINVAL;
	bool loopback = local.address >> 24 == 127;
	if (local.address && !loopback && local.address != net_stack()->address)
		return -EADDRNOTAVAIL;
	inet->local = local;
	inet->bound = true;
	return 0;
}

static int inet_connect(struct socket *socket, const struct socket_address *address,
			bool wait)
{
	(void)socket;
	(void)address;
	(void)wait;
	return -EACCES;
}

static int inet_name_get(struct socket *socket, bool peer, struct socket_address *out)
{
	struct inet *inet = inet_of(socket);
	if (peer && !inet->tcp)
		return -ENOTCONN;
	if (peer)
		address_encode(out, tcp_peer(inet->tcp));
	else
		address_encode(out, inet->tcp ? tcp_local(inet->tcp) : inet->local);
	return 0;
}

/* Listening. */

static void listener_acceptable(void *user)
{
	struct inet *inet = user;
	waitq_wake(&inet->changed, SOCKET_POLLIN | SOCKET_POLLRDNORM);
}

static uint32_t poll_bits(unsigned events)
{
	static const struct {
		unsigned event;
		uint32_t bits;
	} rows[] = {
		{TCP_READABLE, SOCKET_POLLIN | SOCKET_POLLRDNORM},
		{TCP_WRITABLE, SOCKET_POLLOUT | SOCKET_POLLWRNORM},
		{TCP_PEER_CLOSED, SOCKET_POLLIN | SOCKET_POLLRDNORM | SOCKET_POLLRDHUP},
		{TCP_CLOSED_BOTH, SOCKET_POLLHUP},
		{TCP_FAILED, SOCKET_POLLERR | SOCKET_POLLIN | SOCKET_POLLRDNORM |
				     SOCKET_POLLOUT | SOCKET_POLLRDHUP | SOCKET_POLLHUP},
	};
	uint32_t bits = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (events & rows[i].event)
			bits |= rows[i].bits;
	return bits;
}

static void connection_event(void *user, unsigned events)
{
	struct inet *inet = user;
	waitq_wake(&inet->changed, poll_bits(events));
}

static const struct tcp_user_ops user_ops = {listener_acceptable, connection_event};

static int listen_at(struct inet *inet, uint32_t backlog)
{
	int rc = tcp_listen(net_stack(), inet->local, backlog, &user_ops, inet,
			    &inet->listener);
	net_left();
	return rc;
}

static int inet_listen(struct socket *socket, int backlog)
{
	struct inet *inet = inet_of(socket);
	uint32_t wanted = backlog < 1 ? 1 : backlog > 4096 ? 4096 : (uint32_t)backlog;
	if (inet->tcp)
		return -EINVAL;
	if (inet->listener) {
		tcp_backlog_set(inet->listener, wanted);
		return 0;
	}
	if (inet->local.port)
		return listen_at(inet, wanted);
	/* Any free port, tried in turn from a random one. */
	uint32_t first = (uint32_t)(net_random(net_stack()) % EPHEMERAL_COUNT);
	int rc = -EADDRINUSE;
	for (uint32_t i = 0; rc == -EADDRINUSE && i < EPHEMERAL_COUNT; i++) {
		inet->local.port =
			(uint16_t)(EPHEMERAL_FIRST + (first + i) % EPHEMERAL_COUNT);
		rc = listen_at(inet, wanted);
	}
	return rc;
}

static int inet_accept(struct socket *socket, bool wait, struct socket **out)
{
	struct inet *inet = inet_of(socket);
	uint64_t deadline = socket_deadline_ns(socket->receive_timeout_ns);
	if (!inet->listener)
		return -EINVAL;
	while (!tcp_acceptable(inet->listener)) {
		int rc = wait ? wait_on(&inet->changed, deadline) : -EAGAIN;
		if (rc < 0)
			return rc == -ETIMEDOUT ? -EAGAIN : rc;
	}
	struct inet *made = inet_new();
	if (!made)
		return -ENOMEM;
	made->tcp = tcp_accept(inet->listener, &user_ops, made);
	if (!made->tcp) {
		kfree(made);
		return -EAGAIN;
	}
	inet_options_inherit(made, inet);
	*out = &made->socket;
	return 0;
}

/* Moving bytes. */

/* What ends a send or receive that can get no further: its result, or 0 to go on. */
static long give_up(struct inet *inet, long done, const struct socket_message *message,
		    uint64_t deadline)
{
	if (message->flags & MSG_DONTWAIT)
		return done ? done : -EAGAIN;
	net_left();
	int rc = wait_on(&inet->changed, deadline);
	if (rc == 0)
		return 0;
	if (done)
		return done;
	return rc == -ETIMEDOUT ? -EAGAIN : rc;
}

static long send_refused(struct inet *inet, long done,
			 const struct socket_message *message)
{
	int error = tcp_error_take(inet->tcp);
	if (done)
		return done;
	if (error && error != EPIPE)
		return -error;
	if (!(message->flags & MSG_NOSIGNAL)) {
		struct signal_info info = {.signo = SIGPIPE,
					   .pid = process_current()->pid};
		signal_send_thread(thread_current(), &info);
	}
	return -EPIPE;
}

static long inet_send(struct socket *socket, struct socket_message *message)
{
	struct inet *inet = inet_of(socket);
	struct uio *uio = message->uio;
	uint64_t deadline = socket_deadline_ns(socket->send_timeout_ns);
	long done = 0, rc = 0;
	if (!inet->tcp) {
		if (!(message->flags & MSG_NOSIGNAL)) {
			struct signal_info info = {.signo = SIGPIPE};
			signal_send_thread(thread_current(), &info);
		}
		return -EPIPE;
	}
	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	while (uio->left && rc == 0) {
		unsigned events = tcp_state_events(inet->tcp);
		if (inet->write_shut || (events & (TCP_FAILED | TCP_CLOSED_BOTH))) {
			rc = send_refused(inet, done, message);
			break;
		}
		size_t room = 0;
		char *space = tcp_write_space(inet->tcp, &room);
		if (room == 0) {
			rc = give_up(inet, done, message, deadline);
			continue;
		}
		if (room > uio->left)
			room = uio->left;
		long moved = uio_read_in(uio, space, room);
		if (moved <= 0) {
			rc = done ? done : -EFAULT;
			break;
		}
		done += moved;
		tcp_write_done(inet->tcp, (size_t)moved,
			       uio->left || (message->flags & MSG_MORE));
	}
	net_left();
	return rc ? rc : done;
}

static long inet_receive(struct socket *socket, struct socket_message *message)
{
	struct inet *inet = inet_of(socket);
	struct uio *uio = message->uio;
	uint64_t deadline = socket_deadline_ns(socket->receive_timeout_ns);
	long done = 0, rc = 0;
	if (!inet->tcp)
		return -ENOTCONN;
	if (message->flags & MSG_OOB)
		return -EINVAL;
	while (uio->left && rc == 0) {
		size_t run = 0;
		const void *bytes = tcp_read_peek(inet->tcp, &run);
		if (run == 0) {
			if (done && !(message->flags & MSG_WAITALL))
				break;
			unsigned events = tcp_state_events(inet->tcp);
			if (events & TCP_FAILED) {
				rc = done ? done : -tcp_error_take(inet->tcp);
				break;
			}
			if (inet->read_shut || (events & TCP_PEER_CLOSED))
				break;
			rc = give_up(inet, done, message, deadline);
			continue;
		}
		if (run > uio->left)
			run = uio->left;
		long moved = message->flags & MSG_TRUNC ? (long)run
							: uio_write_out(uio, bytes, run);
		if (moved <= 0) {
			rc = done ? done : -EFAULT;
			break;
		}
		if (message->flags & MSG_TRUNC)
			uio->left -= run;
		done += moved;
		if (message->flags & MSG_PEEK)
			break;
		tcp_read_done(inet->tcp, (size_t)moved);
	}
	if (done)
		net_left();
	return rc ? rc : done;
}

static int inet_shutdown(struct socket *socket, int how)
{
	struct inet *inet = inet_of(socket);
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (!inet->tcp)
		return -ENOTCONN;
	bool read = how != SHUT_WR, write = how != SHUT_RD;
	int rc = tcp_shutdown(inet->tcp, read, write);
	if (rc < 0)
		return rc;
	inet->read_shut |= read;
	inet->write_shut |= write;
	waitq_wake(&inet->changed, SOCKET_POLLIN | SOCKET_POLLOUT | SOCKET_POLLHUP);
	net_left();
	return 0;
}

static uint32_t inet_poll(struct socket *socket, struct poll_table *table)
{
	struct inet *inet = inet_of(socket);
	poll_add(table, &inet->changed);
	if (inet->listener)
		return tcp_acceptable(inet->listener) ? SOCKET_POLLIN | SOCKET_POLLRDNORM
						      : 0;
	if (!inet->tcp)
		return SOCKET_POLLOUT | SOCKET_POLLWRNORM | SOCKET_POLLHUP;
	uint32_t bits = poll_bits(tcp_state_events(inet->tcp));
	if (inet->write_shut)
		bits |= SOCKET_POLLOUT | SOCKET_POLLWRNORM;
	if (inet->read_shut)
		bits |= SOCKET_POLLIN | SOCKET_POLLRDNORM | SOCKET_POLLRDHUP;
	return bits;
}

enum { FIONREAD_COMMAND = 0x541b, SIOCOUTQ_COMMAND = 0x5411 };

static long inet_ioctl(struct socket *socket, uint32_t command, uint64_t argument)
{
	struct inet *inet = inet_of(socket);
	if (command != FIONREAD_COMMAND && command != SIOCOUTQ_COMMAND)
		return -ENOTTY;
	if (inet->listener)
		return -EINVAL;
	uint32_t bytes = 0;
	if (inet->tcp)
		bytes = (uint32_t)(command == FIONREAD_COMMAND ? tcp_readable(inet->tcp)
							       : tcp_unsent(inet->tcp));
	return copy_to_user((uaddr){argument}, &bytes, sizeof(bytes));
}

static void inet_release(struct socket *socket)
{
	struct inet *inet = inet_of(socket);
	if (inet->listener)
		tcp_unlisten(inet->listener);
	if (inet->tcp)
		tcp_release(inet->tcp, inet->linger_s);
	net_left();
	kfree(inet);
}

static const struct socket_ops inet_ops = {
	.name = "inet",
	.bind = inet_bind,
	.connect = inet_connect,
	.listen = inet_listen,
	.accept = inet_accept,
	.name_get = inet_name_get,
	.send = inet_send,
	.receive = inet_receive,
	.shutdown = inet_shutdown,
	.option_set = inet_option_set,
	.option_get = inet_option_get,
	.ioctl = inet_ioctl,
	.poll = inet_poll,
	.release = inet_release,
};

/* unix_socket.c: AF_UNIX sockets from making to release: connecting, listening, polling.
 * What else there is of them unix_socket.h names. */
#include "shim/vfs/unix_socket.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"

#define BACKLOG_MAX 4096
#define EVENTS_READ (POLLIN | POLLRDNORM)
#define EVENTS_END  (EVENTS_READ | UNIX_EVENTS_WRITE | POLLHUP | POLLRDHUP | POLLERR)

struct list unix_sockets = LIST_INIT(unix_sockets);

static const struct unix_credentials nobody = {0, UINT32_MAX, UINT32_MAX};

struct unix_credentials unix_credentials_current(void)
{
	return (struct unix_credentials){process_current()->pid, 0, 0};
}

static struct unix_socket *socket_new(int type)
{
	struct job *job = job_current();
	struct unix_socket *u = kzalloc(&job->account, sizeof(*u));
	if (!u)
		return NULL;
	u->socket = (struct socket){.ops = &unix_ops, .family = AF_UNIX, .type = type};
	u->job = job;
	u->refs = 1;
	u->peer_credentials = nobody;
	u->send_buffer = u->receive_buffer = UNIX_BUFFER_DEFAULT;
	list_init(&u->clients);
	list_init(&u->client_link);
	list_init(&u->queue);
	list_init(&u->pending);
	list_init(&u->pending_link);
	waitq_init(&u->readable);
	waitq_init(&u->writable);
	waitq_init(&u->senders);
	list_append(&unix_sockets, &u->all);
	return u;
}

static int unix_make(int type, int protocol, struct socket **out)
{
	if (protocol != 0 && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW) /* as Linux: an old name of datagrams here */
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	struct unix_socket *u = socket_new(type);
	if (!u)
		return -ENOMEM;
	*out = &u->socket;
	return 0;
}

const struct socket_family unix_family = {AF_UNIX, unix_make};

void unix_get(struct unix_socket *u)
{
	u->refs++;
}

void unix_put(struct unix_socket *u)
{
	if (--u->refs)
		return;
	unix_name_put(u->name);
	kfree(u);
}

void unix_peer_set(struct unix_socket *u, struct unix_socket *peer)
{
	struct unix_socket *old = u->peer;
	list_remove(&u->client_link);
	u->peer = peer;
	if (peer) {
		unix_get(peer);
		if (unix_is_datagram(u))
			list_append(&peer->clients, &u->client_link);
	}
	if (old)
		unix_put(old);
}

/* Connections. */

static void join(struct unix_socket *a, struct unix_socket *b)
{
	unix_peer_set(a, b);
	unix_peer_set(b, a);
	a->state = b->state = UNIX_CONNECTED;
}

static int unix_pair(struct socket *first, struct socket *second)
{
	struct unix_socket *a = unix_of(first), *b = unix_of(second);
	join(a, b);
	a->peer_credentials = b->peer_credentials = unix_credentials_current();
	return 0;
}

/* A socket that lost its peer to another, or to nobody, hears no more of the old one. */
static void datagram_detach(struct unix_socket *u, struct unix_socket *old)
{
	unix_queue_discard(u);
	if (old->peer == u && !old->dead) {
		old->error = ECONNRESET;
		waitq_wake(&old->readable, POLLERR);
	}
}

static int connect_datagram(struct unix_socket *u, const struct socket_address *address)
{
	struct unix_socket *to = NULL, *old = u->peer;
	if (address->size < 2)
		return -EINVAL;
	if (socket_address_family(address) != AF_UNSPEC) {
		int rc = u->pass_credentials ? unix_autobind(u) : 0;
		if (rc == 0)
			rc = unix_find(address, SOCK_DGRAM, &to);
		if (rc < 0)
			return rc;
		if (!unix_may_send(u, to)) {
			unix_put(to);
			return -EPERM;
		}
	}
	if (old)
		unix_get(old);
	unix_peer_set(u, to);
	if (old && old != to)
		datagram_detach(u, old);
	if (old)
		unix_put(old);
	if (to)
		unix_put(to);
	waitq_wake(&u->writable, UNIX_EVENTS_WRITE);
	return 0;
}

/* Waits until the listener has room; 0, or why the connection cannot be. */
static int await_room(struct unix_socket *u, struct unix_socket *listener, bool wait)
{
	uint64_t deadline = socket_deadline_ns(u->socket.send_timeout_ns);
	for (;;) {
		if (listener->dead || listener->state != UNIX_LISTENING ||
		    listener->read_shut)
			return -ECONNREFUSED;
		if (u->state != UNIX_CLOSED)
			return u->state == UNIX_LISTENING ? -EINVAL : -EISCONN;
		if (listener->pending_count <= listener->backlog)
			return 0;
		int rc = wait ? wait_on(&listener->senders, deadline) : -EAGAIN;
		if (rc < 0)
			return rc == -ETIMEDOUT ? -EAGAIN : rc;
	}
}

static int connect_stream(struct unix_socket *u, const struct socket_address *address,
			  bool wait)
{
	struct unix_socket *listener;
	int rc = u->pass_credentials ? unix_autobind(u) : 0;
	if (rc == 0)
		rc = unix_find(address, u->socket.type, &listener);
	if (rc < 0)
		return rc;
	rc = await_room(u, listener, wait);
	struct unix_socket *made = rc == 0 ? socket_new(u->socket.type) : NULL;
	if (rc == 0 && !made)
		rc = -ENOMEM;
	if (rc == 0) {
		join(u, made);
		made->name = listener->name;
		made->name->refs++;
		made->peer_credentials = unix_credentials_current();
		made->pass_credentials = listener->pass_credentials;
		u->peer_credentials = listener->peer_credentials;
		list_append(&listener->pending, &made->pending_link);
		listener->pending_count++;
		waitq_wake(&listener->readable, EVENTS_READ);
		waitq_wake(&u->writable, UNIX_EVENTS_WRITE);
	}
	unix_put(listener);
	return rc;
}

static int unix_connect(struct socket *socket, const struct socket_address *address,
			bool wait)
{
	struct unix_socket *u = unix_of(socket);
	return unix_is_datagram(u) ? connect_datagram(u, address)
				   : connect_stream(u, address, wait);
}

static int unix_listen(struct socket *socket, int backlog)
{
	struct unix_socket *u = unix_of(socket);
	if (unix_is_datagram(u))
		return -EOPNOTSUPP;
	if (!u->bound || u->state == UNIX_CONNECTED)
		return -EINVAL;
	u->state = UNIX_LISTENING;
	u->backlog = (uint32_t)backlog > BACKLOG_MAX ? BACKLOG_MAX : (uint32_t)backlog;
	u->peer_credentials = unix_credentials_current();
	waitq_wake(&u->senders, 0);
	return 0;
}

static int unix_accept(struct socket *socket, bool wait, struct socket **out)
{
	struct unix_socket *u = unix_of(socket);
	uint64_t deadline = socket_deadline_ns(socket->receive_timeout_ns);
	if (unix_is_datagram(u))
		return -EOPNOTSUPP;
	if (u->state != UNIX_LISTENING)
		return -EINVAL;
	while (list_empty(&u->pending)) {
		if (u->read_shut)
			return -EINVAL;
		int rc = wait ? wait_on(&u->readable, deadline) : -EAGAIN;
		if (rc < 0)
			return rc == -ETIMEDOUT ? -EAGAIN : rc;
	}
	struct unix_socket *made =
		list_entry(u->pending.next, struct unix_socket, pending_link);
	list_remove(&made->pending_link);
	u->pending_count--;
	waitq_wake(&u->senders, 0);
	*out = &made->socket;
	return 0;
}

static int unix_name_get(struct socket *socket, bool peer, struct socket_address *out)
{
	const struct unix_socket *u = unix_of(socket);
	if (peer && !u->peer)
		return -ENOTCONN;
	unix_name_out(peer ? u->peer->name : u->name, out);
	return 0;
}

/* Ends. */

static void shut(struct unix_socket *u, bool read, bool write)
{
	u->read_shut |= read;
	u->write_shut |= write;
	waitq_wake(&u->readable, EVENTS_END);
	waitq_wake(&u->writable, EVENTS_END);
	waitq_wake(&u->senders, 0);
}

static int unix_shutdown(struct socket *socket, int how)
{
	struct unix_socket *u = unix_of(socket);
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	bool read = how != SHUT_WR, write = how != SHUT_RD;
	shut(u, read, write);
	if (u->peer && !u->peer->dead && !unix_is_datagram(u))
		shut(u->peer, write, read);
	return 0;
}

static void leave_peer(struct unix_socket *u, bool unread)
{
	struct unix_socket *peer = u->peer;
	if (!peer)
		return;
	if (!unix_is_datagram(u) && !peer->dead) {
		if (unread)
			peer->error = ECONNRESET;
		shut(peer, true, true);
	}
	unix_peer_set(u, NULL);
}

static void unix_release(struct socket *socket)
{
	struct unix_socket *u = unix_of(socket);
	bool unread = !list_empty(&u->queue) || !list_empty(&u->pending_link);
	list_remove(&u->all);
	list_remove(&u->pending_link);
	u->dead = u->read_shut = u->write_shut = true;
	u->bound = false;
	if (u->vnode)
		vnode_put(u->vnode);
	u->vnode = NULL;
	list_for_each_safe(made, &u->pending, struct unix_socket, pending_link)
		unix_release(&made->socket);
	leave_peer(u, unread);
	list_for_each(client, &u->clients, struct unix_socket, client_link)
		waitq_wake(&client->writable, UNIX_EVENTS_WRITE);
	waitq_wake(&u->senders, 0);
	unix_queue_discard(u);
	unix_put(u);
	unix_garbage_collect();
}

void unix_job_ended(const struct job *job)
{
	struct list messages = LIST_INIT(messages);
	list_for_each(u, &unix_sockets, struct unix_socket, all)
		if (u->job == job)
			unix_queue_take(u, &messages);
	unix_discard(&messages);
}

static uint32_t unix_poll(struct socket *socket, struct poll_table *table)
{
	struct unix_socket *u = unix_of(socket);
	uint32_t bits = u->error ? POLLERR : 0;
	poll_add(table, &u->readable);
	poll_add(table, &u->writable);
	if (u->read_shut)
		bits |= EVENTS_READ | POLLRDHUP;
	if (u->read_shut && u->write_shut)
		bits |= POLLHUP;
	if (!list_empty(&u->queue) || !list_empty(&u->pending))
		bits |= EVENTS_READ;
	if (!unix_is_datagram(u) && u->state == UNIX_CLOSED)
		bits |= POLLHUP;
	bool room =
		!u->peer || u->peer->dead || u->peer->queue_bytes * 4 <= u->send_buffer;
	if (room && unix_is_datagram(u) && u->peer && !u->peer->dead)
		room = !unix_is_full(u, u->peer);
	if (u->state != UNIX_LISTENING && room)
		bits |= UNIX_EVENTS_WRITE;
	return bits;
}

const struct socket_ops unix_ops = {
	.name = "unix",
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.pair = unix_pair,
	.name_get = unix_name_get,
	.send = unix_send,
	.receive = unix_receive,
	.shutdown = unix_shutdown,
	.option_set = unix_option_set,
	.option_get = unix_option_get,
	.ioctl = unix_ioctl,
	.poll = unix_poll,
	.release = unix_release,
};

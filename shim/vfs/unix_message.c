/* unix_message.c: sending and receiving over AF_UNIX sockets: streams, and datagrams with
 * the sequential packets that are received like them. */
#include "shim/vfs/unix_socket.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"

/* One message of a stream: what a large write is cut into. */
#define STREAM_PIECE_MAX (8u * PAGE_SIZE)

/* Sending. */

/* A full message from u; *with moves into it. */
static int message_from(struct unix_socket *u, const struct unix_socket *to,
			uint32_t size, struct uio *uio, struct unix_ancillary *with,
			struct unix_message **out)
{
	struct unix_message *message = unix_message_make(size);
	if (!message)
		return -ENOMEM;
	int rc = unix_message_fill(message, uio);
	if (rc < 0) {
		unix_message_free(message);
		return rc;
	}
	message->from = u->name;
	if (u->name)
		u->name->refs++;
	message->with = *with;
	message->with.has_credentials |= u->pass_credentials ||
					 (to && to->pass_credentials) ||
					 (to && !list_empty(&to->pending_link));
	with->files = NULL;
	with->file_count = 0;
	*out = message;
	return 0;
}

static long broken(const struct socket_message *message)
{
	if (!(message->flags & MSG_NOSIGNAL)) {
		struct signal_info info = {.signo = SIGPIPE,
					   .pid = process_current()->pid};
		signal_send_thread(thread_current(), &info);
	}
	return -EPIPE;
}

/* Waits for room; 0, or what ends the call. */
static int await(struct waitq *q, const struct socket_message *message, uint64_t deadline)
{
	if (message->flags & MSG_DONTWAIT)
		return -EAGAIN;
	int rc = wait_on(q, deadline);
	return rc == -ETIMEDOUT ? -EAGAIN : rc;
}

static long send_stream(struct unix_socket *u, struct socket_message *message,
			struct unix_ancillary *with)
{
	struct uio *uio = message->uio;
	uint64_t deadline = socket_deadline_ns(u->socket.send_timeout_ns);
	long done = 0;
	if (message->address && message->address->size)
		return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	if (!u->peer)
		return -ENOTCONN;
	if (u->write_shut)
		return broken(message);
	while (uio->left) {
		struct unix_message *made;
		if (u->write_shut || u->peer->dead || u->peer->read_shut)
			return done ? done : broken(message);
		if (unix_is_full(u, u->peer)) {
			int rc = await(&u->writable, message, deadline);
			if (rc < 0)
				return done ? done : rc;
			continue;
		}
		uint32_t size = uio->left < STREAM_PIECE_MAX ? (uint32_t)uio->left
							     : (uint32_t)STREAM_PIECE_MAX;
		int rc = message_from(u, u->peer, size, uio, with, &made);
		if (rc < 0)
			return done ? done : rc;
		done += made->size;
		bool short_memory = made->size < size;
		unix_queue_put(u->peer, made);
		if (short_memory)
			break;
	}
	return done;
}

/* Puts a message in a queue when there is room; 0, or the error (it stays the caller's).
 */
static int deliver(struct unix_socket *u, struct unix_socket *to,
		   struct unix_message *message, const struct socket_message *request)
{
	uint64_t deadline = socket_deadline_ns(u->socket.send_timeout_ns);
	for (;;) {
		if (u->write_shut)
			return -EPIPE;
		if (!unix_may_send(u, to))
			return -EPERM;
		if (to->dead) {
			if (u->peer == to)
				unix_peer_set(u, NULL);
			return -ECONNREFUSED;
		}
		if (to->read_shut)
			return -EPIPE;
		if (!unix_is_full(u, to))
			break;
		int rc = await(u->peer == to ? &u->writable : &to->senders, request,
			       deadline);
		if (rc < 0)
			return rc;
	}
	unix_queue_put(to, message);
	return 0;
}

static int destination(struct unix_socket *u, const struct socket_message *message,
		       struct unix_socket **out)
{
	if (unix_is_datagram(u) && message->address && message->address->size)
		return unix_find(message->address, SOCK_DGRAM, out);
	if (!u->peer)
		return -ENOTCONN;
	*out = u->peer;
	unix_get(*out);
	return 0;
}

static long send_datagram(struct unix_socket *u, struct socket_message *message,
			  struct unix_ancillary *with)
{
	uint64_t size = message->uio->left;
	struct unix_socket *to;
	struct unix_message *made = NULL;
	int rc = destination(u, message, &to);
	if (rc < 0)
		return rc;
	if (size > u->send_buffer - 32)
		rc = -EMSGSIZE;
	if (rc == 0 && u->pass_credentials)
		rc = unix_autobind(u);
	if (rc == 0)
		rc = message_from(u, to, (uint32_t)size, message->uio, with, &made);
	if (rc == 0 && made->size < size)
		rc = -EFAULT;
	if (rc == 0)
		rc = deliver(u, to, made, message);
	if (rc < 0 && made) {
		unix_ancillary_put(&made->with);
		unix_message_free(made);
	}
	unix_put(to);
	return rc < 0 ? rc : (long)size;
}

long unix_send(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *u = unix_of(socket);
	struct unix_ancillary with;
	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	int rc = unix_ancillary_in(message, &with);
	if (rc < 0)
		return rc;
	long result = unix_is_stream(u) ? send_stream(u, message, &with)
					: send_datagram(u, message, &with);
	unix_ancillary_put(&with);
	return result;
}

/* Receiving. */

/* Why nothing can come any more: 0 for the end, or the error. 1: something may. */
static int ended(struct unix_socket *u)
{
	int error = u->error;
	u->error = 0;
	return error ? -error : u->read_shut ? 0 : 1;
}

/* What came with a message goes to the receiver, or to peek a copy of it. */
static int take_ancillary(struct unix_message *message, bool peek,
			  struct unix_ancillary *out)
{
	if (peek)
		return unix_ancillary_copy(out, &message->with);
	unix_flight_end(&message->with);
	*out = message->with;
	message->with.files = NULL;
	message->with.file_count = 0;
	return 0;
}

static bool same_sender(const struct unix_ancillary *a, const struct unix_ancillary *b)
{
	return a->has_credentials == b->has_credentials &&
	       (!a->has_credentials ||
		memcmp(&a->credentials, &b->credentials, sizeof(a->credentials)) == 0);
}

static void sender_out(struct socket_message *request, const struct unix_message *message)
{
	if (request->address && message->from)
		unix_name_out(message->from, request->address);
}

/* Receives from the messages that are there. Stops behind one that brought descriptors,
 * and before one of another sender when the receiver wants to know senders. *last: no
 * more. */
static long stream_take(struct unix_socket *u, struct socket_message *request,
			struct unix_ancillary *with, long before, bool *last)
{
	bool peek = (request->flags & MSG_PEEK) != 0;
	struct uio *uio = request->uio;
	long done = 0;
	list_for_each_safe(message, &u->queue, struct unix_message, link) {
		if (!uio->left || with->file_count)
			break;
		if (before + done == 0)
			sender_out(request, message);
		else if (u->pass_credentials && !same_sender(&message->with, with)) {
			*last = true;
			break;
		}
		uint64_t wanted = message->size - message->taken;
		if (wanted > uio->left)
			wanted = uio->left;
		uint32_t moved = unix_message_read(message, message->taken, uio);
		done += moved;
		*last |= moved < wanted;
		if (moved == 0)
			return before + done ? done : -EFAULT;
		int rc = take_ancillary(message, peek, with);
		if (rc < 0)
			return rc;
		*last |= with->file_count > 0;
		if (!peek) {
			message->taken += moved;
			if (message->taken == message->size)
				unix_queue_consume(u, message);
		}
		if (*last)
			break;
	}
	return done;
}

static long receive_stream(struct unix_socket *u, struct socket_message *request,
			   struct unix_ancillary *with)
{
	uint64_t deadline = socket_deadline_ns(u->socket.receive_timeout_ns);
	bool all = (request->flags & MSG_WAITALL) != 0, last = false;
	long done = 0;
	if (u->state != UNIX_CONNECTED)
		return -EINVAL;
	while (request->uio->left) {
		long moved = stream_take(u, request, with, done, &last);
		if (moved < 0)
			return done ? done : moved;
		done += moved;
		if (last || (done && (!all || (request->flags & MSG_PEEK))) ||
		    !request->uio->left)
			break;
		if (moved)
			continue;
		int rc = ended(u);
		if (rc == 1)
			rc = await(&u->readable, request, deadline);
		else if (rc == 0)
			break;
		if (rc < 0)
			return done ? done : rc;
	}
	return done;
}

static long receive_datagram(struct unix_socket *u, struct socket_message *request,
			     struct unix_ancillary *with)
{
	uint64_t deadline = socket_deadline_ns(u->socket.receive_timeout_ns);
	bool peek = (request->flags & MSG_PEEK) != 0;
	if (!unix_is_datagram(u) && u->state != UNIX_CONNECTED)
		return -ENOTCONN;
	while (list_empty(&u->queue)) {
		int rc = ended(u);
		if (rc == 0 && unix_is_datagram(u) && (request->flags & MSG_DONTWAIT))
			return -EAGAIN;
		if (rc <= 0)
			return rc;
		rc = await(&u->readable, request, deadline);
		if (rc < 0)
			return rc;
	}
	struct unix_message *message =
		list_entry(u->queue.next, struct unix_message, link);
	uint64_t room = request->uio->left;
	uint32_t wanted = room < message->size ? (uint32_t)room : message->size;
	uint32_t size = message->size,
		 moved = unix_message_read(message, 0, request->uio);
	sender_out(request, message);
	int rc = take_ancillary(message, peek, with);
	if (rc == 0 && moved < wanted)
		rc = -EFAULT; /* and the message is gone, as on Linux */
	if (room < size)
		request->flags_out |= MSG_TRUNC;
	if (!peek)
		unix_queue_consume(u, message);
	if (rc < 0)
		return rc;
	return request->flags & MSG_TRUNC ? (long)size : (long)moved;
}

long unix_receive(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *u = unix_of(socket);
	struct unix_ancillary with = {.files = NULL};
	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	message->flags_out = 0;
	long result = unix_is_stream(u) ? receive_stream(u, message, &with)
					: receive_datagram(u, message, &with);
	if (result >= 0)
		unix_ancillary_out(u, message, &with);
	unix_ancillary_put(&with);
	return result;
}

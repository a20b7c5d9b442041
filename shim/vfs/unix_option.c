/* unix_option.c: what a local socket is asked and told: options, and ioctls on its
 * queues.
 *
 * Buffers are as Linux counts them (twice what was asked for); switches change nothing
 * for local sockets but are read back. */
#include "shim/vfs/unix_socket.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"

enum { FIONREAD_COMMAND = 0x541b, SIOCOUTQ_COMMAND = 0x5411 };

static uint32_t unread_bytes(const struct unix_socket *u)
{
	uint32_t bytes = 0;
	list_for_each(message, &u->queue, struct unix_message, link) {
		bytes += message->size - message->taken;
		if (!unix_is_stream(u))
			break;
	}
	return bytes;
}

long unix_ioctl(struct socket *socket, uint32_t command, uint64_t argument)
{
	const struct unix_socket *u = unix_of(socket);
	uint32_t bytes = 0;
	if (command != FIONREAD_COMMAND && command != SIOCOUTQ_COMMAND)
		return -ENOTTY;
	if (command == FIONREAD_COMMAND && u->state == UNIX_LISTENING)
		return -EINVAL;
	if (command == FIONREAD_COMMAND)
		bytes = unread_bytes(u);
	else if (u->peer)
		bytes = (uint32_t)u->peer->queue_bytes;
	return copy_to_user((uaddr){argument}, &bytes, sizeof(bytes));
}

#define SNDBUF_MIN 4608u
#define RCVBUF_MIN 2304u

static const int switches[] = {SO_REUSEADDR, SO_BROADCAST, SO_KEEPALIVE};

static int switch_index(int option)
{
	for (int i = 0; i < (int)(sizeof(switches) / sizeof(switches[0])); i++)
		if (switches[i] == option)
			return i;
	return -1;
}

static uint32_t buffer_size(int32_t asked, uint32_t min)
{
	uint32_t size = asked < 0 || (uint32_t)asked > UNIX_BUFFER_DEFAULT
				? UNIX_BUFFER_DEFAULT
				: (uint32_t)asked;
	return size * 2 < min ? min : size * 2;
}

int unix_option_set(struct socket *socket, int level, int option, const void *value,
		    uint32_t size)
{
	struct unix_socket *u = unix_of(socket);
	int32_t number;
	int index = switch_index(option);
	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (size < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	if (option == SO_PASSCRED) {
		u->pass_credentials = number != 0;
	} else if (option == SO_SNDBUF) {
		u->send_buffer = buffer_size(number, SNDBUF_MIN);
		waitq_wake(&u->writable, UNIX_EVENTS_WRITE);
	} else if (option == SO_RCVBUF) {
		u->receive_buffer = buffer_size(number, RCVBUF_MIN);
	} else if (index >= 0) {
		u->option_bits &= ~(1u << index);
		u->option_bits |= (uint32_t)(number != 0) << index;
	} else {
		return -ENOPROTOOPT;
	}
	return 0;
}

int unix_option_get(struct socket *socket, int level, int option, void *value,
		    uint32_t *size)
{
	struct unix_socket *u = unix_of(socket);
	uint32_t number = 0, room = sizeof(number);
	int index = switch_index(option);
	const void *from = &number;
	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (option == SO_PEERCRED) {
		from = &u->peer_credentials;
		room = sizeof(u->peer_credentials);
	} else if (option == SO_PASSCRED) {
		number = u->pass_credentials;
	} else if (option == SO_SNDBUF) {
		number = u->send_buffer;
	} else if (option == SO_RCVBUF) {
		number = u->receive_buffer;
	} else if (option == SO_ACCEPTCONN) {
		number = u->state == UNIX_LISTENING;
	} else if (option == SO_RCVLOWAT) {
		number = 1;
	} else if (option == SO_ERROR) {
		number = (uint32_t)u->error;
		u->error = 0;
	} else if (index >= 0) {
		number = u->option_bits >> index & 1;
	} else {
		return -ENOPROTOOPT;
	}
	if (*size > room)
		*size = room;
	memcpy(value, from, *size);
	return 0;
}

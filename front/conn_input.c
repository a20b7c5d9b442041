/* conn_input.c: a connection's input: its socket, and the buffer that holds heads and
 * what was read with them. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "front/block.h"
#include "front/conn_parts.h"

void conn_release_input(struct conn *conn)
{
	block_put(conn->in, conn->in_room);
	conn->in = NULL;
	conn->in_room = conn->in_start = conn->in_end = 0;
}

/* Makes room behind the bytes in the buffer. */
static bool grow_input(struct conn *conn)
{
	size_t held = conn->in_end - conn->in_start;
	if (conn->in && conn->in_end < conn->in_room)
		return true;
	if (conn->in && conn->in_start > 0) {
		memmove(conn->in, conn->in + conn->in_start, held);
	} else {
		size_t room = 0;
		char *in = block_get(conn->in ? conn->in_room * 2 : BLOCK_SMALL, &room);
		if (!in)
			return false;
		if (held)
			memcpy(in, conn->in + conn->in_start, held);
		block_put(conn->in, conn->in_room);
		conn->in = in;
		conn->in_room = room;
	}
	conn->in_start = 0;
	conn->in_end = held;
	return true;
}

/* A short read has emptied the socket: epoll(7), on edge-triggered streams. */
size_t conn_receive(struct conn *conn, char *to, size_t room)
{
	ssize_t n = recv(conn->fd, to, room, 0);
	if (n > 0) {
		conn->readable = (size_t)n == room || conn->hangup;
		conn->server->metrics.bytes_in += (uint64_t)n;
		return (size_t)n;
	}
	if (n < 0 && errno == EINTR)
		return 0;
	conn->readable = false;
	if (n == 0 || errno != EAGAIN)
		conn_close(conn);
	return 0;
}

bool conn_fill(struct conn *conn)
{
	if (!conn->readable)
		return false;
	if (!grow_input(conn)) {
		conn_close(conn);
		return false;
	}
	conn->in_end +=
		conn_receive(conn, conn->in + conn->in_end, conn->in_room - conn->in_end);
	return conn->state != CONN_DEAD;
}

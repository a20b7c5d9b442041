/* conn_parts.h: what the files of a connection share: conn.c (its states), conn_list.c,
 * conn_input.c, conn_body.c and conn_answer.c. */
#ifndef ELFPACK_FRONT_CONN_PARTS_H
#define ELFPACK_FRONT_CONN_PARTS_H

#include "front/conn.h"

#define FLOOR_GRACE_NS (5ull * SECOND_NS) /* before the floor rate counts */

static inline const struct limits *conn_limits(const struct conn *conn)
{
	return &conn->server->image->manifest.limits;
}

/* conn.c. Its socket has something for it. */
void conn_ready(struct event_source *source, uint32_t events);

/* Bytes passed buy time at the floor rate, but never more than an idle connection has:
 * who was fast before may not stop for ever. most_ns: from the state's beginning. */
void conn_extend_deadline(struct conn *conn, uint64_t most_ns);

/* Runs the request, whose body is complete, or refuses it. */
void conn_submit(struct conn *conn);

/* conn_input.c. Reads once. Returns the bytes, 0 when there are none now; closes at the
 * end. */
size_t conn_receive(struct conn *conn, char *to, size_t room);

/* Reads once into the buffer. Returns false when there is nothing to read now, or the
 * connection has been closed. */
bool conn_fill(struct conn *conn);

void conn_release_input(struct conn *conn);

/* conn_body.c. Each of these may refuse the request. */
void conn_begin_body(struct conn *conn);

/* Takes what has come. Returns true when the state has changed. */
bool conn_advance_body(struct conn *conn);

/* conn_answer.c. Refuses while the client may still be sending: nothing after it can be
 * understood. */
void conn_refuse_and_close(struct conn *conn, int status, const char *why,
			   const char *about);

void conn_begin_log(struct conn *conn);

/* The request is over, answered or not. */
void conn_end_log(struct conn *conn);

#endif

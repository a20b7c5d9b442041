/* conn.h: one client's connection: reading a request, waiting for its job, answering. */
#ifndef ELFPACK_FRONT_CONN_H
#define ELFPACK_FRONT_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/chain.h"
#include "front/http_chunk.h"
#include "front/http_parse.h"
#include "front/request.h"
#include "front/response.h"
#include "front/server.h"
#include "front/timer.h"

enum conn_state {
	CONN_HEAD, /* waiting for a request, or in the middle of its head */
	CONN_BODY,
	CONN_QUEUED,
	CONN_RUNNING,
	CONN_ANSWER, /* out is being sent */
	CONN_LINGER, /* answered and shut down; what still comes is thrown away, so that a
		      * reset does not overtake the answer (RFC 9112, 9.6), nor, while
		      * draining, an image's power-off, which takes unsent bytes along */
	CONN_DEAD,
};

struct conn {
	struct event_source source;
	struct timer timer;
	struct server *server;
	struct conn *next, *prev;             /* server->conns */
	struct conn *queue_next, *queue_prev; /* server->queue */
	int fd;
	enum conn_state state;
	bool readable, writable; /* until EAGAIN */
	bool hangup;             /* FIN or reset has come */
	bool close_after;        /* this answer is the last */
	bool body_unread; /* the client may still be sending what nobody will read */
	bool in_request;  /* bytes of a head have come */
	bool yielded;     /* it has more to do, after the others */
	char *in;         /* NULL while idle */
	size_t in_room, in_start, in_end;
	struct http_head head;
	struct chunk_decoder chunks;
	struct request *request;
	struct job *job; /* in CONN_RUNNING */
	struct chain body, out;
	uint64_t body_left; /* of a Content-Length */
	uint64_t progress;  /* bytes of this body or answer since the deadline was set */
	uint64_t since_ns;  /* when this state began */
	uint32_t peer;      /* its IPv4 address */
	bool admin;         /* it came in by the admin port */
	bool logging;       /* entry is of a request that is not in the log yet */
	struct log_entry entry;
};

/* Takes an accepted socket. Returns 0, or -errno with the socket left to the caller. */
int conn_open(struct server *server, int fd, uint32_t peer, bool admin);

/* Goes on as far as it can without waiting. */
void conn_advance(struct conn *conn);

/* Its deadline has passed. */
void conn_expired(struct conn *conn);

/* Ends it now, with its job, if it has one. */
void conn_close(struct conn *conn);

/* Changes its state, with a deadline from now. */
void conn_enter(struct conn *conn, enum conn_state state, uint64_t wait_ns);

/* Appends an answer's head and body to out. Returns 0 or -ENOMEM. */
int conn_write_head(struct conn *conn, const struct answer *answer, struct chain *body);

/* What is in out is the answer's end, or all of it. */
void conn_begin_answer(struct conn *conn);

/* Sends of out what the socket takes. Returns false when that closed the connection. */
bool conn_send(struct conn *conn);

/* Gives its request this answer; body is emptied. conn_advance sends it. */
void conn_answer(struct conn *conn, const struct answer *answer, struct chain *body);

/* An answer that is a sentence; about may be NULL. */
void conn_refuse(struct conn *conn, int status, const char *why, const char *about);

/* Frees what was closed in this turn of the loop. */
void conn_bury(struct server *server);

/* Makes room by closing the connection that has waited longest for its client. */
bool conn_evict(struct server *server);

/* Closes those that are between requests. */
void conn_close_idle(struct server *server);

/* Is any of them in the middle of a request or an answer? */
bool conn_any_busy(const struct server *server);

#endif

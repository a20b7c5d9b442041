/* conn.c: one client's connection: reading a request, waiting for its job, answering.
 *
 * A connection is a state machine that conn_advance drives until it has to wait: for its
 * socket (events set readable and writable), for its job (job.c answers), or for its
 * deadline. Bytes of later requests stay in the buffer or the socket until their turn. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/block.h"
#include "front/conn.h"
#include "front/gunzip.h"
#include "front/job.h"
#include "front/resources.h"
#include "front/text.h"

#define FLOOR_GRACE_NS (5ull * SECOND_NS) /* before the floor rate counts */
#define LINGER_NS      (2ull * SECOND_NS)
#define ANSWERS_A_TURN 64 /* then others get their turn */

static const struct limits *limits_of(const struct conn *conn)
{
	return &conn->server->image->manifest.limits;
}

void conn_enter(struct conn *conn, enum conn_state state, uint64_t wait_ns)
{
	conn->state = state;
	conn->since_ns = conn->server->now_ns;
	conn->progress = 0;
	timer_set(&conn->server->timers, &conn->timer, conn->since_ns + wait_ns);
}

/* Bytes passed buy time at the floor rate, but never more than an idle connection has:
 * who was fast before may not stop for ever. most_ns: from the state's beginning. */
static void extend_deadline(struct conn *conn, uint64_t most_ns)
{
	const struct limits *limits = limits_of(conn);
	uint64_t cap_ns = conn->server->now_ns + limits->idle_ms * MS_NS;
	uint64_t deadline_ns = cap_ns;
	if (limits->floor_rate)
		deadline_ns = conn->timer.deadline_ns +
			      conn->progress * SECOND_NS / limits->floor_rate;
	conn->progress = 0;
	if (deadline_ns > cap_ns)
		deadline_ns = cap_ns;
	if (deadline_ns > conn->since_ns + most_ns)
		deadline_ns = conn->since_ns + most_ns;
	timer_set(&conn->server->timers, &conn->timer, deadline_ns);
}

static void release_input(struct conn *conn)
{
	block_put(conn->in, conn->in_room);
	conn->in = NULL;
	conn->in_room = conn->in_start = conn->in_end = 0;
}

static void conn_ready(struct event_source *source, uint32_t events)
{
	struct conn *conn = (struct conn *)source; /* its first member */
	if (conn->state == CONN_DEAD)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		conn->readable = true;
	if (events & EPOLLOUT)
		conn->writable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		conn->hangup = true;
	if (conn->hangup && (conn->state == CONN_QUEUED || conn->state == CONN_RUNNING))
		conn_close(conn);
	else
		conn_advance(conn);
}

/* The request is over, answered or not. */
static void end_log(struct conn *conn)
{
	if (!conn->logging)
		return;
	conn->logging = false;
	conn->entry.wall_ns = conn->server->now_ns - conn->entry.begun_ns;
	durations_add(&conn->server->metrics.answered, conn->entry.wall_ns);
	if (!request_log_wanted(&conn->server->log))
		return;
	conn->entry.peer = conn->peer;
	conn->entry.id = conn->request ? conn->request->id : "";
	request_log_add(&conn->server->log, &conn->entry);
}

static void begin_log(struct conn *conn)
{
	const struct http_head *head = &conn->head;
	conn->logging = true;
	conn->entry.begun_ns = conn->server->now_ns;
	if (!request_log_wanted(&conn->server->log))
		return;
	conn->entry = (struct log_entry){
		.begun_ns = conn->server->now_ns,
		.method = head->method,
		.args = conn->request ? conn->request->query.arg_count : 0,
	};
	struct text path = text_over(conn->entry.path, sizeof(conn->entry.path) - 1);
	if (head->have_line && conn->in)
		text_bytes(&path, conn->in + conn->in_start + head->path.at,
			   head->path.size);
}

int conn_open(struct server *server, int fd, uint32_t peer, bool admin)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	conn->source.ready = conn_ready;
	conn->server = server;
	conn->fd = fd;
	conn->peer = peer;
	conn->admin = admin;
	conn->writable = true;
	int rc = timer_add(&server->timers, &conn->timer);
	if (rc) {
		free(conn);
		return rc;
	}
	rc = server_watch(server, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
			  &conn->source);
	if (rc) {
		timer_remove(&server->timers, &conn->timer);
		free(conn);
		return rc;
	}
	conn->prev = server->conns.last;
	if (conn->prev)
		conn->prev->next = conn;
	else
		server->conns.first = conn;
	server->conns.last = conn;
	server->conns.count++;
	conn_enter(conn, CONN_HEAD, limits_of(conn)->idle_ms * MS_NS);
	return 0;
}

void conn_close(struct conn *conn)
{
	struct server *server = conn->server;
	if (conn->state == CONN_DEAD)
		return;
	if (conn->state == CONN_QUEUED || conn->state == CONN_RUNNING)
		job_cancel(conn);
	end_log(conn);
	conn->state = CONN_DEAD;
	close(conn->fd);
	timer_remove(&server->timers, &conn->timer);
	request_free(conn->request);
	release_input(conn);
	chain_free(&conn->body);
	chain_free(&conn->out);
	*(conn->prev ? &conn->prev->next : &server->conns.first) = conn->next;
	*(conn->next ? &conn->next->prev : &server->conns.last) = conn->prev;
	server->conns.count--;
	conn->next = server->dead;
	server->dead = conn;
}

void conn_bury(struct server *server)
{
	while (server->dead) {
		struct conn *conn = server->dead;
		server->dead = conn->next;
		free(conn);
	}
}

bool conn_evict(struct server *server)
{
	struct conn *oldest = NULL;
	for (struct conn *c = server->conns.first; c; c = c->next)
		if ((c->state == CONN_HEAD || c->state == CONN_LINGER) &&
		    (!oldest || c->since_ns < oldest->since_ns))
			oldest = c;
	if (oldest)
		conn_close(oldest);
	return oldest != NULL;
}

void conn_close_idle(struct server *server)
{
	struct conn *next = NULL;
	for (struct conn *c = server->conns.first; c; c = next) {
		next = c->next;
		if (c->state == CONN_HEAD && !c->in_request)
			conn_close(c);
	}
}

bool conn_any_busy(const struct server *server)
{
	for (const struct conn *c = server->conns.first; c; c = c->next)
		if (c->state != CONN_HEAD || c->in_request)
			return true;
	return false;
}

/* Refuses while the client may still be sending: nothing after it can be understood. */
static void refuse_and_close(struct conn *conn, int status, const char *why,
			     const char *about)
{
	conn->close_after = conn->body_unread = true;
	conn_refuse(conn, status, why, about);
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

/* Reads once. Returns the bytes, 0 when there are none now; closes at the end. A short
 * read has emptied the socket: epoll(7), on edge-triggered streams. */
static size_t receive(struct conn *conn, char *to, size_t room)
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

static bool receive_input(struct conn *conn)
{
	if (!conn->readable)
		return false;
	if (!grow_input(conn)) {
		conn_close(conn);
		return false;
	}
	conn->in_end +=
		receive(conn, conn->in + conn->in_end, conn->in_room - conn->in_end);
	return conn->state != CONN_DEAD;
}

/* Routes that front answers itself, at once. */
static void answer_route(struct conn *conn)
{
	struct server *server = conn->server;
	struct chain body = {0};
	struct answer answer = {.status = 200, .type = "text/plain; charset=utf-8"};
	switch (conn->request->route) {
	case ROUTE_OPTIONS:
		answer = (struct answer){.status = 204,
					 .allow = conn->request->refusal.allow};
		break;
	case ROUTE_READY:
		if (server->draining) {
			conn_refuse(conn, 503, "draining", NULL);
			return;
		}
		if (server->queue.count >= limits_of(conn)->queue &&
		    server->jobs_running) {
			conn_refuse(conn, 429, "the queue is full", NULL);
			return;
		}
		chain_append_text(&body, "ready\n");
		break;
	case ROUTE_INFO:
		answer.type = "application/json";
		info_json(server, &body);
		break;
	case ROUTE_METRICS:
		answer.type = "text/plain; version=0.0.4; charset=utf-8";
		metrics_text(server, &body);
		break;
	case ROUTE_LOG:
		answer.type = "application/jsonl; charset=utf-8";
		request_log_text(&server->log, &body);
		break;
	case ROUTE_OPENAPI:
		answer.type = "application/json";
		openapi_json(server, &body);
		break;
	case ROUTE_UI:
		answer.type = "text/html; charset=utf-8";
		answer.policy = UI_POLICY;
		ui_html(&body);
		break;
	case ROUTE_USAGE:
		usage_text(server, &body);
		break;
	case ROUTE_HEALTH:
	case ROUTE_RUN:
	case ROUTE_NONE:
		chain_append_text(&body, "ok\n");
		break;
	}
	conn_answer(conn, &answer, &body);
}

/* A refused request's body: skipped when it is here already, else the connection ends. */
static void refuse_request(struct conn *conn)
{
	const struct refusal *refusal = &conn->request->refusal;
	size_t held = conn->in_end - conn->in_start;
	if (request_has_body(&conn->head)) {
		if (conn->head.chunked || conn->head.content_length > held)
			conn->close_after = conn->body_unread = true;
		else
			conn->in_start += (size_t)conn->head.content_length;
	}
	conn_refuse(conn, refusal->status, refusal->why, refusal->about);
}

static void begin_body(struct conn *conn)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct server *server = conn->server;
	if (server->draining || server_is_full(server)) {
		refuse_and_close(conn, 503,
				 server->draining ? "draining" : "out of memory", NULL);
		return;
	}
	if (server->jobs_running == server->job_count &&
	    server->queue.count >= limits_of(conn)->queue) {
		refuse_and_close(conn, 429, "the queue is full", NULL);
		return;
	}
	conn->body_left = conn->head.content_length;
	conn->chunks = (struct chunk_decoder){0};
	conn_enter(conn, CONN_BODY, FLOOR_GRACE_NS);
	extend_deadline(conn, limits_of(conn)->body_ms * MS_NS);
	if (conn->head.expect_continue && conn->in_start == conn->in_end &&
	    send(conn->fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL) != sizeof(go_on) - 1)
		conn_close(conn); /* a client that has not read 25 bytes is no client */
}

static void submit(struct conn *conn)
{
	struct request *request = conn->request;
	if (request_finish(request, conn->server->image))
		conn_refuse(conn, request->refusal.status, request->refusal.why,
			    request->refusal.about);
	else
		job_submit(conn);
}

static void begin_request(struct conn *conn, size_t head_size)
{
	char made[17];
	server_make_id(conn->server, made);
	conn->request = request_new(&conn->head, conn->in + conn->in_start,
				    conn->server->image, conn->admin, made);
	begin_log(conn);
	conn->in_start += head_size;
	conn->server->metrics.requests++;
	if (!conn->request) {
		refuse_and_close(conn, 503, "out of memory", NULL);
		return;
	}
	conn->close_after = !conn->head.keep_alive;
	if (conn->request->refusal.status)
		refuse_request(conn);
	else if (request_has_body(&conn->head))
		begin_body(conn);
	else if (conn->request->route == ROUTE_RUN)
		submit(conn);
	else
		answer_route(conn);
}

static bool advance_head(struct conn *conn)
{
	const struct limits *limits = limits_of(conn);
	const struct http_limits head_limits = {
		limits->header_bytes, limits->header_fields, limits->target_bytes};
	size_t held = conn->in_end - conn->in_start;
	int size = 0;
	if (held) {
		size = http_head_parse(&conn->head, conn->in + conn->in_start, held,
				       &head_limits);
		if (!conn->in_request)
			conn_enter(conn, CONN_HEAD, limits->header_ms * MS_NS);
		conn->in_request = true;
	}
	if (size > 0) {
		begin_request(conn, (size_t)size);
		return true;
	}
	if (size < 0) {
		conn->server->metrics.requests++;
		begin_log(conn);
		refuse_and_close(conn, -size, conn->head.why, NULL);
		return true;
	}
	if (receive_input(conn) && conn->in_end - conn->in_start > held)
		return true;
	if (conn->state != CONN_DEAD && !held)
		release_input(conn);
	return false;
}

/* Undoes the coding and reads what is a container. Returns 0, or refuses. */
static int unpack_body(struct conn *conn)
{
	struct request *request = conn->request;
	const struct limits *limits = limits_of(conn);
	const struct gunzip_limits bounds = {limits->unpacked_bytes, limits->unpack_ratio,
					     conn->server->buffer_max};
	const char *why = NULL;
	int rc = request->gzip ? gunzip_chain(&conn->body, &bounds, &why) : 0;
	if (rc) {
		conn_refuse(conn, -rc, why, NULL);
		return rc;
	}
	if (!request_has_container(request))
		return 0;
	rc = request_take_body(request, conn->server->image, &conn->body);
	if (rc)
		conn_refuse(conn, request->refusal.status, request->refusal.why,
			    request->refusal.about);
	return rc;
}

static void end_body(struct conn *conn)
{
	if (conn->in_start == conn->in_end)
		release_input(conn);
	if (!unpack_body(conn))
		submit(conn);
}

/* Takes chunked bytes from the buffer. Returns true when the state has changed. */
static bool take_chunks(struct conn *conn)
{
	while (conn->in_start < conn->in_end) {
		const char *data = NULL;
		size_t used = 0, size = 0;
		enum chunk_event event =
			chunk_decode(&conn->chunks, conn->in + conn->in_start,
				     conn->in_end - conn->in_start, &used, &data, &size);
		conn->in_start += used;
		if (event == CHUNK_BAD) {
			refuse_and_close(conn, 400, conn->chunks.why, NULL);
			return true;
		}
		if (event == CHUNK_END) {
			end_body(conn);
			return true;
		}
		if (event == CHUNK_DATA &&
		    conn->body.bytes + size > limits_of(conn)->body_bytes) {
			refuse_and_close(conn, 413, "the body is too long", NULL);
			return true;
		}
		if (event == CHUNK_DATA && chain_append(&conn->body, data, size) < 0) {
			refuse_and_close(conn, 503, "out of memory", NULL);
			return true;
		}
		conn->progress += used;
	}
	return false;
}

/* Takes what the buffer has of a Content-Length body, then reads past the buffer. */
static bool take_length(struct conn *conn)
{
	size_t held = conn->in_end - conn->in_start;
	size_t part = held < conn->body_left ? held : (size_t)conn->body_left;
	if (part && chain_append(&conn->body, conn->in + conn->in_start, part) < 0) {
		refuse_and_close(conn, 503, "out of memory", NULL);
		return true;
	}
	conn->in_start += part;
	conn->body_left -= part;
	while (conn->body_left && conn->readable) {
		size_t room = 0;
		char *space = chain_space(&conn->body, &room);
		if (!space || server_is_full(conn->server)) {
			refuse_and_close(conn, 503, "out of memory", NULL);
			return true;
		}
		size_t n = receive(conn, space,
				   room < conn->body_left ? room : conn->body_left);
		if (conn->state == CONN_DEAD)
			return false;
		chain_added(&conn->body, n);
		conn->body_left -= n;
		conn->progress += n;
	}
	if (!conn->body_left)
		end_body(conn);
	return !conn->body_left;
}

static bool advance_body(struct conn *conn)
{
	if (!conn->head.chunked) {
		if (take_length(conn))
			return true;
	} else {
		do {
			if (take_chunks(conn))
				return true;
			if (server_is_full(conn->server)) {
				refuse_and_close(conn, 503, "out of memory", NULL);
				return true;
			}
		} while (receive_input(conn) && conn->in_start < conn->in_end);
	}
	if (conn->state != CONN_DEAD)
		extend_deadline(conn, limits_of(conn)->body_ms * MS_NS);
	return false;
}

static void end_answer(struct conn *conn)
{
	end_log(conn);
	request_free(conn->request);
	conn->request = NULL;
	chain_free(&conn->body);
	if (!conn->close_after) {
		conn->head = (struct http_head){0};
		conn->in_request = false;
		conn_enter(conn, CONN_HEAD, limits_of(conn)->idle_ms * MS_NS);
	} else if (!conn->hangup && (conn->server->draining || conn->body_unread ||
				     conn->readable || conn->in_start < conn->in_end)) {
		shutdown(conn->fd, SHUT_WR);
		conn_enter(conn, CONN_LINGER, LINGER_NS);
	} else {
		conn_close(conn);
	}
}

static bool advance_answer(struct conn *conn)
{
	if (!conn_send(conn))
		return false;
	if (conn->out.bytes) {
		extend_deadline(conn, UINT64_MAX / 2 - conn->since_ns);
		return false;
	}
	end_answer(conn);
	return true;
}

static bool advance_linger(struct conn *conn)
{
	char scrap[BLOCK_SMALL];
	while (conn->readable && conn->state != CONN_DEAD)
		receive(conn, scrap, sizeof(scrap));
	return false;
}

void conn_advance(struct conn *conn)
{
	bool more = true;
	conn->yielded = false;
	for (unsigned answers = 0; more; answers += conn->state == CONN_ANSWER) {
		switch (conn->state) {
		case CONN_HEAD:
			if (answers >= ANSWERS_A_TURN) {
				timer_set(&conn->server->timers, &conn->timer, 0);
				conn->yielded = true;
				return;
			}
			more = advance_head(conn);
			break;
		case CONN_BODY:
			more = advance_body(conn);
			break;
		case CONN_ANSWER:
			more = advance_answer(conn);
			break;
		case CONN_LINGER:
			more = advance_linger(conn);
			break;
		case CONN_RUNNING: /* a streamed answer may have bytes to send */
			conn_send(conn);
			more = false;
			break;
		case CONN_QUEUED:
		case CONN_DEAD:
			more = false;
			break;
		}
	}
}

void conn_expired(struct conn *conn)
{
	if (conn->yielded) {
		conn_enter(conn, conn->state, limits_of(conn)->idle_ms * MS_NS);
		conn_advance(conn);
		return;
	}
	switch (conn->state) {
	case CONN_HEAD:
		if (conn->in_request)
			refuse_and_close(conn, 408, "the header took too long", NULL);
		else
			conn_close(conn);
		break;
	case CONN_BODY:
		refuse_and_close(conn, 408, "the body took too long", NULL);
		break;
	case CONN_QUEUED:
		job_cancel(conn);
		conn_refuse(conn, 503, "too long in the queue", NULL);
		break;
	case CONN_RUNNING: /* the sandbox has missed its own deadline */
		if (conn->request->format == FORMAT_STREAM) {
			conn_close(conn);
			break;
		}
		job_cancel(conn);
		conn_refuse(conn, 504, "the program ran too long", NULL);
		break;
	case CONN_ANSWER:
	case CONN_LINGER:
	case CONN_DEAD:
		conn_close(conn);
		break;
	}
	conn_advance(conn);
}

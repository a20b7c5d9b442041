/* conn.c: one client's connection: reading a request, waiting for its job, answering.
 *
 * A connection is a state machine that conn_advance drives until it has to wait: for its
 * socket (events set readable and writable), for its job (job.c answers), or for its
 * deadline. Bytes of later requests stay in the buffer or the socket until their turn. */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "front/block.h"
#include "front/conn_parts.h"
#include "front/job.h"
#include "front/resources.h"

#define LINGER_NS      (2ull * SECOND_NS)
#define ANSWERS_A_TURN 64 /* then others get their turn */

void conn_enter(struct conn *conn, enum conn_state state, uint64_t wait_ns)
{
	conn->state = state;
	conn->since_ns = conn->server->now_ns;
	conn->progress = 0;
	timer_set(&conn->server->timers, &conn->timer, conn->since_ns + wait_ns);
}

void conn_extend_deadline(struct conn *conn, uint64_t most_ns)
{
	const struct limits *limits = conn_limits(conn);
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
		if (server->queue.count >= conn_limits(conn)->queue &&
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

void conn_submit(struct conn *conn)
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
	conn_begin_log(conn);
	conn->in_start += head_size;
	conn->server->metrics.requests++;
	if (!conn->request) {
		conn_refuse_and_close(conn, 503, "out of memory", NULL);
		return;
	}
	conn->close_after = !conn->head.keep_alive;
	if (conn->request->refusal.status)
		refuse_request(conn);
	else if (request_has_body(&conn->head))
		conn_begin_body(conn);
	else if (conn->request->route == ROUTE_RUN)
		conn_submit(conn);
	else
		answer_route(conn);
}

static bool advance_head(struct conn *conn)
{
	const struct limits *limits = conn_limits(conn);
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
		conn_begin_log(conn);
		conn_refuse_and_close(conn, -size, conn->head.why, NULL);
		return true;
	}
	if (conn_fill(conn) && conn->in_end - conn->in_start > held)
		return true;
	if (conn->state != CONN_DEAD && !held)
		conn_release_input(conn);
	return false;
}

static void end_answer(struct conn *conn)
{
	conn_end_log(conn);
	request_free(conn->request);
	conn->request = NULL;
	chain_free(&conn->body);
	if (!conn->close_after) {
		conn->head = (struct http_head){0};
		conn->in_request = false;
		conn_enter(conn, CONN_HEAD, conn_limits(conn)->idle_ms * MS_NS);
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
		conn_extend_deadline(conn, UINT64_MAX / 2 - conn->since_ns);
		return false;
	}
	end_answer(conn);
	return true;
}

static bool advance_linger(struct conn *conn)
{
	char scrap[BLOCK_SMALL];
	while (conn->readable && conn->state != CONN_DEAD)
		conn_receive(conn, scrap, sizeof(scrap));
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
			more = conn_advance_body(conn);
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
		conn_enter(conn, conn->state, conn_limits(conn)->idle_ms * MS_NS);
		conn_advance(conn);
		return;
	}
	switch (conn->state) {
	case CONN_HEAD:
		if (conn->in_request)
			conn_refuse_and_close(conn, 408, "the header took too long",
					      NULL);
		else
			conn_close(conn);
		break;
	case CONN_BODY:
		conn_refuse_and_close(conn, 408, "the body took too long", NULL);
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

void conn_ready(struct event_source *source, uint32_t events)
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

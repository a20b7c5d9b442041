/* conn_body.c: a request's body, by length or in chunks, until its job can be run. */
#include <sys/socket.h>

#include "front/conn_parts.h"
#include "front/gunzip.h"

void conn_begin_body(struct conn *conn)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct server *server = conn->server;
	if (server->draining || server_is_full(server)) {
		conn_refuse_and_close(
			conn, 503, server->draining ? "draining" : "out of memory", NULL);
		return;
	}
	if (server->jobs_running == server->job_count &&
	    server->queue.count >= conn_limits(conn)->queue) {
		conn_refuse_and_close(conn, 429, "the queue is full", NULL);
		return;
	}
	conn->body_left = conn->head.content_length;
	conn->chunks = (struct chunk_decoder){0};
	conn_enter(conn, CONN_BODY, FLOOR_GRACE_NS);
	conn_extend_deadline(conn, conn_limits(conn)->body_ms * MS_NS);
	if (conn->head.expect_continue && conn->in_start == conn->in_end &&
	    send(conn->fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL) != sizeof(go_on) - 1)
		conn_close(conn); /* a client that has not read 25 bytes is no client */
}

/* Undoes the coding and reads what is a container. Returns 0, or refuses. */
static int unpack_body(struct conn *conn)
{
	struct request *request = conn->request;
	const struct limits *limits = conn_limits(conn);
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
		conn_release_input(conn);
	if (!unpack_body(conn))
		conn_submit(conn);
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
			conn_refuse_and_close(conn, 400, conn->chunks.why, NULL);
			return true;
		}
		if (event == CHUNK_END) {
			end_body(conn);
			return true;
		}
		if (event == CHUNK_DATA &&
		    conn->body.bytes + size > conn_limits(conn)->body_bytes) {
			conn_refuse_and_close(conn, 413, "the body is too long", NULL);
			return true;
		}
		if (event == CHUNK_DATA && chain_append(&conn->body, data, size) < 0) {
			conn_refuse_and_close(conn, 503, "out of memory", NULL);
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
		conn_refuse_and_close(conn, 503, "out of memory", NULL);
		return true;
	}
	conn->in_start += part;
	conn->body_left -= part;
	while (conn->body_left && conn->readable) {
		size_t room = 0;
		char *space = chain_space(&conn->body, &room);
		if (!space || server_is_full(conn->server)) {
			conn_refuse_and_close(conn, 503, "out of memory", NULL);
			return true;
		}
		size_t n = conn_receive(conn, space,
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

bool conn_advance_body(struct conn *conn)
{
	if (!conn->head.chunked) {
		if (take_length(conn))
			return true;
	} else {
		do {
			if (take_chunks(conn))
				return true;
			if (server_is_full(conn->server)) {
				conn_refuse_and_close(conn, 503, "out of memory", NULL);
				return true;
			}
		} while (conn_fill(conn) && conn->in_start < conn->in_end);
	}
	if (conn->state != CONN_DEAD)
		conn_extend_deadline(conn, conn_limits(conn)->body_ms * MS_NS);
	return false;
}

/* conn_answer.c: a connection's answers: written, refused in a sentence, sent, and noted
 * in the log. */
#include <errno.h>
#include <sys/socket.h>

#include "front/conn_parts.h"
#include "front/text.h"

#define IOV_MAX_USED 16

int conn_write_head(struct conn *conn, const struct answer *answer, struct chain *body)
{
	struct server *server = conn->server;
	char made[17];
	if (!conn->request)
		server_make_id(server, made);
	struct answer_frame frame = {
		.date = server_date(server),
		.id = conn->request ? conn->request->id : made,
		.minor = conn->head.minor,
		.keep_alive =
			conn->head.keep_alive && !conn->close_after && !server->draining,
		.head_only = conn->head.method == HTTP_HEAD,
		.cors = image_cors(server->image),
	};
	conn->close_after = !frame.keep_alive;
	server->metrics.by_class[answer->status / 100]++;
	conn->entry.status = answer->status;
	if (answer->report)
		conn->entry.report = *answer->report;
	return response_write(&conn->out, answer, &frame, body);
}

void conn_begin_answer(struct conn *conn)
{
	conn_enter(conn, CONN_ANSWER, FLOOR_GRACE_NS);
}

void conn_answer(struct conn *conn, const struct answer *answer, struct chain *body)
{
	conn_begin_answer(conn);
	if (conn_write_head(conn, answer, body) < 0) {
		chain_free(body);
		conn_close(conn);
	}
}

void conn_refuse(struct conn *conn, int status, const char *why, const char *about)
{
	struct chain body = {0};
	bool json = conn->head.accept_problem;
	const char *id = conn->request ? conn->request->id : NULL;
	const char *allow = conn->request ? conn->request->refusal.allow : NULL;
	struct answer answer = {
		.status = status,
		.type = json ? "application/problem+json" : "text/plain; charset=utf-8",
		.allow = status == 405 ? allow : NULL,
		.retry_after_s = status == 429 || status == 503 ? 1 : 0,
	};
	response_problem(&body, json, status, why, about, id, NULL, NULL);
	conn_answer(conn, &answer, &body);
}

void conn_refuse_and_close(struct conn *conn, int status, const char *why,
			   const char *about)
{
	conn->close_after = conn->body_unread = true;
	conn_refuse(conn, status, why, about);
}

bool conn_send(struct conn *conn)
{
	while (conn->out.bytes && conn->writable) {
		struct iovec iov[IOV_MAX_USED];
		struct msghdr message = {
			.msg_iov = iov,
			.msg_iovlen = chain_iov(&conn->out, iov, IOV_MAX_USED)};
		ssize_t n = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
		if (n >= 0) {
			chain_drop(&conn->out, (size_t)n);
			conn->progress += (uint64_t)n;
			conn->server->metrics.bytes_out += (uint64_t)n;
		} else if (errno == EAGAIN) {
			conn->writable = false;
		} else if (errno != EINTR) {
			conn_close(conn);
			return false;
		}
	}
	return true;
}

void conn_begin_log(struct conn *conn)
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

void conn_end_log(struct conn *conn)
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

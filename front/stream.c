/* stream.c: the stream format. What a slow client has not taken yet waits in memory,
 * within the limit of standard output: the program is never held up by who reads it. */
#include "front/stream.h"
#include "front/text.h"

#define COPIED_MAX 2048u /* who writes byte by byte must not fill block after block */

static bool is_chunked(const struct conn *conn)
{
	return conn->head.minor > 0; /* HTTP/1.0 has no chunks: the end is the end */
}

static int copy_piece(void *out, const char *bytes, size_t size)
{
	return chain_append(out, bytes, size);
}

static int append_chunk(struct conn *conn, struct chain *bytes)
{
	char room[TEXT_U64_ROOM];
	struct text line = text_over(room, sizeof(room));
	int rc = 0;
	size_t zeros = 0;
	if (conn->head.method == HTTP_HEAD)
		chain_free(bytes);
	if (!bytes->bytes)
		return 0;
	text_hex64(&line, bytes->bytes);
	text_put(&line, "\r\n");
	while (room[zeros] == '0')
		zeros++;
	if (is_chunked(conn))
		rc = chain_append(&conn->out, room + zeros, line.used - zeros);
	if (!rc && bytes->bytes <= COPIED_MAX)
		rc = chain_each(bytes, copy_piece, &conn->out);
	else if (!rc)
		chain_move(&conn->out, bytes);
	chain_free(bytes);
	return rc || !is_chunked(conn) ? rc : chain_append_text(&conn->out, "\r\n");
}

void stream_begin(struct conn *conn)
{
	struct chain none = {0};
	struct answer answer = {
		.status = 200, .type = "application/octet-stream", .streamed = true};
	conn->close_after |= !is_chunked(conn);
	if (conn_write_head(conn, &answer, &none) < 0)
		conn_close(conn);
	else
		conn_send(conn);
}

void stream_push(struct conn *conn, struct chain *bytes)
{
	if (append_chunk(conn, bytes) < 0)
		conn_close(conn);
	else
		conn_send(conn);
}

void stream_end(struct conn *conn, const struct job_report *report, struct chain *rest)
{
	int rc = append_chunk(conn, rest);
	conn->entry.report = *report;
	if (report->outcome != OUTCOME_EXITED)
		conn->close_after = true;
	else if (!rc && is_chunked(conn) && conn->head.method != HTTP_HEAD)
		rc = response_last_chunk(&conn->out, report);
	if (rc)
		conn_close(conn);
	else
		conn_begin_answer(conn);
}

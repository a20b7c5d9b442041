/* response.c: the head of an answer, and bodies that front writes itself. */
#include <errno.h>
#include <string.h>

#include "front/http_status.h"
#include "front/response.h"
#include "front/text.h"

#define HEAD_ROOM 2048u

static void put_field(struct text *head, const char *name, const char *value)
{
	text_put(head, name);
	text_put(head, ": ");
	text_put(head, value);
	text_put(head, "\r\n");
}

static void put_number(struct text *head, const char *name, uint64_t value)
{
	text_put(head, name);
	text_put(head, ": ");
	text_u64(head, value);
	text_put(head, "\r\n");
}

static void put_outcome(struct text *head, const struct job_report *report)
{
	put_field(head, "Elfpack-Outcome", outcome_name(report->outcome));
	if (report->outcome == OUTCOME_EXITED)
		put_number(head, "Elfpack-Exit-Code", (uint64_t)report->exit_code);
	if (report->outcome == OUTCOME_SIGNALED)
		put_number(head, "Elfpack-Signal", (uint64_t)report->signal);
	if (report->stdout_truncated || report->stderr_truncated)
		put_field(head, "Elfpack-Truncated",
			  !report->stderr_truncated   ? "stdout"
			  : !report->stdout_truncated ? "stderr"
						      : "stdout, stderr");
}

static void put_report(struct text *head, const struct job_report *report)
{
	put_outcome(head, report);
	text_put(head, "Server-Timing: queue;dur=");
	text_ms(head, report->queue_ns);
	text_put(head, ", sandbox;dur=");
	text_ms(head, report->sandbox_ns);
	text_put(head, ", exec;dur=");
	text_ms(head, report->exec_ns);
	text_put(head, ", collect;dur=");
	text_ms(head, report->collect_ns);
	text_put(head, "\r\n");
}

/* A short body goes into the head's block: one piece for the socket. */
#define BODY_COPIED_MAX 2048u

static int copy_piece(void *out, const char *bytes, size_t size)
{
	return chain_append(out, bytes, size);
}

/* The Fetch standard's CORS protocol; on OPTIONS, which may be a preflight, what may be
 * sent. */
static void put_cors(struct text *head, const struct answer *answer, const char *origin)
{
	put_field(head, "Access-Control-Allow-Origin", origin);
	put_field(
		head, "Access-Control-Expose-Headers",
		"Elfpack-Outcome, Elfpack-Exit-Code, Elfpack-Signal, Elfpack-Truncated, "
		"Server-Timing, X-Request-Id");
	if (answer->status != 204)
		return;
	put_field(head, "Access-Control-Allow-Methods", answer->allow);
	put_field(head, "Access-Control-Allow-Headers",
		  "Content-Type, Content-Encoding, X-Request-Id");
	put_field(head, "Access-Control-Max-Age", "86400");
}

int response_write(struct chain *out, const struct answer *answer,
		   const struct answer_frame *frame, struct chain *body)
{
	char bytes[HEAD_ROOM];
	struct text head = text_over(bytes, sizeof(bytes));
	text_put(&head, "HTTP/1.1 ");
	text_u64(&head, (uint64_t)answer->status);
	text_put(&head, " ");
	text_put(&head, http_reason(answer->status));
	text_put(&head, "\r\n");
	put_field(&head, "Date", frame->date);
	if (frame->id)
		put_field(&head, "X-Request-Id", frame->id);
	if (answer->report)
		put_report(&head, answer->report);
	if (answer->allow)
		put_field(&head, "Allow", answer->allow);
	if (frame->cors)
		put_cors(&head, answer, frame->cors);
	if (answer->policy)
		put_field(&head, "Content-Security-Policy", answer->policy);
	if (answer->retry_after_s)
		put_number(&head, "Retry-After", answer->retry_after_s);
	if (answer->type)
		put_field(&head, "Content-Type", answer->type);
	if (answer->streamed && frame->minor > 0) {
		put_field(&head, "Transfer-Encoding", "chunked");
		put_field(&head, "Trailer",
			  "Elfpack-Outcome, Elfpack-Exit-Code, Elfpack-Truncated");
	}
	if (answer->status != 204 && !answer->streamed) /* RFC 9110, 8.6 */
		put_number(&head, "Content-Length", body->bytes);
	if (!frame->keep_alive)
		put_field(&head, "Connection", "close");
	else if (frame->minor == 0)
		put_field(&head, "Connection", "keep-alive");
	text_put(&head, "\r\n");
	if (head.cut)
		return -ENOMEM;
	int rc = chain_append(out, bytes, head.used);
	if (rc || frame->head_only) {
		chain_free(body);
	} else if (body->bytes <= BODY_COPIED_MAX) {
		rc = chain_each(body, copy_piece, out);
		chain_free(body);
	} else {
		chain_move(out, body);
	}
	return rc;
}

int response_last_chunk(struct chain *out, const struct job_report *report)
{
	char bytes[HEAD_ROOM];
	struct text end = text_over(bytes, sizeof(bytes));
	text_put(&end, "0\r\n");
	put_outcome(&end, report);
	text_put(&end, "\r\n");
	return chain_append(out, bytes, end.used);
}

static int append_line(struct chain *body, int status, const char *why, const char *about)
{
	int rc = chain_append_u64(body, (uint64_t)status);
	rc = rc ? rc : chain_append_text(body, " ");
	rc = rc ? rc : chain_append_text(body, http_reason(status));
	rc = rc ? rc : chain_append_text(body, ": ");
	rc = rc ? rc : chain_append_text(body, why);
	if (about && *about) {
		rc = rc ? rc : chain_append_text(body, ": ");
		rc = rc ? rc : chain_append_text(body, about);
	}
	return rc ? rc : chain_append_text(body, "\n");
}

static int append_member(struct chain *body, const char *name, const char *value)
{
	int rc = chain_append_text(body, name);
	return rc ? rc : chain_append_json(body, value, strlen(value));
}

static int append_report(struct chain *body, const struct job_report *report)
{
	int rc = append_member(body, ",\"outcome\":", outcome_name(report->outcome));
	if (!rc && report->outcome == OUTCOME_EXITED) {
		rc = chain_append_text(body, ",\"exit_code\":");
		rc = rc ? rc : chain_append_u64(body, (uint64_t)report->exit_code);
	}
	if (!rc && report->outcome == OUTCOME_SIGNALED) {
		rc = chain_append_text(body, ",\"signal\":");
		rc = rc ? rc : chain_append_u64(body, (uint64_t)report->signal);
	}
	return rc;
}

/* A JSON string from a chain. Pieces may split a character, so it is joined first when it
 * has more than one; a long one is cut, as the whole is not what a problem is for. */
static int append_stderr(struct chain *body, const struct chain *stderr_bytes)
{
	struct iovec first;
	int rc = chain_append_text(body, ",\"stderr\":");
	if (rc || !chain_iov(stderr_bytes, &first, 1))
		return rc ? rc : chain_append_text(body, "\"\"");
	return chain_append_json(body, first.iov_base, first.iov_len);
}

int response_problem(struct chain *body, bool json, int status, const char *why,
		     const char *about, const char *id, const struct job_report *report,
		     const struct chain *stderr_bytes)
{
	if (!json)
		return append_line(body, status, why, about);
	int rc = append_member(
		body, "{\"type\":\"about:blank\",\"title\":", http_reason(status));
	rc = rc ? rc : chain_append_text(body, ",\"status\":");
	rc = rc ? rc : chain_append_u64(body, (uint64_t)status);
	rc = rc ? rc : append_member(body, ",\"detail\":", why);
	if (!rc && about && *about)
		rc = append_member(body, ",\"about\":", about);
	if (!rc && id)
		rc = append_member(body, ",\"id\":", id);
	if (!rc && report)
		rc = append_report(body, report);
	if (!rc && stderr_bytes)
		rc = append_stderr(body, stderr_bytes);
	return rc ? rc : chain_append_text(body, "}\n");
}

/* result.c: from what became of a job to the answer of its request. 422: the program
 * failed; 5xx: elfpack failed or ran out of time. */
#include <string.h>

#include "front/result.h"
#include "front/stream.h"
#include "front/text.h"

static bool succeeded(const struct conn *conn, const struct job_report *report)
{
	return report->outcome == OUTCOME_EXITED &&
	       (conn->request->query.any_exit ||
		conn->server->image->ok_exit[report->exit_code & 255]);
}

bool result_wants_files(const struct conn *conn, const struct job_report *report)
{
	return conn->request->out_count > 0 &&
	       (succeeded(conn, report) || conn->request->format != FORMAT_RAW);
}

/* What happened, as a sentence. */
static const char *describe(const struct job_report *report, char *room, size_t size)
{
	struct text text = text_over(room, size - 1);
	switch (report->outcome) {
	case OUTCOME_EXITED:
		text_put(&text, "the program exited with status ");
		text_u64(&text, (uint64_t)report->exit_code);
		break;
	case OUTCOME_SIGNALED:
		text_put(&text, "the program was ended by signal ");
		text_u64(&text, (uint64_t)report->signal);
		break;
	case OUTCOME_TIMEOUT:
		text_put(&text, "the program ran too long");
		break;
	case OUTCOME_OOM:
		text_put(&text, "the program used up its memory");
		break;
	case OUTCOME_OUTPUT_LIMIT:
		text_put(&text, "the program made too many bytes of files");
		break;
	case OUTCOME_CANCELLED:
	case OUTCOME_NONE:
	case OUTCOME_COUNT:
		text_put(&text, "the program was ended");
		break;
	}
	room[text.used] = '\0';
	return room;
}

/* A run that failed: standard error as text, or a sentence without any; or a problem. */
static void answer_failure(struct conn *conn, const struct job_report *report, int status,
			   struct chain *out, struct chain *err)
{
	char sentence[80];
	bool json = conn->head.accept_problem;
	struct chain body = {0};
	if (conn->request->query.stderr_mode == STDERR_MERGE)
		err = out;
	if (json || !err->bytes)
		response_problem(&body, json, status,
				 describe(report, sentence, sizeof(sentence)), NULL,
				 conn->request->id, report, err);
	else
		chain_move(&body, err);
	struct answer answer = {
		.status = status,
		.type = json ? "application/problem+json" : "text/plain; charset=utf-8",
		.report = report,
	};
	conn_answer(conn, &answer, &body);
}

/* The program succeeded, but its files are not what the request asked for. */
static void answer_files_refused(struct conn *conn, const struct job_report *report,
				 struct outputs *outputs)
{
	bool json = conn->head.accept_problem;
	struct chain body = {0};
	char joined[2560];
	struct text text = text_over(joined, sizeof(joined) - 1);
	const char *why = "_out matched several files, and raw returns one";
	if (outputs->unmatched) {
		why = "_out matched no file";
		text_bytes(&text, outputs->unmatched, strnlen(outputs->unmatched, 256));
		text_put(&text,
			 outputs->there.bytes ? "; there are: " : "; there are no files");
		struct iovec names;
		if (chain_iov(&outputs->there, &names, 1))
			text_bytes(&text, names.iov_base, names.iov_len);
	} else {
		for (struct output_file *f = outputs->first; f; f = f->next) {
			text_put(&text, f == outputs->first ? "" : ", ");
			text_bytes(&text, f->name, f->name_size);
		}
	}
	joined[text.used] = '\0';
	response_problem(&body, json, 422, why, joined, conn->request->id, report, NULL);
	struct answer answer = {
		.status = 422,
		.type = json ? "application/problem+json" : "text/plain; charset=utf-8",
		.report = report,
	};
	conn_answer(conn, &answer, &body);
}

static void answer_json(struct conn *conn, const struct job_report *report,
			struct chain *out, struct chain *err, struct outputs *outputs)
{
	struct chain body = {0};
	struct answer answer = {
		.status = 200, .type = "application/json", .report = report};
	if (result_json(&body, conn, report, out, err, outputs, true) < 0) {
		chain_free(&body);
		conn_refuse(conn, 503, "out of memory", NULL);
		return;
	}
	conn_answer(conn, &answer, &body);
}

static int status_of(const struct conn *conn, const struct job_report *report)
{
	if (succeeded(conn, report))
		return 200;
	return report->outcome == OUTCOME_TIMEOUT ? 504 : 422;
}

/* Like raw, but that any number of files is fine and a failure has them all the same. */
static void answer_container(struct conn *conn, const struct job_report *report,
			     struct chain *out, struct chain *err,
			     struct outputs *outputs)
{
	enum result_format format = conn->request->format;
	char boundary[RESULT_BOUNDARY_ROOM], type[96];
	struct chain body = {0};
	struct text text = text_over(type, sizeof(type) - 1);
	int rc = format == FORMAT_MULTIPART
			 ? result_multipart(&body, boundary, conn, report, out, err,
					    outputs)
			 : result_archive(&body, conn, report, out, err, outputs);
	if (rc < 0) {
		chain_free(&body);
		conn_refuse(conn, 503, "out of memory", NULL);
		return;
	}
	if (format == FORMAT_MULTIPART) {
		text_put(&text, conn->request->mixed ? "multipart/mixed"
						     : "multipart/form-data");
		text_put(&text, "; boundary=");
		text_put(&text, boundary);
	} else {
		text_put(&text,
			 format == FORMAT_TAR ? "application/x-tar" : "application/zip");
	}
	type[text.used] = '\0';
	struct answer answer = {
		.status = status_of(conn, report), .type = type, .report = report};
	if (answer.status == 200 && outputs->unmatched)
		answer.status = 422;
	conn_answer(conn, &answer, &body);
}

void result_answer(struct conn *conn, struct job_report *report, struct chain *out,
		   struct chain *err, struct outputs *outputs)
{
	if (conn->request->format == FORMAT_JSON) {
		answer_json(conn, report, out, err, outputs);
		return;
	}
	if (conn->request->format == FORMAT_STREAM) {
		stream_end(conn, report, out);
		return;
	}
	if (conn->request->format != FORMAT_RAW) {
		answer_container(conn, report, out, err, outputs);
		return;
	}
	bool wanted_files = conn->request->out_count > 0;
	if (!succeeded(conn, report)) {
		answer_failure(conn, report, status_of(conn, report), out, err);
		return;
	}
	if (wanted_files && (outputs->unmatched || outputs->count != 1)) {
		answer_files_refused(conn, report, outputs);
		return;
	}
	struct answer answer = {
		.status = 200, .type = "application/octet-stream", .report = report};
	conn_answer(conn, &answer, wanted_files ? &outputs->first->bytes : out);
}

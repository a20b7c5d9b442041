/* job.c: running programs for requests. A job's life here: files in, start, feed standard
 * input, drain the outputs (job_pipes.c), and on its end collect, destroy, answer. The
 * slot is free before the answer is sent, so that a slow client holds nothing but its
 * answer. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "front/conn.h"
#include "front/job_files.h"
#include "front/job_parts.h"
#include "front/result.h"
#include "front/stream.h"

#define DEADLINE_GRACE_NS                                                                \
	(2ull * SECOND_NS) /* for the sandbox to keep its own deadline */

static struct job *job_of_end(struct event_source *source)
{
	return (struct job *)((char *)source - offsetof(struct job, end_source));
}

static int append_input(void *in, const char *bytes, size_t size)
{
	return chain_append(in, bytes, size);
}

static int place_upload(struct job *job)
{
	struct server *server = job->server;
	const struct upload *upload = &job->client->request->upload;
	int rc = 0;
	for (size_t i = 0; i < upload->file_count && !rc; i++)
		rc = job_put_upload(server->sandbox, job->fd, server->image->manifest.cwd,
				    &upload->files[i]);
	const struct upload_file *file = upload->stdin_file;
	if (!rc && file && !file->bytes)
		return chain_each(&file->unpacked, append_input, &job->in);
	if (!rc && file)
		return chain_append(&job->in, file->bytes, file->size);
	if (!rc && upload->stdin_size)
		rc = chain_append(&job->in, upload->stdin_bytes, upload->stdin_size);
	return rc;
}

/* Puts the body where the request wants it; *stdin_fd is the program's end. */
static int place_body(struct job *job, int *stdin_fd)
{
	struct server *server = job->server;
	struct conn *conn = job->client;
	const struct request *request = conn->request;
	const char *cwd = server->image->manifest.cwd;
	int rc = 0;
	if (request->body_name) {
		rc = job_put_file(server->sandbox, job->fd, cwd, request->body_name,
				  &conn->body);
		chain_free(&conn->body);
		if (!rc && request->query.stdin_name) {
			*stdin_fd = job_open_file(server->sandbox, job->fd, cwd,
						  request->query.stdin_name);
			rc = *stdin_fd < 0 ? *stdin_fd : 0;
		}
		return rc;
	}
	if (request_has_container(request))
		rc = place_upload(job);
	else
		chain_move(&job->in, &conn->body);
	return rc || !job->in.bytes ? rc : job_feed_by_pipe(job, stdin_fd);
}

static int start_program(struct job *job, int stdin_fd)
{
	struct server *server = job->server;
	const struct request *request = job->client->request;
	const struct manifest *manifest = &server->image->manifest;
	enum stderr_mode mode = request->query.stderr_mode;
	struct sandbox_start start = {
		.path = manifest->exec,
		.cwd = manifest->cwd,
		.argv = request->argv,
		.envp = request->envp,
		.stdio = {stdin_fd, job->out[1],
			  mode == STDERR_MERGE  ? job->out[1]
			  : mode == STDERR_DROP ? -1
						: job->err[1]},
	};
	return server->sandbox->start(job->fd, &start);
}

/* Ends the job, if one is there, and leaves the slot as new. */
static void job_free(struct job *job)
{
	if (job->fd >= 0)
		job->server->sandbox->destroy(job->fd);
	job->fd = -1;
	job->ended = false;
	job_close_fd(&job->in_fd);
	chain_free(&job->in);
	chain_free(&job->stdout_bytes);
	chain_free(&job->stderr_bytes);
	if (!job->client)
		return;
	job->client->job = NULL;
	job->client = NULL;
	job->server->jobs_running--;
}

static void refuse_start(struct conn *conn, int rc, bool placing)
{
	static const struct {
		int error, status;
		bool placing;
		const char *why;
	} rows[] = {
		{ENOSPC, 413, true, "the body does not fit into the job's memory"},
		{ENOMEM, 413, true, "the body does not fit into the job's memory"},
		{EISDIR, 400, true, "the body's name is that of a folder"},
		{ENOTDIR, 400, true,
		 "the body's name has a file where a folder should be"},
		{ELOOP, 400, true, "the body's name goes through a link"},
		{ENAMETOOLONG, 400, true, "the body's name is too long"},
		{EMFILE, 503, true, "out of descriptors"},
		{E2BIG, 413, false, "too many arguments"},
		{ENOMEM, 503, false, "out of memory"},
		{EMFILE, 503, false, "out of descriptors"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].error == -rc && rows[i].placing == placing) {
			conn_refuse(conn, rows[i].status, rows[i].why, NULL);
			return;
		}
	}
	conn_refuse(conn, 500, "the program could not be started", strerror(-rc));
}

void job_begin(struct job *job, struct conn *conn)
{
	struct server *server = job->server;
	const struct limits *limits = &server->image->manifest.limits;
	struct job_limits job_limits = {
		.memory_bytes = server->job_memory_bytes,
		.wall_ns = conn->request->wall_ms * MS_NS,
		.file_bytes = limits->files_out_bytes + limits->unpacked_bytes,
		.processes = (uint32_t)limits->processes,
		.open_files = (uint32_t)limits->open_files,
	};
	uint64_t begun_ns = server_clock_ns();
	int stdin_fd = -1;
	bool placing = false;
	job->client = conn;
	job->streamed_bytes = 0;
	job->report = (struct job_report){.queue_ns = begun_ns - conn->since_ns};
	server->jobs_running++;
	conn->job = job;
	int rc = job_ready_pipes(job);
	if (!rc) {
		job->fd = server->sandbox->create(&job_limits);
		rc = job->fd < 0 ? job->fd : 0;
	}
	if (!rc) {
		rc = place_body(job, &stdin_fd);
		placing = rc < 0;
	}
	if (!rc)
		rc = start_program(job, stdin_fd);
	if (!rc)
		rc = server_watch(server, job->fd, EPOLLIN | EPOLLET, &job->end_source);
	job_close_fd(&stdin_fd);
	if (rc) {
		job_free(job);
		refuse_start(conn, rc, placing);
		return;
	}
	job->started_ns = server_clock_ns();
	job->report.sandbox_ns = job->started_ns - begun_ns;
	conn->state = CONN_RUNNING;
	timer_set(&server->timers, &conn->timer,
		  job->started_ns + job_limits.wall_ns + DEADLINE_GRACE_NS);
	if (conn->request->format == FORMAT_STREAM)
		stream_begin(conn);
}

void job_cancel(struct conn *conn)
{
	struct job *job = conn->job;
	conn->server->metrics.by_outcome[OUTCOME_CANCELLED]++;
	if (conn->state == CONN_QUEUED) {
		job_queue_remove(conn);
		return;
	}
	job_free(job);
	job_discard_output(job);
}

/* Reads the files that the request wants. A failure here is the program's. */
static void collect(struct job *job, const struct request *request,
		    struct outputs *outputs)
{
	struct server *server = job->server;
	if (!request->out_count)
		return;
	int rc = job_collect(server->sandbox, job->fd, server->image->manifest.cwd,
			     request->outs, request->out_count,
			     server->image->manifest.limits.files_out_bytes, outputs);
	if (rc)
		job->report.outcome = OUTCOME_OUTPUT_LIMIT;
}

static void job_ended(struct event_source *source, uint32_t events)
{
	(void)events;
	job_of_end(source)->ended = true;
}

/* Collects and answers. all_events: those of this turn tell all that was ready in it, so
 * that a pipe of which they said nothing is empty. */
static void finish(struct job *job, bool all_events)
{
	struct server *server = job->server;
	struct conn *conn = job->client;
	struct job_result ended;
	struct outputs outputs = {0};
	job->ended = false;
	if (!conn || server->sandbox->result(job->fd, &ended) < 0)
		return; /* an event of the slot's last job */
	uint64_t ended_ns = server_clock_ns();
	struct job_report *report = &job->report;
	report->outcome = (enum outcome)ended.outcome;
	report->exit_code = ended.exit_code;
	report->signal = ended.signal;
	report->cpu_ns = ended.cpu_ns;
	report->peak_bytes = ended.peak_bytes;
	report->exec_ns = ended_ns - job->started_ns;
	if (job->out_pending || !all_events)
		job_drain_out(job, UINT_MAX); /* nobody writes any more */
	if (job->err_pending || !all_events)
		job_drain_err(job, UINT_MAX);
	if (result_wants_files(conn, report))
		collect(job, conn->request, &outputs);
	struct job_report kept = *report;
	struct chain out = {0}, err = {0};
	chain_move(&out, &job->stdout_bytes);
	chain_move(&err, &job->stderr_bytes);
	job_free(job);
	kept.collect_ns = server_clock_ns() - ended_ns;
	server->metrics.by_outcome[kept.outcome]++;
	durations_add(&server->metrics.queued, kept.queue_ns);
	durations_add(&server->metrics.executed, kept.exec_ns);
	result_answer(conn, &kept, &out, &err, &outputs);
	chain_free(&out);
	chain_free(&err);
	outputs_free(&outputs);
	conn_advance(conn);
}

void jobs_finish(struct server *server, bool all_events)
{
	for (size_t i = 0; i < server->job_count; i++)
		if (server->jobs[i].ended)
			finish(&server->jobs[i], all_events);
}

int jobs_open(struct server *server)
{
	server->jobs = calloc(server->job_count, sizeof(*server->jobs));
	if (!server->jobs)
		return -ENOMEM;
	for (size_t i = 0; i < server->job_count; i++) {
		struct job *job = &server->jobs[i];
		job->end_source.ready = job_ended;
		job->server = server;
		job->fd = -1;
		job_init_pipes(job);
	}
	return 0;
}

void jobs_close(struct server *server)
{
	for (size_t i = 0; i < server->job_count && server->jobs; i++) {
		job_free(&server->jobs[i]);
		job_close_pipes(&server->jobs[i]);
	}
	free(server->jobs);
	server->jobs = NULL;
}

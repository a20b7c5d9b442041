/* job_pipes.c: a job's standard input, output and error: pipes that front feeds and
 * drains without ever waiting for them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "front/conn.h"
#include "front/job_parts.h"
#include "front/stream.h"

#define READS_A_TURN 8u

void job_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void job_close_pipes(struct job *job)
{
	for (int i = 0; i < 2; i++) {
		job_close_fd(&job->out[i]);
		job_close_fd(&job->err[i]);
	}
}

/* Reads what a pipe holds, up to reads pieces of it: a program that writes without end
 * must not hold the loop. *more: there may be more. Returns false when a byte had to be
 * dropped. */
static bool drain(struct job *job, int fd, struct chain *to, uint64_t bytes_max,
		  unsigned reads, bool *more)
{
	bool whole = true;
	*more = true;
	while (reads-- > 0 && *more) {
		char scrap[1024];
		size_t room = 0;
		char *space = NULL;
		if (to && to->bytes < bytes_max && !server_is_full(job->server))
			space = chain_space(to, &room);
		bool keep = space != NULL;
		if (!keep) {
			space = scrap;
			room = sizeof(scrap);
		} else if (room > bytes_max - to->bytes) {
			room = (size_t)(bytes_max - to->bytes);
		}
		ssize_t n = read(fd, space, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && keep)
			chain_added(to, (size_t)n);
		else if (n > 0)
			whole = false;
		*more = n == (ssize_t)room;
	}
	return whole;
}

void job_drain_out(struct job *job, unsigned reads)
{
	const struct limits *limits = &job->server->image->manifest.limits;
	if (!drain(job, job->out[0], &job->stdout_bytes,
		   limits->stdout_bytes - job->streamed_bytes, reads, &job->out_pending))
		job->report.stdout_truncated = true;
}

void job_drain_err(struct job *job, unsigned reads)
{
	const struct limits *limits = &job->server->image->manifest.limits;
	if (!drain(job, job->err[0], &job->stderr_bytes, limits->stderr_bytes, reads,
		   &job->err_pending))
		job->report.stderr_truncated = true;
}

void job_discard_output(struct job *job)
{
	drain(job, job->out[0], NULL, 0, UINT_MAX, &job->out_pending);
	drain(job, job->err[0], NULL, 0, UINT_MAX, &job->err_pending);
}

static void out_ready(struct event_source *source, uint32_t events)
{
	struct job *job = (struct job *)source; /* its first member */
	(void)events;
	if (!job->client)
		return;
	job_drain_out(job, READS_A_TURN);
	if (job->client->request->format == FORMAT_STREAM) {
		job->streamed_bytes += job->stdout_bytes.bytes;
		stream_push(job->client, &job->stdout_bytes);
	}
}

static void err_ready(struct event_source *source, uint32_t events)
{
	struct job *job =
		(struct job *)((char *)source - offsetof(struct job, err_source));
	(void)events;
	if (job->client)
		job_drain_err(job, READS_A_TURN);
}

/* Writes standard input until the pipe is full; closes it at its end, or when nobody
 * reads. */
static void feed(struct job *job)
{
	while (job->in.bytes) {
		struct iovec iov[8];
		ssize_t n = writev(job->in_fd, iov, (int)chain_iov(&job->in, iov, 8));
		if (n >= 0)
			chain_drop(&job->in, (size_t)n);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			chain_free(&job->in);
	}
	job_close_fd(&job->in_fd);
}

static void in_ready(struct event_source *source, uint32_t events)
{
	struct job *job =
		(struct job *)((char *)source - offsetof(struct job, in_source));
	(void)events;
	if (job->in_fd >= 0)
		feed(job);
}

void job_init_pipes(struct job *job)
{
	job->out_source.ready = out_ready;
	job->err_source.ready = err_ready;
	job->in_source.ready = in_ready;
	job->out[0] = job->out[1] = job->err[0] = job->err[1] = job->in_fd = -1;
}

/* A pipe with a non-blocking end for front and a blocking one for the program. */
static int open_pipe(int ends[2], int front_end)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	return fcntl(ends[front_end], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int job_ready_pipes(struct job *job)
{
	if (job->watched) {
		int rc = fcntl(job->out[1], F_SETFL, 0);
		return rc < 0 || fcntl(job->err[1], F_SETFL, 0) < 0 ? -errno : 0;
	}
	int rc = open_pipe(job->out, 0);
	if (!rc)
		rc = open_pipe(job->err, 0);
	if (!rc)
		rc = server_watch(job->server, job->out[0], EPOLLIN, &job->out_source);
	if (!rc)
		rc = server_watch(job->server, job->err[0], EPOLLIN, &job->err_source);
	if (rc)
		job_close_pipes(job);
	job->watched = !rc;
	return rc;
}

int job_feed_by_pipe(struct job *job, int *stdin_fd)
{
	int ends[2] = {-1, -1};
	int rc = open_pipe(ends, 1);
	if (rc)
		return rc;
	*stdin_fd = ends[0];
	job->in_fd = ends[1];
	feed(job);
	if (job->in_fd >= 0)
		rc = server_watch(job->server, job->in_fd, EPOLLOUT | EPOLLET,
				  &job->in_source);
	return rc;
}

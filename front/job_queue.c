/* job_queue.c: requests whose bodies are complete: run at once, made to wait, refused. */
#include "front/conn.h"
#include "front/job_parts.h"

void job_queue_remove(struct conn *conn)
{
	struct conn_list *queue = &conn->server->queue;
	*(conn->queue_prev ? &conn->queue_prev->queue_next : &queue->first) =
		conn->queue_next;
	*(conn->queue_next ? &conn->queue_next->queue_prev : &queue->last) =
		conn->queue_prev;
	conn->queue_next = conn->queue_prev = NULL;
	queue->count--;
}

static struct job *free_slot(struct server *server)
{
	for (size_t i = 0; i < server->job_count; i++)
		if (!server->jobs[i].client)
			return &server->jobs[i];
	return NULL;
}

void job_queue_run(struct server *server)
{
	struct job *job = NULL;
	while (server->queue.first && (job = free_slot(server))) {
		struct conn *conn = server->queue.first;
		job_queue_remove(conn);
		job_begin(job, conn);
		if (conn->state == CONN_ANSWER)
			conn_advance(conn);
	}
}

void job_submit(struct conn *conn)
{
	struct server *server = conn->server;
	const struct limits *limits = &server->image->manifest.limits;
	conn->since_ns = server->now_ns;
	if (conn->hangup) {
		server->metrics.by_outcome[OUTCOME_CANCELLED]++;
		conn_close(conn);
		return;
	}
	if (server->draining || server_is_full(server)) {
		conn_refuse(conn, 503, server->draining ? "draining" : "out of memory",
			    NULL);
		return;
	}
	struct job *job = server->queue.count ? NULL : free_slot(server);
	if (job) {
		job_begin(job, conn);
		return;
	}
	if (server->queue.count >= limits->queue) {
		conn_refuse(conn, 429, "the queue is full", NULL);
		return;
	}
	conn->queue_prev = server->queue.last;
	conn->queue_next = NULL;
	*(conn->queue_prev ? &conn->queue_prev->queue_next : &server->queue.first) = conn;
	server->queue.last = conn;
	server->queue.count++;
	conn->state = CONN_QUEUED;
	timer_set(&server->timers, &conn->timer,
		  conn->since_ns + limits->queue_age_ms * MS_NS);
}

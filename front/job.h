/* job.h: running programs for requests: slots, the queue before them, and what happens
 * between a request's body and its answer. */
#ifndef ELFPACK_FRONT_JOB_H
#define ELFPACK_FRONT_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "front/chain.h"
#include "front/response.h"
#include "front/server.h"

struct conn;

/* A slot. Its pipes are made once and serve job after job: between jobs nothing else
 * holds their ends, they are drained, and their flags are set back. */
struct job {
	struct event_source out_source, err_source, in_source, end_source;
	struct server *server;
	struct conn *client; /* NULL: the slot is free */
	int fd;              /* the sandbox's job */
	int out[2], err[2];  /* front reads [0] */
	int in_fd;           /* front's end of standard input, -1 */
	struct chain in;     /* still to be written there */
	struct chain stdout_bytes, stderr_bytes;
	uint64_t streamed_bytes; /* of standard output, gone from stdout_bytes */
	struct job_report report;
	uint64_t started_ns;
	bool watched; /* the pipes are in epoll, level-triggered */
	bool ended;   /* its end has been seen in this turn of the loop */
	bool out_pending, err_pending; /* the last read left something, perhaps */
};

/* The request's body is complete: run it, queue it or refuse it. */
void job_submit(struct conn *conn);

/* The client has gone, or its time: out of the queue, or ended at once. */
void job_cancel(struct conn *conn);

/* Answers for the jobs whose end was among this turn's events, after all of these have
 * been looked at: a pipe that holds output is among them too, because what a program
 * writes comes before its end (all_events: false when there may have been more events
 * than were taken). This saves each job two reads that find nothing. */
void jobs_finish(struct server *server, bool all_events);

/* Fills free slots from the queue. */
void job_queue_run(struct server *server);

int jobs_open(struct server *server);
void jobs_close(struct server *server);

#endif

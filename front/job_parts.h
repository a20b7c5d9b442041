/* job_parts.h: what the files of a job share: job.c (its life), job_pipes.c and
 * job_queue.c. */
#ifndef ELFPACK_FRONT_JOB_PARTS_H
#define ELFPACK_FRONT_JOB_PARTS_H

#include "front/job.h"

/* job.c. Runs a request in a free slot, or refuses it. */
void job_begin(struct job *job, struct conn *conn);

/* job_queue.c. */
void job_queue_remove(struct conn *conn);

/* job_pipes.c. A slot without pipes. */
void job_init_pipes(struct job *job);

/* Output pipes for the next job: made, or set back to what they were. */
int job_ready_pipes(struct job *job);

/* A pipe that brings the bytes of job->in to the program; *stdin_fd is its end. */
int job_feed_by_pipe(struct job *job, int *stdin_fd);

/* Reads the outputs, up to reads pieces of each: a program that writes without end must
 * not hold the loop. */
void job_drain_out(struct job *job, unsigned reads);
void job_drain_err(struct job *job, unsigned reads);

/* Throws away what the pipes hold. */
void job_discard_output(struct job *job);

void job_close_fd(int *fd);
void job_close_pipes(struct job *job);

#endif

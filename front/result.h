/* result.h: from what became of a job to the answer of its request. */
#ifndef ELFPACK_FRONT_RESULT_H
#define ELFPACK_FRONT_RESULT_H

#include "front/conn.h"
#include "front/job_files.h"

/* Are _out files to be read, after this outcome? */
bool result_wants_files(const struct conn *conn, const struct job_report *report);

/* Answers; the chains and files that it needs are taken from the caller's. */
void result_answer(struct conn *conn, struct job_report *report, struct chain *out,
		   struct chain *err, struct outputs *outputs);

/* Appends the run as a JSON object; data: with the bytes of streams and files. Returns 0
 * or -ENOMEM. */
int result_json(struct chain *body, const struct conn *conn,
		const struct job_report *report, const struct chain *out,
		const struct chain *err, const struct outputs *outputs, bool data);

#define RESULT_BOUNDARY_ROOM 48u

/* Appends the run as parts between boundaries, which is told; the chains and files are
 * taken. Returns 0 or -errno. */
int result_multipart(struct chain *body, char boundary[RESULT_BOUNDARY_ROOM],
		     const struct conn *conn, const struct job_report *report,
		     struct chain *out, struct chain *err, struct outputs *outputs);

/* The same as a tar or zip: the files, and .elfpack/ with the rest. */
int result_archive(struct chain *body, const struct conn *conn,
		   const struct job_report *report, struct chain *out, struct chain *err,
		   struct outputs *outputs);

#endif

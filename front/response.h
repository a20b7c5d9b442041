/* response.h: the head of an answer, and bodies that front writes itself. Pure but for
 * the chain's blocks. */
#ifndef ELFPACK_FRONT_RESPONSE_H
#define ELFPACK_FRONT_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "front/chain.h"
#include "front/metrics.h"

/* What became of a job, as the Elfpack fields and the JSON result say it. */
struct job_report {
	enum outcome outcome;
	int exit_code, signal;
	bool stdout_truncated, stderr_truncated;
	uint64_t queue_ns, sandbox_ns, exec_ns, collect_ns;
	uint64_t cpu_ns, peak_bytes;
};

struct answer {
	int status;
	const char *type;       /* NULL: no Content-Type */
	const char *allow;      /* NULL: no Allow */
	const char *policy;     /* NULL: no Content-Security-Policy */
	bool streamed;          /* the body comes later, in chunks with trailers */
	unsigned retry_after_s; /* 0: no Retry-After */
	const struct job_report *report; /* NULL: no job was run */
};

/* What the connection adds to an answer. */
struct answer_frame {
	const char *date, *id; /* id may be NULL */
	unsigned minor;        /* of the request's version */
	bool keep_alive, head_only;
	const char *cors; /* the origin of pages that may call, or NULL */
};

/* Appends the head and, unless head_only, moves the body behind it. Returns 0 or -ENOMEM.
 */
int response_write(struct chain *out, const struct answer *answer,
		   const struct answer_frame *frame, struct chain *body);

/* Appends the last chunk and the trailers of a streamed answer. Returns 0 or -ENOMEM. */
int response_last_chunk(struct chain *out, const struct job_report *report);

/* A sentence about a status: a line of text, or problem+json (RFC 9457). stderr_bytes and
 * report may be NULL. */
int response_problem(struct chain *body, bool json, int status, const char *why,
		     const char *about, const char *id, const struct job_report *report,
		     const struct chain *stderr_bytes);

#endif

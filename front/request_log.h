/* request_log.h: a line of JSON a request: the last ones in memory for /_/log, and each
 * on the console where the image asks for it. An image with neither writes none. */
#ifndef ELFPACK_FRONT_REQUEST_LOG_H
#define ELFPACK_FRONT_REQUEST_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/chain.h"
#include "front/http_parse.h"
#include "front/image.h"
#include "front/response.h"

#define REQUEST_LOG_BYTES 65536u
#define LOG_PATH_MAX      128u

struct log_entry {
	uint64_t begun_ns,
		wall_ns; /* of the monotonic clock; from the head to the answer's end */
	const char *id;
	uint32_t peer;           /* IPv4, host order */
	enum http_method method; /* 0: the request line could not be read */
	char path[LOG_PATH_MAX +
		  1]; /* its beginning; the query is the client's business */
	size_t args;  /* of the query */
	int status;   /* 0: the client left before its answer */
	struct job_report report;
};

struct request_log {
	char *ring; /* NULL: no ring */
	size_t start, used;
	bool console;
};

int request_log_open(struct request_log *log, const struct image *image);
void request_log_close(struct request_log *log);

/* Is it worth filling in an entry? */
static inline bool request_log_wanted(const struct request_log *log)
{
	return log->ring || log->console;
}

void request_log_add(struct request_log *log, const struct log_entry *entry);

/* Appends the lines in memory, the oldest first. Returns 0 or -ENOMEM. */
int request_log_text(const struct request_log *log, struct chain *body);

#endif

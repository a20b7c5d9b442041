/* metrics.h: counters, and the texts of /_/metrics, /_/info and the usage page. */
#ifndef ELFPACK_FRONT_METRICS_H
#define ELFPACK_FRONT_METRICS_H

#include <stdint.h>

#include "front/chain.h"

struct server;

enum outcome {
	OUTCOME_NONE,
	OUTCOME_EXITED,
	OUTCOME_SIGNALED,
	OUTCOME_TIMEOUT,
	OUTCOME_OOM,
	OUTCOME_CANCELLED,
	OUTCOME_OUTPUT_LIMIT,
	OUTCOME_COUNT,
};

struct metrics {
	uint64_t requests;              /* heads read, good or bad */
	uint64_t by_outcome[OUTCOME_COUNT];
	uint64_t by_class[6];           /* answers by status / 100 */
	uint64_t accepted, bytes_in, bytes_out;
};

/* exited, signaled, ... */
const char *outcome_name(enum outcome outcome);

int metrics_text(struct server *server, struct chain *body);
int info_json(struct server *server, struct chain *body);
int usage_text(struct server *server, struct chain *body);

#endif

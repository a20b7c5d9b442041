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

/* How long things took: counts by upper bound (metrics.c), the last one without any. */
#define DURATION_BOUNDS 15u

struct durations {
	uint64_t counts[DURATION_BOUNDS + 1];
	uint64_t sum_ns;
};

struct metrics {
	uint64_t requests; /* heads read, good or bad */
	uint64_t by_outcome[OUTCOME_COUNT];
	uint64_t by_class[6]; /* answers by status / 100 */
	uint64_t accepted, bytes_in, bytes_out;
	struct durations queued, executed,
		answered; /* jobs: waiting, running; whole requests */
};

void durations_add(struct durations *durations, uint64_t ns);

/* exited, signaled, ... */
const char *outcome_name(enum outcome outcome);

int metrics_text(struct server *server, struct chain *body);
int info_json(struct server *server, struct chain *body);
int usage_text(struct server *server, struct chain *body);

#endif

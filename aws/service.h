/* service.h: calls of AWS's services: signed, sent, tried again, understood. */
#ifndef ELFPACK_AWS_SERVICE_H
#define ELFPACK_AWS_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/retry.h"
#include "aws/rows.h"
#include "aws/transport.h"
#include "imgfmt/diag.h"

#define SERVICE_URL_ROOM 2048u
#define CALL_HEADERS_MAX 8u
#define AWS_CODE_ROOM    96u

/* One call; zeroed at first, ended by call_free. What it points to must stay. */
struct call {
	const char *service, *operation; /* "ebs", "PutSnapshotBlock" */
	const char *region;
	const char *method, *target; /* path and query, percent-encoded */
	struct sigv4_header headers[CALL_HEADERS_MAX]; /* beside those of every call */
	size_t header_count;
	const void *body;
	size_t body_size;
	bool unsigned_body;
	bool young;            /* names what was just made: "does not exist" may pass */
	bool answers_checksum; /* an answer without x-amz-checksum is cut off */
	uint64_t about;        /* caller's own: a block's index */
	/* what came of it: */
	enum failure failure;
	unsigned attempts;
	char code[AWS_CODE_ROOM]; /* AWS's, "" when there was no answer */
	char message[512];
	struct exchange exchange;
	/* service's own: */
	uint64_t due_ms;            /* of the next attempt, where it waits for one */
	bool renewed;               /* were the keys, for its sake? */
	char url[SERVICE_URL_ROOM]; /* known when it is sent or shown */
};

struct aws {
	struct places places;
	const char *endpoint;
	struct keys keys;
	bool has_keys;
	struct transport transport;
	struct call *waiting[EXCHANGES_MAX]; /* for their next attempt */
	size_t waiting_count;
	uint64_t random; /* state of the dice */
	bool clearing; /* away what is half made: calls are sent even when interrupted */
	enum failure last; /* of the call that aws_explain was asked about last */
	bool shut_out;     /* it says: no call with these keys, or this clock, is taken */
	uint64_t stopped_ms; /* when the interruption was seen; 0: not yet */
	/* Instead of sending, --dry-run: every call is answered 200 and nothing. */
	void (*show)(const struct call *call, const char *body);
};

extern volatile int
	aws_interrupted; /* the signal that asked us to end, set by its handler */

int aws_open(struct aws *aws, const char *profile, const char *region,
	     const char *endpoint, struct diag *why);
void aws_close(struct aws *aws);

/* Sends a call, unless interrupted; at most EXCHANGES_MAX at a time. -1: it never began,
 * *why says why. */
int aws_send(struct aws *aws, struct call *call, struct diag *why);
/* The next call that is over, for good; NULL: none is under way. After an interruption
 * none is tried again, and those under way have 10 s. */
struct call *aws_next(struct aws *aws, struct diag *why);
/* Sends and waits, when nothing else is under way. 0 when it succeeded; -1 else, and only
 * where there was no call at all has *why been set. */
int aws_call(struct aws *aws, struct call *call, struct diag *why);
/* Says in *why, with a hint, what a call that failed failed of. Returns -1. */
int aws_explain(struct aws *aws, const struct call *call, struct diag *why);
bool aws_code_is(const struct call *call, const char *code);
void call_free(struct call *call);

/* The address of a service in a region; endpoint NULL: AWS's own. */
void service_url(char url[SERVICE_URL_ROOM], const char *service, const char *region,
		 const char *endpoint, const char *target);
void service_pause_ms(unsigned ms);
uint64_t service_now_ms(void);

#endif

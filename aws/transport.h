/* transport.h: HTTP exchanges, many at a time, by libcurl. */
#ifndef ELFPACK_AWS_TRANSPORT_H
#define ELFPACK_AWS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "aws/sigv4.h"
#include "imgfmt/diag.h"

#define EXCHANGES_MAX 64u

/* One request and its answer; zeroed at first, used again after each answer, freed in the
 * end by exchange_free. */
struct exchange {
	/* asked: all but the body's bytes is copied by transport_start */
	const char *method, *url;
	const struct sigv4_header *headers;
	size_t header_count;
	const void *body;
	size_t body_size;
	long limit_s;  /* for the whole of it; 0: as long as bytes go to and fro */
	bool no_proxy; /* a place on this machine or its host */
	/* answered: */
	CURLcode code; /* not CURLE_OK: there was no answer, problem says why */
	char problem[CURL_ERROR_SIZE];
	long status;
	char *reply; /* its body, with a NUL behind it */
	size_t reply_size;
	char error_type[96]; /* x-amzn-errortype */
	char checksum[64];   /* x-amz-checksum */
	/* transport's own: */
	CURL *easy;
	struct curl_slist *list;
	void *owner; /* whoever asked; transport leaves it alone */
};

struct transport {
	CURLM *multi;
	unsigned running;
};

int transport_open(struct transport *transport, struct diag *why);
int transport_start(struct transport *transport, struct exchange *exchange,
		    struct diag *why);
/* An exchange that is over, or NULL after so many milliseconds without one, and at once
 * when none runs. */
struct exchange *transport_wait(struct transport *transport, int patience_ms);
/* Ends what still runs, without an answer. */
void transport_cancel(struct transport *transport, struct exchange *exchange);
void exchange_free(struct exchange *exchange);
void transport_close(struct transport *transport);

#endif

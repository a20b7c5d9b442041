/* sigv4.h: AWS Signature Version 4 of a request, from values to text. Paths here have no
 * dot segments, so none are taken out. */
#ifndef ELFPACK_AWS_SIGV4_H
#define ELFPACK_AWS_SIGV4_H

#include <stddef.h>

#define SIGV4_UNSIGNED    "UNSIGNED-PAYLOAD"
#define SIGV4_STAMP_ROOM  17u /* 20150830T123600Z */
#define SIGV4_HEADERS_MAX 16u

struct sigv4_header {
	const char *name; /* in lower case */
	const char *value;
};

struct sigv4_request {
	const char *method;
	const char *path, *query;           /* percent-encoded, as they are sent */
	const struct sigv4_header *headers; /* those to sign, in any order */
	size_t header_count;
	const char *payload; /* the body's SHA-256 in hexadecimal, or SIGV4_UNSIGNED */
};

struct sigv4_scope {
	const char *stamp; /* x-amz-date */
	const char *region, *service;
};

/* All return malloc'd text, NULL when memory ran out. */
char *sigv4_canonical(const struct sigv4_request *request);
char *sigv4_string_to_sign(const char *canonical, const struct sigv4_scope *scope);
/* The Authorization header's value. */
char *sigv4_authorization(const struct sigv4_request *request,
			  const struct sigv4_scope *scope, const char *key_id,
			  const char *secret);

#endif

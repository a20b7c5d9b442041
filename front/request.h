/* request.h: what a request asks for: its route and, for a job, argv, environment, files
 * and the form of the result. Mapping is pure but for the block it is laid out in. */
#ifndef ELFPACK_FRONT_REQUEST_H
#define ELFPACK_FRONT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/form.h"
#include "front/http_parse.h"
#include "front/image.h"
#include "front/query.h"
#include "front/upload.h"

#define REQUEST_ID_MAX 128u

enum route {
	ROUTE_NONE,
	ROUTE_RUN,
	ROUTE_USAGE,
	ROUTE_OPTIONS,
	ROUTE_HEALTH,
	ROUTE_READY,
	ROUTE_INFO,
	ROUTE_METRICS,
	ROUTE_LOG,
	ROUTE_OPENAPI,
	ROUTE_UI,
};

struct refusal {
	int status;
	const char *why;
	char about[96];    /* what it is about, or "" */
	const char *allow; /* the Allow field of a 405 or of OPTIONS */
};

struct request {
	size_t room; /* of the block this lies in */
	enum route route;
	enum http_method method;
	struct query query;
	char **argv, **envp; /* NULL-terminated */
	char **outs;         /* globs of the files to return */
	size_t out_count;
	bool envelope;                        /* the body is a JSON envelope */
	enum body_kind container;             /* the body is one; BODY_RAW: it is not */
	char boundary[FORM_BOUNDARY_MAX + 1]; /* of a form */
	bool gzip;                            /* the body's content coding */
	bool accept_json, accept_form, accept_mixed;
	bool mixed;           /* a multipart result is multipart/mixed */
	struct upload upload; /* what it brought */
	void *lists;          /* argv, envp and outs with the upload's, or NULL */
	size_t lists_room;
	void *shaped; /* argv by the image's template, or NULL */
	size_t shaped_room;
	const char
		*body_name; /* relative to the working directory; NULL: standard input */
	enum result_format format;
	uint64_t wall_ms;
	char id[REQUEST_ID_MAX + 1];
	struct refusal refusal; /* what it was refused for */
};

/* Maps a parsed head; bytes are those that its spans count from, made_id is used when the
 * client sent no usable X-Request-Id; admin: it
 * came by the admin port. The block is always made (NULL: no memory), with
 * refusal.status 0 when the request is fine. */
struct request *request_new(const struct http_head *head, const char *bytes,
			    const struct image *image, bool admin, const char *made_id);
void request_free(struct request *request);

/* Does the body have to be read for what it brings? */
bool request_has_container(const struct request *request);

/* Takes in a complete body that is an envelope or a container; body is emptied. Returns
 * 0, or -status with request->refusal. */
int request_take_body(struct request *request, const struct image *image,
		      struct chain *body);

/* Once the body is complete: what the image adds, its argv template and default outputs.
 * Returns 0, or -status with request->refusal. */
int request_finish(struct request *request, const struct image *image);

bool request_has_body(const struct http_head *head);

#endif

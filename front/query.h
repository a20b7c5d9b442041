/* query.h: a request's query string into argv and controls. Pure: fuzzed.
 *
 *   arg=V                 one argv element V
 *   _NAME=V               a control; both undecoded, so %5F never makes one
 *   any other token       one argv element: the whole token, "=" included
 *   empty token           ignored
 *
 * %XX and + are decoded as the WHATWG form encoding does; a % without two hex digits
 * stays. */
#ifndef ELFPACK_FRONT_QUERY_H
#define ELFPACK_FRONT_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum result_format {
	FORMAT_DEFAULT,
	FORMAT_RAW,
	FORMAT_JSON,
	FORMAT_MULTIPART,
	FORMAT_TAR,
	FORMAT_ZIP,
	FORMAT_STREAM,
};

enum body_kind { BODY_BY_TYPE, BODY_RAW, BODY_FORM, BODY_TAR, BODY_ZIP };

enum stderr_mode { STDERR_KEEP, STDERR_MERGE, STDERR_DROP };

/* Bits of struct query's given. */
enum control {
	CONTROL_OUT = 1,
	CONTROL_FORMAT = 2,
	CONTROL_IN = 4,
	CONTROL_FILE = 8,
	CONTROL_STDIN = 16,
	CONTROL_STDERR = 32,
	CONTROL_ENV = 64,
	CONTROL_TIMEOUT = 128,
	CONTROL_STATUS = 256,
	CONTROL_CACHE = 512,
};

/* All strings are NUL-terminated and lie in the text that was parsed. */
struct query {
	char **args, **outs, **envs;
	size_t arg_count, out_count, env_count;
	size_t arg_bytes; /* with their NULs */
	const char *file, *stdin_name;
	enum result_format format;
	enum body_kind in;
	enum stderr_mode stderr_mode;
	uint64_t timeout_ms; /* 0: not given */
	bool any_exit;       /* _status=200 */
	unsigned given;      /* enum control */
	const char *why;     /* of a refusal */
	const char *about;   /* the token it is about, or NULL */
};

struct query_limits {
	size_t args, args_bytes;
};

/* The most elements that a query can have. */
size_t query_tokens(const char *text, size_t size);

/* Parses text[0..size), in place; text[size] is overwritten too. slots has room for three
 * times query_tokens pointers. Returns 0 or -status with query->why. */
int query_parse(struct query *query, char *text, size_t size, char **slots,
		const struct query_limits *limits);

/* Sets the control that name, without its underscore, and value say; value stays in use.
 * Returns 0 or -400 with query->why. _out and _env have no place here. */
int query_control(struct query *query, const char *name, char *value);

/* Decodes %XX, and + as a space when plus is set, in place. Returns the new size. */
size_t percent_decode(char *text, size_t size, bool plus);

#endif

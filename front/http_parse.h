/* http_parse.h: a request's line and header block (RFC 9112, 2 to 6), strictly.
 *
 * Strict means: one space, CRLF only, no folding, no spaces around a name, one Host, one
 * Content-Length of digits, no Content-Length beside Transfer-Encoding. What another
 * server on the way could read differently is refused, and the connection closed. The
 * chunked body is http_chunk.h's. Pure: fuzzed by tests/fuzz/fuzz_http.c. */
#ifndef ELFPACK_FRONT_HTTP_PARSE_H
#define ELFPACK_FRONT_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_limits {
	size_t header_bytes, header_fields, target_bytes;
};

/* Bytes of the request: an offset from its first. size 0: absent. */
struct span {
	uint32_t at, size;
};

/* Bits, so that a route can name the ones it takes. */
enum http_method {
	HTTP_GET = 1,
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_PUT = 8,
	HTTP_OPTIONS = 16,
	HTTP_OTHER =
		32, /* registered, but no route here takes it: DELETE, PATCH, TRACE */
};

enum http_field {
	FIELD_HOST,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_CONNECTION,
	FIELD_EXPECT,
	FIELD_CONTENT_TYPE,
	FIELD_CONTENT_ENCODING,
	FIELD_ACCEPT,
	FIELD_X_REQUEST_ID,
	FIELD_COUNT,
};

#define HTTP_LENGTH_ABSENT UINT64_MAX

struct http_head {
	/* How far the parser is; zero to begin with. */
	uint32_t line_at, scanned, fields;
	bool have_line;

	enum http_method method;
	unsigned minor;          /* HTTP/1.minor, 0 or 1 */
	struct span path, query; /* as sent; an empty path is "/" */
	bool asterisk;           /* OPTIONS * */
	bool has_query;          /* a '?' was there */
	struct span field[FIELD_COUNT];
	uint64_t content_length; /* HTTP_LENGTH_ABSENT without one */
	bool seen[FIELD_COUNT];
	bool chunked, keep_alive, close, expect_continue;
	bool accept_json, accept_problem, accept_form, accept_mixed;

	const char *why; /* of a refusal */
};

/* Reads as far as the bytes go; call it again with the same bytes and more behind them.
 * Returns the size of the head once it is complete, 0 when more is needed, or -status:
 * the request is refused with head->why, and the connection is to be closed after the
 * answer, because where the next request begins is unknown. */
int http_head_parse(struct http_head *head, const char *bytes, size_t size,
		    const struct http_limits *limits);

/* RFC 9110, 5.6.2: a byte of a token. */
bool http_is_token(unsigned char byte);

/* A byte that may stand in a field's value: RFC 9110, 5.5. */
bool http_is_field_byte(unsigned char byte);

#endif

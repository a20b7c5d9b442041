/* http_parse.c: a request's line and header block, strictly. Pure. */
#include <string.h>

#include "front/http_parse.h"
#include "front/text.h"

#define METHOD_SIZE_MAX 32u
#define LINE_OVERHEAD   (METHOD_SIZE_MAX + 12u) /* of a request line beside its target */

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{"GET", HTTP_GET},     {"HEAD", HTTP_HEAD},       {"POST", HTTP_POST},
	{"PUT", HTTP_PUT},     {"OPTIONS", HTTP_OPTIONS}, {"DELETE", HTTP_OTHER},
	{"PATCH", HTTP_OTHER}, {"TRACE", HTTP_OTHER},
};

static const struct {
	const char *name; /* lower case */
	enum http_field field;
	bool list; /* may come more than once */
} fields[] = {
	{"host", FIELD_HOST, false},
	{"content-length", FIELD_CONTENT_LENGTH, false},
	{"transfer-encoding", FIELD_TRANSFER_ENCODING, false},
	{"connection", FIELD_CONNECTION, true},
	{"expect", FIELD_EXPECT, false},
	{"content-type", FIELD_CONTENT_TYPE, false},
	{"content-encoding", FIELD_CONTENT_ENCODING, false},
	{"accept", FIELD_ACCEPT, true},
	{"x-request-id", FIELD_X_REQUEST_ID, false},
};

bool http_is_token(unsigned char byte)
{
	if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9'))
		return true;
	return byte && strchr("!#$%&'*+-.^_`|~", byte);
}

bool http_is_field_byte(unsigned char byte)
{
	return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

static int refuse(struct http_head *head, int status, const char *why)
{
	head->why = why;
	return -status;
}

/* uri-host [ ":" port ], RFC 3986, 3.2.2: no user information, nothing that ends it. */
static bool host_is_valid(const char *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)at[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && !(c && strchr("-._~%!$&'()*+,;=:[]", c)))
			return false;
	}
	return true;
}

/* origin-form and absolute-form (RFC 9112, 3.2); the authority of the latter is checked
 * and dropped, as there is one site here. */
static int parse_target(struct http_head *head, const char *bytes, struct span target)
{
	const char *at = bytes + target.at;
	uint32_t skip = 0;
	if (target.size == 1 && at[0] == '*') {
		head->asterisk = true;
		return head->method == HTTP_OPTIONS
			       ? 0
			       : refuse(head, 400, "target * without OPTIONS");
	}
	for (uint32_t i = 0; i < target.size; i++)
		if ((unsigned char)at[i] <= 0x20 || at[i] == 0x7f || at[i] == '#')
			return refuse(head, 400, "a byte that no target may have");
	if (target.size > 7 && text_is(at, 7, "http://"))
		skip = 7;
	else if (target.size > 8 && text_is(at, 8, "https://"))
		skip = 8;
	else if (at[0] != '/')
		return refuse(head, 400, "target is neither a path nor an http URL");
	if (skip) {
		uint32_t end = skip;
		while (end < target.size && at[end] != '/' && at[end] != '?')
			end++;
		if (end == skip || !host_is_valid(at + skip, end - skip))
			return refuse(head, 400, "target with a malformed host");
		skip = end;
	}
	const char *mark = memchr(at + skip, '?', target.size - skip);
	uint32_t path_end = mark ? (uint32_t)(mark - at) : target.size;
	head->path = (struct span){target.at + skip, path_end - skip};
	head->has_query = mark != NULL;
	if (mark)
		head->query = (struct span){target.at + path_end + 1,
					    target.size - path_end - 1};
	return 0;
}

static int parse_version(struct http_head *head, const char *at, size_t size)
{
	if (size != 8 || memcmp(at, "HTTP/", 5) != 0 || at[6] != '.' || at[5] < '0' ||
	    at[5] > '9' || at[7] < '0' || at[7] > '9')
		return refuse(head, 400, "malformed request line");
	if (at[5] != '1' || at[7] > '1')
		return refuse(head, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	head->minor = (unsigned)(at[7] - '0');
	head->keep_alive = head->minor == 1;
	return 0;
}

static int parse_request_line(struct http_head *head, const char *bytes, uint32_t at,
			      uint32_t end, const struct http_limits *limits)
{
	uint32_t method_end = at;
	while (method_end < end && http_is_token((unsigned char)bytes[method_end]))
		method_end++;
	if (method_end == at || method_end == end || bytes[method_end] != ' ')
		return refuse(head, 400, "malformed request line");
	uint32_t target_at = method_end + 1, target_end = target_at;
	while (target_end < end && bytes[target_end] != ' ')
		target_end++;
	if (target_end == target_at || target_end == end)
		return refuse(head, 400, "malformed request line");
	if (target_end - target_at > limits->target_bytes)
		return refuse(head, 414, "the target is too long");
	int rc = parse_version(head, bytes + target_end + 1, end - target_end - 1);
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strlen(methods[i].name) == method_end - at &&
		    memcmp(methods[i].name, bytes + at, method_end - at) == 0)
			head->method = methods[i].method;
	if (!head->method)
		return refuse(head, 501, "unknown method");
	head->have_line = true;
	return parse_target(head, bytes,
			    (struct span){target_at, target_end - target_at});
}

/* Takes the next element of a comma-separated list (RFC 9110, 5.6.1), trimmed. Returns
 * false at the end. */
static bool list_next(const char **at, const char *end, const char **element,
		      size_t *size)
{
	const char *from = *at;
	if (from >= end)
		return false;
	const char *stop = memchr(from, ',', (size_t)(end - from));
	*at = stop ? stop + 1 : end;
	if (!stop)
		stop = end;
	while (from < stop && (*from == ' ' || *from == '\t'))
		from++;
	while (stop > from && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	*element = from;
	*size = (size_t)(stop - from);
	return true;
}

static int read_connection(struct http_head *head, const char *at, size_t size)
{
	const char *end = at + size, *element = NULL;
	size_t length = 0;
	while (list_next(&at, end, &element, &length)) {
		if (text_is(element, length, "close"))
			head->close = true;
		else if (text_is(element, length, "keep-alive"))
			head->keep_alive = true;
	}
	return 0;
}

/* Is there no ";q=0" among a media range's parameters? RFC 9110, 12.4.2. */
static bool quality_is_positive(const char *at, const char *end)
{
	while (at < end) {
		at++; /* the semicolon */
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		bool quality =
			end - at >= 3 && (at[0] == 'q' || at[0] == 'Q') && at[1] == '=';
		bool positive = false;
		for (; at < end && *at != ';'; at++)
			positive |= *at >= '1' && *at <= '9';
		if (quality)
			return positive;
	}
	return true;
}

/* Media types that choose a format; one with q=0 is not wanted. */
static int read_accept(struct http_head *head, const char *at, size_t size)
{
	const char *end = at + size, *element = NULL;
	size_t length = 0;
	while (list_next(&at, end, &element, &length)) {
		const char *mark = memchr(element, ';', length);
		size_t type = mark ? (size_t)(mark - element) : length;
		while (type && (element[type - 1] == ' ' || element[type - 1] == '\t'))
			type--;
		bool wanted = !mark || quality_is_positive(mark, element + length);
		if (!wanted)
			continue;
		head->accept_json |= text_is(element, type, "application/json");
		head->accept_problem |=
			text_is(element, type, "application/problem+json");
		head->accept_form |= text_is(element, type, "multipart/form-data");
		head->accept_mixed |= text_is(element, type, "multipart/mixed");
	}
	return 0;
}

static int read_transfer_encoding(struct http_head *head, const char *at, size_t size)
{
	const char *end = at + size, *element = NULL;
	size_t length = 0;
	if (text_is(at, size, "chunked")) {
		head->chunked = true;
		return 0;
	}
	while (list_next(&at, end, &element, &length))
		if (length && !text_is(element, length, "chunked"))
			return refuse(head, 501, "unknown transfer coding");
	return refuse(head, 400, "malformed Transfer-Encoding");
}

static int read_field(struct http_head *head, enum http_field field, const char *at,
		      size_t size)
{
	switch (field) {
	case FIELD_HOST:
		return host_is_valid(at, size) ? 0 : refuse(head, 400, "malformed Host");
	case FIELD_CONTENT_LENGTH:
		return text_parse_u64(at, size, &head->content_length) &&
				       head->content_length != HTTP_LENGTH_ABSENT
			       ? 0
			       : refuse(head, 400, "malformed Content-Length");
	case FIELD_TRANSFER_ENCODING:
		return read_transfer_encoding(head, at, size);
	case FIELD_CONNECTION:
		return read_connection(head, at, size);
	case FIELD_ACCEPT:
		return read_accept(head, at, size);
	case FIELD_EXPECT:
		head->expect_continue = text_is(at, size, "100-continue");
		return 0;
	case FIELD_CONTENT_TYPE:
	case FIELD_CONTENT_ENCODING:
	case FIELD_X_REQUEST_ID:
	case FIELD_COUNT:
		break;
	}
	return 0;
}

static int parse_field(struct http_head *head, const char *bytes, uint32_t at,
		       uint32_t end, const struct http_limits *limits)
{
	uint32_t colon = at;
	while (colon < end && http_is_token((unsigned char)bytes[colon]))
		colon++;
	if (colon == at || colon == end || bytes[colon] != ':')
		return refuse(head, 400, "malformed header field");
	if (++head->fields > limits->header_fields)
		return refuse(head, 431, "too many header fields");
	uint32_t value = colon + 1;
	while (value < end && (bytes[value] == ' ' || bytes[value] == '\t'))
		value++;
	while (end > value && (bytes[end - 1] == ' ' || bytes[end - 1] == '\t'))
		end--;
	for (uint32_t i = value; i < end; i++)
		if (!http_is_field_byte((unsigned char)bytes[i]))
			return refuse(head, 400, "a control character in a header field");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!text_is(bytes + at, colon - at, fields[i].name))
			continue;
		enum http_field field = fields[i].field;
		if (head->seen[field] && !fields[i].list)
			return refuse(head, 400,
				      "a header field that must not be repeated is");
		head->seen[field] = true;
		head->field[field] = (struct span){value, end - value};
		return read_field(head, field, bytes + value, end - value);
	}
	return 0;
}

/* What only the whole head shows. RFC 9112, 3.2 and 6.1. */
static int check_whole(struct http_head *head)
{
	if (!head->seen[FIELD_HOST] && head->minor == 1)
		return refuse(head, 400, "no Host");
	if (head->seen[FIELD_TRANSFER_ENCODING] && head->seen[FIELD_CONTENT_LENGTH])
		return refuse(head, 400, "Content-Length beside Transfer-Encoding");
	if (head->seen[FIELD_TRANSFER_ENCODING] && head->minor == 0)
		return refuse(head, 400, "Transfer-Encoding in HTTP/1.0");
	if (!head->seen[FIELD_CONTENT_LENGTH])
		head->content_length = HTTP_LENGTH_ABSENT;
	if (head->seen[FIELD_EXPECT] && !head->expect_continue)
		return refuse(head, 417, "only 100-continue can be expected");
	if (head->minor == 0)
		head->expect_continue = false; /* RFC 9110, 10.1.1 */
	if (head->close)                       /* wins over keep-alive: RFC 9112, 9.3 */
		head->keep_alive = false;
	return 0;
}

/* A head that has not ended: is it too long already, or hopeless from its first byte? */
static int check_unfinished(struct http_head *head, const char *bytes, size_t size,
			    const struct http_limits *limits)
{
	head->scanned = (uint32_t)size;
	if (!head->have_line && size > head->line_at) {
		unsigned char first = (unsigned char)bytes[head->line_at];
		if (!http_is_token(first) && !(head->line_at == 0 && first == '\r'))
			return refuse(head, 400, "not HTTP");
		if (size - head->line_at > limits->target_bytes + LINE_OVERHEAD)
			return refuse(head, 414, "the target is too long");
	}
	if (size < limits->header_bytes)
		return 0;
	return head->have_line ? refuse(head, 431, "the header block is too long")
			       : refuse(head, 414, "the request line is too long");
}

int http_head_parse(struct http_head *head, const char *bytes, size_t size,
		    const struct http_limits *limits)
{
	for (;;) {
		const char *from = bytes + head->scanned;
		const char *feed = size > head->scanned
					   ? memchr(from, '\n', size - head->scanned)
					   : NULL;
		if (!feed)
			return check_unfinished(head, bytes, size, limits);
		uint32_t at = head->line_at, end = (uint32_t)(feed - bytes);
		if (end == at || bytes[end - 1] != '\r')
			return refuse(head, 400, "a line that does not end in CRLF");
		head->line_at = head->scanned = end + 1;
		if (head->line_at > limits->header_bytes)
			return head->have_line
				       ? refuse(head, 431, "the header block is too long")
				       : refuse(head, 414,
						"the request line is too long");
		end--;
		int rc = 0;
		if (end > at) {
			rc = head->have_line
				     ? parse_field(head, bytes, at, end, limits)
				     : parse_request_line(head, bytes, at, end, limits);
		} else if (head->have_line) {
			rc = check_whole(head);
			return rc ? rc : (int)head->line_at;
		} else if (at > 0) { /* one empty line before a request: RFC 9112, 2.2 */
			rc = refuse(head, 400, "empty lines instead of a request");
		}
		if (rc)
			return rc;
	}
}

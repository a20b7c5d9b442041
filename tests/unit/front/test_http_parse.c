/* test_http_parse.c: heads into fields and flags, and what is refused, byte by byte too.
 * The expected values are RFC 9110's and RFC 9112's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/http_parse.h"

static const struct http_limits limits = {16384, 100, 8192};

/* Parses byte by byte, so that every cut is tried. */
static int parse(struct http_head *head, const char *text)
{
	size_t size = strlen(text);
	int rc = 0;
	*head = (struct http_head){0};
	for (size_t n = 1; n <= size && !rc; n++)
		rc = http_head_parse(head, text, n, &limits);
	return rc;
}

static void assert_span(const char *text, struct span span, const char *expected)
{
	assert_int_equal(span.size, strlen(expected));
	assert_memory_equal(text + span.at, expected, span.size);
}

static void a_head_gives_its_method_target_and_fields(void **state)
{
	static const char text[] =
		"POST /a/b.c?x&y=%20 HTTP/1.1\r\nHost: example.org:80\r\n"
		"content-TYPE: \t text/plain; a=b \r\n"
		"Content-Length: 0042\r\nX-Request-Id: r\r\n\r\nbody";
	struct http_head head;
	(void)state;
	assert_int_equal(parse(&head, text), sizeof(text) - 1 - 4);
	assert_int_equal(head.method, HTTP_POST);
	assert_int_equal(head.minor, 1);
	assert_span(text, head.path, "/a/b.c");
	assert_span(text, head.query, "x&y=%20");
	assert_span(text, head.field[FIELD_CONTENT_TYPE], "text/plain; a=b");
	assert_span(text, head.field[FIELD_X_REQUEST_ID], "r");
	assert_int_equal(head.content_length, 42);
	assert_true(head.has_query);
	assert_true(head.keep_alive);
	assert_false(head.chunked);
}

static void a_missing_length_is_not_a_length_of_zero(void **state)
{
	struct http_head head;
	(void)state;
	assert_true(parse(&head, "GET / HTTP/1.1\r\nHost: h\r\n\r\n") > 0);
	assert_true(head.content_length == HTTP_LENGTH_ABSENT);
	assert_false(head.has_query);
	assert_true(parse(&head,
			  "GET /? HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n") > 0);
	assert_int_equal(head.content_length, 0);
	assert_true(head.has_query);
}

static void an_absolute_target_counts_as_its_path(void **state)
{
	static const char with_path[] = "GET HTTP://h:1/p?q HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char without[] = "GET https://h?q HTTP/1.1\r\nHost: h\r\n\r\n";
	struct http_head head;
	(void)state;
	assert_true(parse(&head, with_path) > 0);
	assert_span(with_path, head.path, "/p");
	assert_span(with_path, head.query, "q");
	assert_true(parse(&head, without) > 0);
	assert_int_equal(head.path.size, 0);
	assert_span(without, head.query, "q");
}

static void persistence_is_that_of_rfc_9112_9_3(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} rows[] = {
		{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", false},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, close ,y\r\n\r\n", false},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: "
		 "close\r\n\r\n",
		 false},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", true},
		{"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
		{"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
	};
	struct http_head head;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(parse(&head, rows[i].text) > 0);
		assert_int_equal(head.keep_alive, rows[i].keep_alive);
	}
}

static void accepted_types_count_unless_their_quality_is_zero(void **state)
{
	static const struct {
		const char *accept;
		bool json, problem, form, mixed;
	} rows[] = {
		{"*/*", false, false, false, false},
		{"application/json", true, false, false, false},
		{"text/html, Application/JSON;q=0.5", true, false, false, false},
		{"application/json;q=0", false, false, false, false},
		{"application/json; q=0.000, application/problem+json;q=0.1", false, true,
		 false, false},
		{"application/json;v=1;q=0.0", false, false, false, false},
		{"multipart/mixed", false, false, false, true},
		{"multipart/form-data, application/problem+json", false, true, true,
		 false},
		{"application/jsonp", false, false, false, false},
	};
	char text[256];
	struct http_head head;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(text, "GET / HTTP/1.1\r\nHost: h\r\nAccept: ");
		strcat(strcat(text, rows[i].accept), "\r\n\r\n");
		assert_true(parse(&head, text) > 0);
		assert_int_equal(head.accept_json, rows[i].json);
		assert_int_equal(head.accept_problem, rows[i].problem);
		assert_int_equal(head.accept_form, rows[i].form);
		assert_int_equal(head.accept_mixed, rows[i].mixed);
	}
}

static void an_expectation_is_kept_for_http_1_1_only(void **state)
{
	struct http_head head;
	(void)state;
	assert_true(parse(&head,
			  "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n\r\n") >
		    0);
	assert_true(head.expect_continue);
	assert_true(parse(&head, "PUT /a HTTP/1.0\r\nExpect: 100-continue\r\n\r\n") > 0);
	assert_false(head.expect_continue);
	assert_int_equal(parse(&head, "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n"),
			 -417);
}

static void what_can_be_read_in_two_ways_is_refused(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{"GET / HTTP/1.1\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", -400},
		{"GET / HTTP/1.1\nHost: a\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", -400},
		{"GET /\tx HTTP/1.1\r\nHost: a\r\n\r\n", -400},
		{"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", -400},
		{"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", -400},
		{"GET / http/1.1\r\nHost: a\r\n\r\n", -400},
		{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", -505},
		{"GET x HTTP/1.1\r\nHost: a\r\n\r\n", -400},
		{"get / HTTP/1.1\r\nHost: a\r\n\r\n", -501},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n",
		 -400},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
		 "18446744073709551615\r\n\r\n",
		 -400},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", -400},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
		 -501},
		{"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", -400},
		{"\x16\x03\x01", -400},
	};
	struct http_head head;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (parse(&head, rows[i].text) != rows[i].rc)
			fail_msg("row %zu: %s", i, head.why ? head.why : "accepted");
}

static void limits_are_kept_exactly(void **state)
{
	static const struct http_limits small = {64, 2, 8};
	static const struct {
		const char *text;
		int refused; /* 0: it is taken whole */
	} rows[] = {
		{"GET /1234567 HTTP/1.1\r\nHost: h\r\n\r\n", 0},
		{"GET /12345678 HTTP/1.1\r\nHost: h\r\n\r\n", -414},
		{"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n", 0},
		{"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nC: d\r\n\r\n", -431},
		{"GET / HTTP/1.1\r\nHost: h\r\nA: 012345678901234567890123456789\r\n\r\n",
		 0},
		{"GET / HTTP/1.1\r\nHost: h\r\nA: "
		 "0123456789012345678901234567890123\r\n\r\n",
		 -431},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_head head = {0};
		int rc = http_head_parse(&head, rows[i].text, strlen(rows[i].text),
					 &small);
		assert_int_equal(rc, rows[i].refused ? rows[i].refused
						     : (int)strlen(rows[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_gives_its_method_target_and_fields),
		cmocka_unit_test(a_missing_length_is_not_a_length_of_zero),
		cmocka_unit_test(an_absolute_target_counts_as_its_path),
		cmocka_unit_test(persistence_is_that_of_rfc_9112_9_3),
		cmocka_unit_test(accepted_types_count_unless_their_quality_is_zero),
		cmocka_unit_test(an_expectation_is_kept_for_http_1_1_only),
		cmocka_unit_test(what_can_be_read_in_two_ways_is_refused),
		cmocka_unit_test(limits_are_kept_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

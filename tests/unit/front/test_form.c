/* test_form.c: boundaries and parts (RFC 2046, 5.1; RFC 7578; RFC 8187). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/form.h"

static struct upload upload;
static struct query query;

static int read_form(const char *text)
{
	struct chain body = {0};
	struct limits limits;
	limits_default(&limits);
	upload_free(&upload);
	query = (struct query){0};
	chain_append(&body, text, strlen(text));
	assert_int_equal(upload_take(&upload, &body), 0);
	return form_read(&upload, &query, "b", &limits);
}

static int release(void **state)
{
	(void)state;
	upload_free(&upload);
	return 0;
}

static void boundaries_are_those_of_rfc_2046(void **state)
{
	static const struct {
		const char *type, *boundary; /* NULL: none that is valid */
	} rows[] = {
		{"multipart/form-data; boundary=abc", "abc"},
		{"multipart/form-data;BOUNDARY=abc;charset=utf-8", "abc"},
		{"multipart/form-data; x=\"boundary=no;\"; boundary=\"a b:c\"", "a b:c"},
		{"multipart/form-data; boundary=\"gc0pJq0M:08jU534c0p\"",
		 "gc0pJq0M:08jU534c0p"},
		{"multipart/form-data", NULL},
		{"multipart/form-data; boundary=", NULL},
		{"multipart/form-data; boundary=\"\"", NULL},
		{"multipart/form-data; boundary=\"a ", NULL},
		{"multipart/form-data; boundary=\"a \"", NULL},
		{"multipart/form-data; boundary=a; boundary=a", NULL},
		{"multipart/form-data; boundary=gc0p:x",
		 NULL}, /* a colon must be quoted */
		{"multipart/form-data; boundary=\"a<b\"", NULL},
		{"multipart/form-data; boundary="
		 "0123456789012345678901234567890123456789012345678901234567890123456789"
		 "x",
		 NULL},
	};
	char boundary[FORM_BOUNDARY_MAX + 1];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool found = form_boundary(boundary, rows[i].type, strlen(rows[i].type));
		if (found != (rows[i].boundary != NULL))
			fail_msg("%s", rows[i].type);
		if (found)
			assert_string_equal(boundary, rows[i].boundary);
	}
}

static void parts_reach_their_places(void **state)
{
	(void)state;
	assert_int_equal(
		read_form(
			"--b\r\nContent-Disposition: form-data; "
			"name=\"arg\"\r\n\r\n-c\r\n"
			"--b\r\ncontent-disposition:form-data;name=_timeout\r\n\r\n5s\r\n"
			"--b\r\nContent-Disposition: form-data; "
			"name=\"_out\"\r\n\r\n*.o\r\n"
			"--b\r\nContent-Disposition: form-data; "
			"name=\"_env\"\r\n\r\nA=\r\n"
			"--b\r\nContent-Type: text/plain\r\nContent-Disposition: "
			"form-data; "
			"name=\"file\"; "
			"filename=\"d/a%22\\\".c\"\r\n\r\n\r\n--x\r\n--b--"),
		0);
	assert_string_equal(upload.args.items[0], "-c");
	assert_int_equal(query.timeout_ms, 5000);
	assert_string_equal(upload.outs.items[0], "*.o");
	assert_string_equal(upload.envs.items[0], "A=");
	assert_int_equal(upload.file_count, 1);
	assert_string_equal(upload.files[0].name, "a\"\".c");
	assert_string_equal(upload.files[0].bytes, "\r\n--x");
	assert_null(upload.stdin_bytes);
}

static void an_empty_part_may_share_its_line_end_with_the_boundary(void **state)
{
	(void)state;
	assert_int_equal(
		read_form("--b\r\nContent-Disposition: form-data; name=stdin\r\n\r\n"
			  "--b\r\nContent-Disposition: form-data; name=arg\r\n\r\n\r\n"
			  "--b--\r\n"),
		0);
	assert_non_null(upload.stdin_bytes);
	assert_int_equal(upload.stdin_size, 0);
	assert_string_equal(upload.args.items[0], "");
}

/* RFC 8187, 3.2.3. */
static void an_extended_filename_wins_when_it_is_utf_8(void **state)
{
	static const char head[] =
		"--b\r\nContent-Disposition: form-data; name=file; filename=x";
	static const struct {
		const char *extended, *name;
	} rows[] = {
		{"; filename*=UTF-8''%c2%a3%20and%20%e2%82%ac%20rates",
		 "\xc2\xa3 and \xe2\x82\xac rates"},
		{"; filename*=utf-8'en'y", "y"},
		{"; filename*=iso-8859-1'en'%A3%20rates", "x"},
		{"", "x"},
	};
	char text[256];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(text, head);
		strcat(strcat(text, rows[i].extended), "\r\n\r\nz\r\n--b--");
		assert_int_equal(read_form(text), 0);
		assert_string_equal(upload.files[0].name, rows[i].name);
	}
}

static void a_form_cut_anywhere_is_refused(void **state)
{
	static const char whole[] =
		"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n"
		"--b--";
	char cut[sizeof(whole)];
	(void)state;
	assert_int_equal(read_form(whole), 0);
	for (size_t size = 0; size < sizeof(whole) - 1; size++) {
		memcpy(cut, whole, size);
		cut[size] = '\0';
		assert_int_equal(read_form(cut), -400);
		assert_non_null(upload.why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boundaries_are_those_of_rfc_2046),
		cmocka_unit_test_teardown(parts_reach_their_places, release),
		cmocka_unit_test_teardown(
			an_empty_part_may_share_its_line_end_with_the_boundary, release),
		cmocka_unit_test_teardown(an_extended_filename_wins_when_it_is_utf_8,
					  release),
		cmocka_unit_test_teardown(a_form_cut_anywhere_is_refused, release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

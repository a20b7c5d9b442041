/* test_envelope.c: the JSON envelope, whole and malformed (RFC 8259, RFC 4648). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/envelope.h"

static struct upload upload;

static int read_envelope(const char *text)
{
	struct chain body = {0};
	struct limits limits;
	limits_default(&limits);
	limits.files_in = 3;
	limits.args = 4;
	limits.unpacked_bytes = 16;
	upload_free(&upload);
	chain_append(&body, text, strlen(text));
	assert_int_equal(upload_take(&upload, &body), 0);
	return envelope_read(&upload, &limits);
}

static int release(void **state)
{
	(void)state;
	upload_free(&upload);
	return 0;
}

static void each_member_reaches_its_place(void **state)
{
	(void)state;
	assert_int_equal(
		read_envelope(
			" {\"argv\" : [\"-c\",\"\"] ,\"env\":{\"K\":\"a=b\",\"L\":\"\"},"
			"\"stdin\":\"in\",\"files\":{\"d/a\":\"x\",\"b\":{\"base64\":"
			"\"AP8=\"}},\"out\":[\"*.o\"]}\r\n"),
		0);
	assert_int_equal(upload.args.count, 2);
	assert_string_equal(upload.args.items[0], "-c");
	assert_string_equal(upload.args.items[1], "");
	assert_string_equal(upload.envs.items[0], "K=a=b");
	assert_string_equal(upload.envs.items[1], "L=");
	assert_memory_equal(upload.stdin_bytes, "in", 3);
	assert_int_equal(upload.file_count, 2);
	assert_string_equal(upload.files[0].name, "d/a");
	assert_int_equal(upload.files[1].size, 2);
	assert_memory_equal(upload.files[1].bytes, "\0\xff", 2);
	assert_string_equal(upload.outs.items[0], "*.o");
}

static void lists_are_bounded_while_they_are_read(void **state)
{
	static const struct {
		const char *fits, *many;
	} rows[] = {
		{"{\"argv\":[\"a\",\"a\",\"a\",\"a\"]}",
		 "{\"argv\":[\"a\",\"a\",\"a\",\"a\",\"a\""},
		{"{\"out\":[\"a\",\"a\",\"a\",\"a\"]}",
		 "{\"out\":[\"a\",\"a\",\"a\",\"a\",\"a\""},
		{"{\"env\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\"}}",
		 "{\"env\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_envelope(rows[i].fits), 0);
		assert_int_equal(read_envelope(rows[i].many), -413);
	}
}

static void all_members_may_be_left_out(void **state)
{
	(void)state;
	assert_int_equal(read_envelope("{}"), 0);
	assert_null(upload.stdin_bytes);
	assert_int_equal(
		read_envelope("{\"argv\":[],\"env\":{},\"files\":{},\"out\":[]}"), 0);
}

static void escapes_become_utf_8(void **state)
{
	(void)state;
	assert_int_equal(read_envelope("{\"argv\":[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\","
				       "\"\\u0041\\u00e9\\u20AC\\uD83d\\ude00\"]}"),
			 0);
	assert_string_equal(upload.args.items[0], "\"\\/\b\f\n\r\t");
	assert_string_equal(upload.args.items[1],
			    "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(read_envelope("{\"stdin\":\"a\\u0000b\"}"), 0);
	assert_int_equal(upload.stdin_size, 3);
}

/* RFC 4648, 10. */
static void base64_has_the_values_of_its_rfc(void **state)
{
	static const char *const rows[][2] = {{"", ""},
					      {"Zg==", "f"},
					      {"Zm8=", "fo"},
					      {"Zm9v", "foo"},
					      {"Zm9vYg==", "foob"},
					      {"Zm9vYmE=", "fooba"},
					      {"Zm9vYmFy", "foobar"}};
	char text[64];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(text, "{\"stdin\":{\"base64\":\"");
		strcat(strcat(text, rows[i][0]), "\"}}");
		assert_int_equal(read_envelope(text), 0);
		assert_int_equal(upload.stdin_size, strlen(rows[i][1]));
		assert_string_equal(upload.stdin_bytes, rows[i][1]);
	}
}

static void what_is_not_an_envelope_is_refused(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{"", -400},
		{"[]", -400},
		{"null", -400},
		{"{", -400},
		{"{}x", -400},
		{"{\"argv\":[]", -400},
		{"{\"argv\":[],}", -400},
		{"{\"argv\":[\"a\",]}", -400},
		{"{\"argv\":[1]}", -400},
		{"{\"argv\":\"a\"}", -400},
		{"{\"argv\":null}", -400},
		{"{\"argv\":[\"a\" \"b\"]}", -400},
		{"{argv:[]}", -400},
		{"{\"argv\" []}", -400},
		{"{\"argv\":[],\"argv\":[]}", -400},
		{"{\"args\":[]}", -400},
		{"{\"argv\":[\"a\\u0000\"]}", -400},
		{"{\"argv\":[\"\\ud800\"]}", -400},
		{"{\"argv\":[\"\\udc00\"]}", -400},
		{"{\"argv\":[\"\\ud800\\u0041\"]}", -400},
		{"{\"argv\":[\"\\x41\"]}", -400},
		{"{\"argv\":[\"\\u12g4\"]}", -400},
		{"{\"argv\":[\"\n\"]}", -400},
		{"{\"argv\":[\"\xff\"]}", -400},
		{"{\"argv\":[\"\xed\xa0\x80\"]}", -400},
		{"{\"argv\":[\"a", -400},
		{"{\"argv\":[\"\\", -400},
		{"{\"argv\":[\"\\u12", -400},
		{"\xef\xbb\xbf{}", -400},
		{"{\"env\":{\"\":\"\"}}", -400},
		{"{\"env\":{\"A=\":\"\"}}", -400},
		{"{\"env\":{\"A\":1}}", -400},
		{"{\"env\":{\"A\":\"\",\"A\":\"\"}}", -400},
		{"{\"env\":{\"A\":\"\\u0000\"}}", -400},
		{"{\"files\":{\"../a\":\"\"}}", -400},
		{"{\"files\":{\"a\":\"\",\"a\":\"\"}}", -400},
		{"{\"files\":{\"/a\":\"\"}}", -400},
		{"{\"files\":{\"a\":null}}", -400},
		{"{\"files\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\"}}", -413},
		{"{\"files\":{\"a\":\"12345678\",\"b\":\"123456789\"}}", -413},
		{"{\"stdin\":{\"base64\":\"Zg\"}}", -400},
		{"{\"stdin\":{\"base64\":\"Zg=\"}}", -400},
		{"{\"stdin\":{\"base64\":\"Zh==\"}}", -400},
		{"{\"stdin\":{\"base64\":\"Zm9=\"}}", -400},
		{"{\"stdin\":{\"base64\":\"Z===\"}}", -400},
		{"{\"stdin\":{\"base64\":\"Zm 9\"}}", -400},
		{"{\"stdin\":{\"base64\":\"Zg==Zg==\"}}", -400},
		{"{\"stdin\":{\"base64\":\"_-==\"}}", -400},
		{"{\"stdin\":{\"base64\":\"\",\"base64\":\"\"}}", -400},
		{"{\"stdin\":{\"hex\":\"\"}}", -400},
		{"{\"stdin\":{}}", -400},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (read_envelope(rows[i].text) != rows[i].rc)
			fail_msg("%s", rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_member_reaches_its_place, release),
		cmocka_unit_test_teardown(all_members_may_be_left_out, release),
		cmocka_unit_test_teardown(lists_are_bounded_while_they_are_read, release),
		cmocka_unit_test_teardown(escapes_become_utf_8, release),
		cmocka_unit_test_teardown(base64_has_the_values_of_its_rfc, release),
		cmocka_unit_test_teardown(what_is_not_an_envelope_is_refused, release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_rows.c: answers of AWS's as rows. The JSON cases are RFC 8259's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/rows.h"

typedef int reader(struct rows *, const char *, size_t);

static void finds(reader *read, const char *text, const char *path, const char *expected)
{
	struct rows rows = {0};
	assert_int_equal(read(&rows, text, strlen(text)), 0);
	assert_string_equal(rows_find(&rows, path), expected);
	rows_free(&rows);
}

static void refuses(reader *read, const char *text)
{
	struct rows rows = {0};
	assert_int_equal(read(&rows, text, strlen(text)), -1);
	rows_free(&rows);
}

static void xml_elements_have_paths_below_the_root(void **state)
{
	(void)state;
	static const char text[] =
		"<?xml version=\"1.0\"?><R xmlns=\"urn:x\">\n <imagesSet>\n  <item>"
		"<imageId>ami-1</imageId><name>a &amp; "
		"b&#x21;</name></item></imagesSet></R>";
	finds(rows_read_xml, text, "imagesSet/item/imageId", "ami-1");
	finds(rows_read_xml, text, "imagesSet/item/name", "a & b!");
	finds(rows_read_xml, text, "imagesSet/item", "");
}

static void xml_that_is_cut_off_is_refused(void **state)
{
	(void)state;
	refuses(rows_read_xml, "<R><a>1</a>");
	refuses(rows_read_xml, "");
	refuses(rows_read_xml, "<html><body><p></html>");
}

static void xml_that_declares_entities_is_refused(void **state)
{
	(void)state;
	refuses(rows_read_xml, "<!DOCTYPE r [<!ENTITY e \"x\">]><r><a>&e;</a></r>");
}

static void json_members_have_paths(void **state)
{
	(void)state;
	static const char text[] =
		" {\"Blocks\": [{\"BlockIndex\": 7, \"BlockToken\": \"a\"}],"
		"\"none\": null, \"time\": -1.5e3, \"b\": {\"c\": true}}\n";
	finds(rows_read_json, text, "Blocks/item/BlockIndex", "7");
	finds(rows_read_json, text, "Blocks/item/BlockToken", "a");
	finds(rows_read_json, text, "time", "-1.5e3");
	finds(rows_read_json, text, "b/c", "true");
	finds(rows_read_json, text, "none", "null");
}

static void json_escapes_are_what_they_stand_for(void **state)
{
	(void)state;
	finds(rows_read_json,
	      "{\"a\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud834\\udd1e\"}", "a",
	      "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e");
}

static void json_that_is_none_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"",
					    "{",
					    "{\"a\"}",
					    "{\"a\": }",
					    "{\"a\": 1",
					    "{\"a\": 1} x",
					    "[1,]",
					    "\"\\ud834\"",
					    "\"\\u00\"",
					    "\"a\nb\"",
					    "{a: 1}",
					    "nonsense",
					    "\"\\u0000\"",
					    "\"\\x\"",
					    "[1 2]",
					    "<html></html>",
					    "{\"a\": tru}",
					    "{\"a\" \"b\"}",
					    "\"\\udd1e\"",
					    "'a'",
					    "-",
					    "01",
					    "1.",
					    ".5",
					    "1e",
					    "1e+",
					    "+1",
					    "1a",
					    "--1",
					    "-x"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuses(rows_read_json, texts[i]);
}

static void names_have_an_end(void **state)
{
	(void)state;
	char name[ROWS_PATH_MAX + 1], text[2 * ROWS_PATH_MAX + 50];
	memset(name, 'a', sizeof(name));
	name[ROWS_PATH_MAX] = '\0';
	snprintf(text, sizeof(text), "{\"%s\": 1}", name);
	refuses(rows_read_json, text);
	snprintf(text, sizeof(text), "<r><%s/></r>", name);
	refuses(rows_read_xml, text);
}

static void nesting_has_an_end(void **state)
{
	(void)state;
	char text[4000];
	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	refuses(rows_read_json, text);
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "<a>", 4);
	refuses(rows_read_xml, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xml_elements_have_paths_below_the_root),
		cmocka_unit_test(xml_that_is_cut_off_is_refused),
		cmocka_unit_test(json_members_have_paths),
		cmocka_unit_test(json_escapes_are_what_they_stand_for),
		cmocka_unit_test(json_that_is_none_is_refused),
		cmocka_unit_test(xml_that_declares_entities_is_refused),
		cmocka_unit_test(names_have_an_end),
		cmocka_unit_test(nesting_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_manifest.c: the manifest's text, as imgfmt/manifest.h describes it. */
#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/manifest.h"

#define HEAD "version=1\nmode=run\nexec=/bin/x\narg=x\n"

static int parse(struct manifest *out, const char *text, unsigned *line)
{
	const char *why = NULL;
	int rc = manifest_parse(out, text, strlen(text), &why, line);
	assert_true(rc == 0 || (why && *why));
	return rc;
}

static void complete_text_is_understood(void **state)
{
	struct manifest m;
	unsigned line = 0;
	(void)state;
	assert_int_equal(
		parse(&m,
		      "version=1\n# a "
		      "comment\n\nmode=http\nport=8080\nexec=/usr/bin/sed\n"
		      "arg=sed\narg=-n\nenv=A=b=c\nallow_env=LANG\ncwd=/"
		      "work\nprogram=sed\n"
		      "example=s/a/b/\nok_exit=1\nargv=\nargv={files}\nout=a\nout=b\n"
		      "allow_arg=-O[0-3]\ncors=*\nadmin=81\nui=1\nconsole_log=1\nlimit."
		      "wall_ms=5\n",
		      &line),
		0);
	assert_int_equal(m.mode, MODE_HTTP);
	assert_int_equal(m.port, 8080);
	assert_string_equal(m.exec, "/usr/bin/sed");
	assert_string_equal(m.cwd, "/work");
	assert_string_equal(m.program, "sed");
	assert_string_equal(m.example, "s/a/b/");
	assert_int_equal(m.arg_count, 2);
	assert_int_equal(m.env_count, 1);
	assert_int_equal(m.limits.wall_ms, 5);
	assert_int_equal(m.limits.args, 512);
}

static void error_names_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
	} wrong[] = {
		{"mode=run\n", 1},
		{"version=2\n", 1},
		{"version=1\nversion=1\n", 2},
		{HEAD "mode=run\n", 5},
		{HEAD "unknown=1\n", 5},
		{HEAD "limit.unknown=1\n", 5},
		{HEAD "limit.wall_ms=1x\n", 5},
		{HEAD "limit.wall_ms=18446744073709551616\n", 5},
		{HEAD "limit.wall_ms=\n", 5},
		{HEAD "port=0\n", 5},
		{HEAD "port=65536\n", 5},
		{HEAD "env=novalue\n", 5},
		{HEAD "env==v\n", 5},
		{HEAD "allow_env=A=b\n", 5},
		{HEAD "ok_exit=256\n", 5},
		{HEAD "ok_exit=1\nok_exit=x\n", 6},
		{HEAD "cors=*\ncors=*\n", 6},
		{HEAD "admin=0\n", 5},
		{HEAD "ui=0\n", 5},
		{HEAD "out=\n", 5},
		{HEAD "allow_arg=\n", 5},
		{HEAD "arg=%0\n", 5},
		{HEAD "arg=%zz\n", 5},
		{HEAD "arg=%00\n", 5},
		{HEAD "no equals sign\n", 5},
		{HEAD "arg=cut off", 5},
		{"version=1\nmode=sing\n", 2},
		{"version=1\nmode=run\nexec=bin/x\n", 3},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct manifest m;
		unsigned line = 0;
		if (parse(&m, wrong[i].text, &line) != -1 || line != wrong[i].line)
			fail_msg("%s: line %u", wrong[i].text, line);
	}
}

static void what_is_missing_is_an_error_of_the_whole(void **state)
{
	static const char *const texts[] = {
		"", "version=1\n", "version=1\nmode=run\nexec=/x\n",
		"version=1\nmode=run\narg=x\n", "version=1\nmode=http\nexec=/x\narg=x\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct manifest m;
		unsigned line = 9;
		assert_int_equal(parse(&m, texts[i], &line), -1);
		assert_int_equal(line, 0);
	}
}

static void any_value_without_nul_survives_the_way_out_and_in(void **state)
{
	char value[256], line[1024], back[MANIFEST_VALUE_MAX + 1];
	const char *key = NULL;
	size_t key_size = 0, size = 0;
	(void)state;
	for (size_t i = 0; i < 255; i++)
		value[i] = (char)(i + 1);
	size_t used = manifest_emit(line, sizeof(line), "arg", value, 255);
	assert_true(used <= sizeof(line));
	struct manifest_cursor cursor = {.text = line, .size = used};
	assert_int_equal(manifest_next(&cursor, &key, &key_size, back, &size), 1);
	assert_int_equal(key_size, 3);
	assert_memory_equal(key, "arg", 3);
	assert_int_equal(size, 255);
	assert_memory_equal(back, value, 255);
	assert_int_equal(manifest_next(&cursor, &key, &key_size, back, &size), 0);
}

static void emit_counts_what_does_not_fit_and_writes_no_further(void **state)
{
	char out[8] = "zzzzzzz";
	(void)state;
	assert_int_equal(manifest_emit(out, 4, "arg", "\n\n", 2), 3 + 1 + 6 + 1);
	assert_memory_equal(out, "arg=zzz", 8);
}

static void longest_value_is_read_and_one_byte_more_is_refused(void **state)
{
	char *text = malloc(MANIFEST_VALUE_MAX + 100);
	struct manifest m;
	unsigned line = 0;
	(void)state;
	int used = sprintf(text, HEAD "env=A=");
	memset(text + used, 'v', MANIFEST_VALUE_MAX);
	strcpy(text + used + MANIFEST_VALUE_MAX - 2, "\n");
	assert_int_equal(parse(&m, text, &line), 0);
	strcpy(text + used + MANIFEST_VALUE_MAX - 2, "v\n");
	assert_int_equal(parse(&m, text, &line), -1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete_text_is_understood),
		cmocka_unit_test(error_names_its_line),
		cmocka_unit_test(what_is_missing_is_an_error_of_the_whole),
		cmocka_unit_test(any_value_without_nul_survives_the_way_out_and_in),
		cmocka_unit_test(emit_counts_what_does_not_fit_and_writes_no_further),
		cmocka_unit_test(longest_value_is_read_and_one_byte_more_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

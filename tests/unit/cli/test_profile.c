/* test_profile.c: reading profiles, as profile.h describes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/profile.h"

static struct profile profile;
static struct diag why;

static int set_up(void **state)
{
	(void)state;
	profile_init(&profile);
	memset(&why, 0, sizeof(why));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	profile_free(&profile);
	return 0;
}

static void words_are(const struct words *words, size_t count,
		      const char *const *expected)
{
	assert_int_equal(words->count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(words->list[i], expected[i]);
}

static void values_go_on_in_indented_lines(void **state)
{
	(void)state;
	assert_int_equal(profile_parse(&profile,
				       "[profile]\nmatch = cc cc-[0-9]*\n"
				       "[pack]\nfiles =\n    /a/*.h\n    /b  /c\n",
				       "t", &why),
			 0);
	words_are(&profile.match, 2, (const char *[]){"cc", "cc-[0-9]*"});
	words_are(&profile.files, 3, (const char *[]){"/a/*.h", "/b", "/c"});
}

static void rows_of_programs_keep_their_alternatives_together(void **state)
{
	(void)state;
	assert_int_equal(profile_parse(&profile,
				       "[pack]\nprograms = ld.lld ld\nprograms = as\n",
				       "t", &why),
			 0);
	words_are(&profile.programs, 2, (const char *[]){"ld.lld ld", "as"});
}

static void names_match_by_glob_in_any_version(void **state)
{
	(void)state;
	assert_int_equal(profile_parse(&profile,
				       "[profile]\nmatch = clang clang-[0-9]*\n", "t",
				       &why),
			 0);
	assert_true(profile_matches(&profile, "clang"));
	assert_true(profile_matches(&profile, "clang-14"));
	assert_true(profile_matches(&profile, "clang-16"));
	assert_false(profile_matches(&profile, "clang-format-14"));
	assert_false(profile_matches(&profile, "clangd"));
}

static void limits_that_are_not_named_stay_unset(void **state)
{
	(void)state;
	assert_int_equal(profile_parse(&profile,
				       "[limits]\nwall-ms = 60s\nmemory-bytes = 512M\n",
				       "t", &why),
			 0);
	assert_int_equal(profile.limits.wall_ms, 60000);
	assert_int_equal(profile.limits.memory_bytes, 512u << 20);
	assert_true(profile.limits.processes == LIMIT_UNSET);
}

static void variables_and_examples_may_hold_any_sign(void **state)
{
	(void)state;
	assert_int_equal(profile_parse(&profile,
				       "[profile]\nexample = -O2&_out=a.out\n"
				       "[env]\nA_B = c=d\n",
				       "t", &why),
			 0);
	assert_string_equal(profile.example, "-O2&_out=a.out");
	words_are(&profile.env, 1, (const char *[]){"A_B=c=d"});
}

static void refused(const char *text, const char *message)
{
	assert_int_not_equal(profile_parse(&profile, text, "t.conf", &why), 0);
	assert_string_equal(why.message, message);
	memset(&why, 0, sizeof(why));
}

static void mistakes_are_told_with_their_line(void **state)
{
	(void)state;
	refused("[pack]\nfile = /a\n", "t.conf:2: file: unknown key");
	refused("[limits]\n\nwall-ms = soon\n", "t.conf:3: wall-ms: not a number (ms)");
	refused("[limits]\nwall-hours = 1\n", "t.conf:2: wall-hours: unknown limit");
	refused("[http]\nok-exit = 1 256\n",
		"t.conf:2: ok-exit: 256: not an exit status");
	refused("[http]\nargv = 'a b\n", "t.conf:2: argv: a quote without an end");
	refused("[http]\nout = a\nallow-arg = (\n",
		"t.conf:3: allow-arg: (: Unmatched ( or \\(");
	refused("[http]\nadmin = 0\n", "t.conf:2: admin: 0: not a port");
	refused("[http]\ntime = 1\n", "t.conf:2: time: unknown key");
	refused("[pack]\nfiles\n", "t.conf:2: neither [SECTION] nor NAME = VALUE");
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void remove_file(const char *folder, const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

static void profiles_are_found_by_name_with_what_they_include(void **state)
{
	(void)state;
	char folder[] = "/tmp/test_profile.XXXXXX";
	assert_non_null(mkdtemp(folder));
	write_file(folder, "a.conf",
		   "[profile]\nmatch = cc\ninclude = base\nexample = mine\n"
		   "[limits]\nwall-ms = 1s\n");
	write_file(folder, "base.conf",
		   "[profile]\nexample = theirs\n[pack]\nfiles = /base\n"
		   "[limits]\nwall-ms = 9s\nprocesses = 9\n");
	write_file(folder, "loop.conf", "[profile]\nmatch = loop\ninclude = loop\n");
	assert_int_equal(profile_find(&profile, folder, "cc", &why), 1);
	words_are(&profile.files, 1, (const char *[]){"/base"});
	assert_string_equal(profile.example, "mine");
	assert_int_equal(profile.limits.wall_ms, 1000);
	assert_int_equal(profile.limits.processes, 9);
	assert_int_equal(profile_find(&profile, folder, "other", &why), 0);
	assert_int_equal(profile_find(&profile, folder, "loop", &why), -1);
	remove_file(folder, "a.conf");
	remove_file(folder, "base.conf");
	remove_file(folder, "loop.conf");
	rmdir(folder);
	assert_int_equal(profile_find(&profile, folder, "cc", &why), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_go_on_in_indented_lines),
		TEST(rows_of_programs_keep_their_alternatives_together),
		TEST(names_match_by_glob_in_any_version),
		TEST(limits_that_are_not_named_stay_unset),
		TEST(variables_and_examples_may_hold_any_sign),
		TEST(mistakes_are_told_with_their_line),
		TEST(profiles_are_found_by_name_with_what_they_include),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

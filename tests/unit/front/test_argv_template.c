/* test_argv_template.c: argv by an image's template. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "front/argv_template.h"

#define WORDS(...)                                                                       \
	((struct argv_words){(const char *const[]){__VA_ARGS__},                         \
			     sizeof((const char *const[]){__VA_ARGS__}) /                \
				     sizeof(char *)})

static const struct argv_words none = {NULL, 0};

/* The expansion's words, joined by one blank each, in exactly the room it asked for. */
static const char *expand(struct argv_words template, struct argv_words files,
			  struct argv_words args)
{
	static char joined[256];
	const struct argv_words base = WORDS("cc", "-v");
	size_t pointers = 0, bytes = 0;
	argv_template_room(&template, &files, &args, &pointers, &bytes);
	pointers += base.count;
	char **argv = calloc(pointers, sizeof(*argv)), *text = malloc(bytes ? bytes : 1);
	assert_true(argv && text);
	argv_template_expand(argv, text, &base, &template, &files, &args);
	joined[0] = '\0';
	for (size_t i = 0; argv[i]; i++) {
		strcat(joined, i ? " " : "");
		strcat(joined, argv[i]);
	}
	free(text);
	free(argv);
	return joined;
}

static void files_and_args_stand_where_the_template_has_them(void **state)
{
	(void)state;
	assert_string_equal(expand(WORDS("-o", "a.out", "{files}", "{args}", "-lm"),
				   WORDS("a.c", "sub/b.c"), WORDS("-O2", "-g")),
			    "cc -v -o a.out a.c sub/b.c -O2 -g -lm");
	assert_string_equal(expand(WORDS("-o", "{files}"), none, none), "cc -v -o");
	assert_string_equal(expand(none, WORDS("a"), none), "cc -v");
}

static void names_that_look_like_options_are_led_by_the_folder(void **state)
{
	(void)state;
	assert_string_equal(expand(WORDS("{files}"),
				   WORDS("-o", "@f", "_a", ".b", "\xc3\xa4", "%x"), none),
			    "cc -v ./-o ./@f _a .b \xc3\xa4 ./%x");
}

static void only_whole_words_are_placeholders(void **state)
{
	(void)state;
	assert_string_equal(expand(WORDS("-o{files}", "{args}x"), WORDS("a"), WORDS("b")),
			    "cc -v -o{files} {args}x");
	const struct argv_words fixed = WORDS("{files}", "x{args}"),
				open = WORDS("{args}");
	assert_false(argv_template_takes_args(&fixed));
	assert_true(argv_template_takes_args(&open));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_and_args_stand_where_the_template_has_them),
		cmocka_unit_test(names_that_look_like_options_are_led_by_the_folder),
		cmocka_unit_test(only_whole_words_are_placeholders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

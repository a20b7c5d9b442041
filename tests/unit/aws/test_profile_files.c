/* test_profile_files.c: AWS's shared files, as the AWS SDKs and Tools Reference Guide
 * describes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/profile.h"

static const char text[] = "# people's own\n"
			   "[default]\n"
			   "region = eu-west-1\r\n"
			   "s3 =\n"
			   "    region = nested\n"
			   "\n"
			   "[profile  ci] ; for the pipeline\n"
			   "aws_secret_access_key = a+b/c==\n"
			   "key=\n"
			   "region=us-east-1\n"
			   "region=us-east-2\n"
			   "[sso-session corp]\n"
			   "sso_region = eu-central-1";

static void value_is(const char *section, const char *key, const char *expected)
{
	char *value = profile_value(text, sizeof(text) - 1, section, key);
	if (expected)
		assert_string_equal(value, expected);
	else
		assert_null(value);
	free(value);
}

static void a_value_is_of_its_section_alone(void **state)
{
	(void)state;
	value_is("default", "region", "eu-west-1");
	value_is("sso-session corp", "sso_region", "eu-central-1");
	value_is("default", "sso_region", NULL);
	value_is("other", "region", NULL);
}

static void indented_lines_belong_to_the_key_above(void **state)
{
	(void)state;
	value_is("default", "s3", "");
	value_is("default", "region", "eu-west-1");
}

static void only_the_first_equals_sign_separates(void **state)
{
	(void)state;
	value_is("profile ci", "aws_secret_access_key", "a+b/c==");
	value_is("profile ci", "key", "");
}

static void the_last_of_several_values_counts(void **state)
{
	(void)state;
	value_is("profile ci", "region", "us-east-2");
}

static void tokens_may_be_as_long_as_they_are(void **state)
{
	(void)state;
	char long_text[3000] = "[default]\naws_session_token = ";
	size_t head = strlen(long_text);
	memset(long_text + head, 'x', sizeof(long_text) - head);
	char *value = profile_value(long_text, sizeof(long_text), "default",
				    "aws_session_token");
	assert_int_equal(strlen(value), sizeof(long_text) - head);
	free(value);
}

static void a_profile_without_keys_exists(void **state)
{
	(void)state;
	assert_true(profile_exists("[a]\n[profile b]", 15, "profile b"));
	assert_false(profile_exists("[a]\n[profile b]", 15, "b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_of_its_section_alone),
		cmocka_unit_test(indented_lines_belong_to_the_key_above),
		cmocka_unit_test(only_the_first_equals_sign_separates),
		cmocka_unit_test(the_last_of_several_values_counts),
		cmocka_unit_test(tokens_may_be_as_long_as_they_are),
		cmocka_unit_test(a_profile_without_keys_exists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sigv4.c: AWS's published test suite for Signature Version 4
 * (aws-sig-v4-test-suite), the cases that concern requests as we make them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sigv4.h"

#define HOST                                                                             \
	{                                                                                \
		"host", "example.amazonaws.com"                                          \
	}
#define DATE                                                                             \
	{                                                                                \
		"x-amz-date", "20150830T123600Z"                                         \
	}
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct sigv4_scope scope = {"20150830T123600Z", "us-east-1", "service"};

static void has_signature(const struct sigv4_request *request, const char *signature)
{
	char *text = sigv4_authorization(request, &scope, "AKIDEXAMPLE",
					 "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
	assert_non_null(text);
	assert_string_equal(strstr(text, "Signature=") + 10, signature);
	free(text);
}

static void get_vanilla(void **state)
{
	(void)state;
	const struct sigv4_header headers[] = {HOST, DATE};
	const struct sigv4_request request = {"GET", "/", "", headers, 2, EMPTY};
	char *canonical = sigv4_canonical(&request);
	assert_string_equal(canonical,
			    "GET\n/\n\nhost:example.amazonaws.com\n"
			    "x-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" EMPTY);
	char *to_sign = sigv4_string_to_sign(canonical, &scope);
	assert_string_equal(
		to_sign,
		"AWS4-HMAC-SHA256\n20150830T123600Z\n"
		"20150830/us-east-1/service/aws4_request\n"
		"bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63");
	has_signature(&request,
		      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
	free(to_sign);
	free(canonical);
}

static void post_vanilla(void **state)
{
	(void)state;
	const struct sigv4_header headers[] = {HOST, DATE};
	has_signature(&(struct sigv4_request){"POST", "/", "", headers, 2, EMPTY},
		      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

static void get_vanilla_query_order_key_case(void **state)
{
	(void)state;
	const struct sigv4_header headers[] = {HOST, DATE};
	has_signature(&(struct sigv4_request){"GET", "/", "Param2=value2&Param1=value1",
					      headers, 2, EMPTY},
		      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

static void get_header_value_trim(void **state)
{
	(void)state;
	const struct sigv4_header headers[] = {
		HOST, {"my-header1", " value1"}, {"my-header2", " \"a   b   c\""}, DATE};
	has_signature(&(struct sigv4_request){"GET", "/", "", headers, 4, EMPTY},
		      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

static void post_x_www_form_urlencoded(void **state)
{
	(void)state;
	const struct sigv4_header headers[] = {
		{"content-type", "application/x-www-form-urlencoded"}, HOST, DATE};
	has_signature(&(struct sigv4_request){"POST", "/", "", headers, 3,
					      "9095672bbd1f56dfc5b65f3e153adc8731a4a65419"
					      "2329106275f4c7b24d0b6e"},
		      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_vanilla),
		cmocka_unit_test(post_vanilla),
		cmocka_unit_test(get_vanilla_query_order_key_case),
		cmocka_unit_test(get_header_value_trim),
		cmocka_unit_test(post_x_www_form_urlencoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

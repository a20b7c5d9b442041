/* test_archive.c: archives in memory: what goes in comes out, what is cut does not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "front/archive.h"
#include "front/archive_memory.h"
#include "front/block.h"

static void put(struct chain *chain, const char *text)
{
	assert_int_equal(chain_append(chain, text, strlen(text)), 0);
}

static bool holds(const struct chain *chain, const char *text)
{
	struct iovec first = {0};
	chain_iov(chain, &first, 1);
	return chain->bytes == strlen(text) && first.iov_len == strlen(text) &&
	       memcmp(first.iov_base, text, strlen(text)) == 0;
}

/* An archive of two files. */
static void pack(struct chain *body, enum archive_format format)
{
	struct chain a = {0}, b = {0};
	put(&a, "one");
	put(&b, "two");
	const struct archive_member members[] = {{"a", &a, 0644},
						 {"d/\xc3\xa4", &b, 0755}};
	assert_int_equal(archive_pack(body, format, members, 2), 0);
	chain_free(&a);
	chain_free(&b);
}

static int unpack(struct upload *upload, struct chain *body, enum archive_format format)
{
	struct limits limits;
	limits_default(&limits);
	*upload = (struct upload){0};
	assert_int_equal(upload_take(upload, body), 0);
	return archive_unpack(upload, format, &limits);
}

static void files_survive_the_way_in_and_out_and_leave_no_memory(void **state)
{
	const enum archive_format formats[] = {ARCHIVE_TAR, ARCHIVE_ZIP};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct chain body = {0};
		struct upload upload;
		pack(&body, formats[i]);
		assert_int_equal(unpack(&upload, &body, formats[i]), 0);
		assert_int_equal(upload.file_count, 2);
		assert_string_equal(upload.files[0].name, "a");
		assert_true(holds(&upload.files[0].unpacked, "one"));
		assert_string_equal(upload.files[1].name, "d/\xc3\xa4");
		assert_int_equal(upload.files[1].mode, 0755);
		upload_free(&upload);
		assert_int_equal(block_bytes_used(), 0);
	}
}

static void every_byte_cut_off_a_zip_is_noticed(void **state)
{
	struct chain whole = {0};
	(void)state;
	pack(&whole, ARCHIVE_ZIP);
	struct iovec bytes = {0};
	chain_iov(&whole, &bytes, 1);
	assert_int_equal(bytes.iov_len, whole.bytes);
	for (size_t size = 0; size < bytes.iov_len; size++) {
		struct chain cut = {0};
		struct upload upload;
		assert_int_equal(chain_append(&cut, bytes.iov_base, size), 0);
		assert_int_equal(unpack(&upload, &cut, ARCHIVE_ZIP), -400);
		upload_free(&upload);
	}
	chain_free(&whole);
	assert_int_equal(block_bytes_used(), 0);
}

static int take_too_much(void *context)
{
	(void)context;
	assert_non_null(front_archive_malloc(1000));
	while (front_archive_calloc(1, 1u << 20))
		;
	assert_null(front_archive_malloc(SIZE_MAX));
	assert_null(front_archive_calloc(SIZE_MAX, 2));
	char *text = front_archive_strdup("text");
	text = front_archive_realloc(text, 1000);
	assert_string_equal(text, "text");
	return 7;
}

static void memory_is_bounded_and_all_of_it_comes_back(void **state)
{
	(void)state;
	assert_int_equal(archive_memory_run(take_too_much, NULL), 7);
	assert_int_equal(block_bytes_used(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_survive_the_way_in_and_out_and_leave_no_memory),
		cmocka_unit_test(every_byte_cut_off_a_zip_is_noticed),
		cmocka_unit_test(memory_is_bounded_and_all_of_it_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

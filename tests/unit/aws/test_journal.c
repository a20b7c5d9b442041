/* test_journal.c: what an interrupted upload goes on by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "aws/journal.h"

#define KEY "eu-west-1 0123"

static char path[64];
static struct diag why;

static int set_up(void **state)
{
	(void)state;
	strcpy(path, "/tmp/elfpack-journal-XXXXXX");
	int fd = mkstemp(path);
	close(fd);
	memset(&why, 0, sizeof(why));
	return fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void opens(struct journal *journal, const char *key, int expected)
{
	assert_int_equal(journal_open(journal, path, key, 9, &why), expected);
}

static void write_begun(void)
{
	struct journal journal;
	opens(&journal, KEY, 0);
	assert_int_equal(journal_snapshot(&journal, "snap-0123456789abcdef0", &why), 0);
	assert_int_equal(journal_sent(&journal, 3, &why), 0);
	assert_int_equal(journal_sent(&journal, 8, &why), 0);
	journal_close(&journal);
}

static void append(const char *text)
{
	FILE *file = fopen(path, "a");
	fputs(text, file);
	fclose(file);
}

static void what_was_acknowledged_is_known_again(void **state)
{
	(void)state;
	struct journal journal;
	write_begun();
	opens(&journal, KEY, 0);
	assert_string_equal(journal.snapshot, "snap-0123456789abcdef0");
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(journal.sent[i], i == 3 || i == 8);
	assert_false(journal.sealed);
	journal_close(&journal);
}

static void a_line_that_was_cut_off_was_not_written(void **state)
{
	(void)state;
	struct journal journal;
	write_begun();
	append("block 1");
	opens(&journal, KEY, 0);
	assert_int_equal(journal.sent[1], 0);
	assert_int_equal(journal_sent(&journal, 5, &why), 0);
	journal_close(&journal);
	opens(&journal, KEY, 0);
	assert_int_equal(journal.sent[5], 1);
	assert_int_equal(journal.sent[1], 0);
	journal_close(&journal);
}

static void another_publications_journal_is_refused(void **state)
{
	(void)state;
	struct journal journal;
	write_begun();
	opens(&journal, "us-east-1 0123", -1);
	assert_non_null(strstr(why.message, "not the journal of this image"));
	journal_close(&journal);
}

static void a_damaged_journal_is_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {"block 9\n", "block x\n", "\n",
					    "snapshot ../x\n", "block 1 2\n"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct journal journal;
		unlink(path);
		write_begun();
		append(lines[i]);
		opens(&journal, KEY, -1);
		journal_close(&journal);
	}
}

static void a_snapshot_that_came_to_nothing_is_forgotten(void **state)
{
	(void)state;
	struct journal journal;
	write_begun();
	opens(&journal, KEY, 0);
	assert_int_equal(journal_again(&journal, &why), 0);
	journal_close(&journal);
	opens(&journal, KEY, 0);
	assert_int_equal(journal.generation, 1);
	assert_string_equal(journal.snapshot, "");
	assert_int_equal(journal.sent[3], 0);
	journal_close(&journal);
}

static void two_at_a_time_are_one_too_many(void **state)
{
	(void)state;
	struct journal one, other;
	opens(&one, KEY, 0);
	opens(&other, KEY, -1);
	assert_non_null(strstr(why.message, "in use"));
	journal_close(&other);
	journal_close(&one);
}

static void a_full_disk_is_said(void **state)
{
	(void)state;
	struct journal journal;
	assert_int_equal(journal_open(&journal, "/dev/full", KEY, 9, &why), -1);
	assert_non_null(strstr(why.message, "/dev/full: No space left on device"));
	journal_close(&journal);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_acknowledged_is_known_again),
		TEST(a_line_that_was_cut_off_was_not_written),
		TEST(another_publications_journal_is_refused),
		TEST(a_damaged_journal_is_refused),
		TEST(a_snapshot_that_came_to_nothing_is_forgotten),
		TEST(two_at_a_time_are_one_too_many),
		TEST(a_full_disk_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_blocks.c: a disk as blocks; digests are libcrypto's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/sha.h>

#include "aws/blocks.h"

#define DISK_SIZE (2 * BLOCK_BYTES + 1000)

static uint8_t disk[DISK_SIZE];
static struct diag why;

static int set_up(void **state)
{
	(void)state;
	memset(disk, 0, sizeof(disk));
	disk[5] = 1;
	disk[2 * BLOCK_BYTES + 999] = 2;
	return 0;
}

static void zeros_are_not_sent(void **state)
{
	(void)state;
	struct blocks blocks;
	assert_int_equal(blocks_plan(&blocks, disk, DISK_SIZE, &why), 0);
	assert_int_equal(blocks.count, 3);
	assert_int_equal(blocks_to_send(&blocks), 2);
	assert_true(blocks.list[1].zeros);
	blocks_free(&blocks);
}

static void the_last_block_ends_in_zeros(void **state)
{
	(void)state;
	struct blocks blocks;
	uint8_t expected[BLOCK_BYTES] = {0}, digest[SHA256_BYTES];
	memcpy(expected, disk + 2 * BLOCK_BYTES, 1000);
	SHA256(expected, BLOCK_BYTES, digest);
	assert_int_equal(blocks_plan(&blocks, disk, DISK_SIZE, &why), 0);
	assert_memory_equal(blocks_bytes(&blocks, 2), expected, BLOCK_BYTES);
	assert_memory_equal(blocks.list[2].digest, digest, SHA256_BYTES);
	SHA256(disk, DISK_SIZE, digest);
	assert_memory_equal(blocks.digest, digest, SHA256_BYTES);
	blocks_free(&blocks);
}

static void the_aggregate_is_over_the_digests_that_are_sent(void **state)
{
	(void)state;
	struct blocks blocks;
	uint8_t both[2 * SHA256_BYTES], expected[SHA256_BYTES], digest[SHA256_BYTES];
	assert_int_equal(blocks_plan(&blocks, disk, DISK_SIZE, &why), 0);
	memcpy(both, blocks.list[0].digest, SHA256_BYTES);
	memcpy(both + SHA256_BYTES, blocks.list[2].digest, SHA256_BYTES);
	SHA256(both, sizeof(both), expected);
	blocks_aggregate(&blocks, digest);
	assert_memory_equal(digest, expected, SHA256_BYTES);
	blocks_free(&blocks);
}

static void blocks_behind_the_end_are_zeros(void **state)
{
	(void)state;
	static const uint8_t nothing[BLOCK_BYTES];
	struct blocks blocks;
	assert_int_equal(blocks_plan(&blocks, disk, DISK_SIZE, &why), 0);
	assert_int_equal(blocks_extend(&blocks, 5, &why), 0);
	assert_int_equal(blocks.count, 5);
	assert_int_equal(blocks_to_send(&blocks), 2);
	assert_memory_equal(blocks_bytes(&blocks, 4), nothing, BLOCK_BYTES);
	blocks_free(&blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(zeros_are_not_sent, set_up),
		cmocka_unit_test_setup(the_last_block_ends_in_zeros, set_up),
		cmocka_unit_test_setup(the_aggregate_is_over_the_digests_that_are_sent,
				       set_up),
		cmocka_unit_test_setup(blocks_behind_the_end_are_zeros, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

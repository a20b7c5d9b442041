/* test_nic.c: what network drivers share: buffers that a device knows by number. */
#include "host_machine.h"

#include <string.h>

#include "shim/dev/nic.h"

static struct nic_pool pool;

void netdev_receive(struct netdev *dev, const void *frame, size_t size,
		    bool checksum_good)
{
	(void)dev;
	assert_string_equal(frame, "frame");
	assert_int_equal(size, 6);
	assert_true(checksum_good);
}

static int fresh(void **state)
{
	(void)state;
	machine_reset();
	memset(&pool, 0, sizeof(pool));
	return 0;
}

static void buffers_do_not_overlap_and_are_given_back(void **state)
{
	(void)state;
	uint64_t before = page_count_free();
	assert_int_equal(nic_pool_make(&pool, 7, 2048), 0);
	assert_int_equal(before - page_count_free(), 4);
	for (uint16_t i = 0; i < 7; i++)
		memset(nic_pool_buffer(&pool, i), i, 2048);
	for (uint16_t i = 0; i < 7; i++) {
		assert_int_equal(nic_pool_buffer(&pool, i)[0], i);
		assert_int_equal(nic_pool_buffer(&pool, i)[2047], i);
	}
	nic_pool_free(&pool);
	assert_int_equal(page_count_free(), before);
}

static void a_number_counts_only_while_it_is_given(void **state)
{
	(void)state;
	assert_int_equal(nic_pool_make(&pool, 2, 4096), 0);
	uint16_t a = nic_pool_take(&pool), b = nic_pool_take(&pool);
	assert_int_not_equal(a, b);
	assert_int_equal(nic_pool_take(&pool), NIC_NONE);
	assert_false(nic_pool_return(&pool, 2));
	assert_false(nic_pool_return(&pool, 0xffff));
	assert_true(nic_pool_return(&pool, a));
	assert_false(nic_pool_return(&pool, a));
	nic_pool_return_all(&pool);
	assert_int_equal(pool.free_count, 2);
	nic_pool_free(&pool);
}

static void a_pool_that_gets_no_memory_says_so(void **state)
{
	(void)state;
	uint64_t before = page_count_free();
	kernel_account.limit_pages = kernel_account.used_pages + 3;
	assert_int_not_equal(nic_pool_make(&pool, 8, 4096), 0);
	nic_pool_free(&pool);
	assert_int_equal(page_count_free(), before);
}

static void rings_follow_memory(void **state)
{
	(void)state;
	struct nic_rings rings = nic_rings(); /* 16 MiB less a page */
	assert_true(rings.rx <= 32 && rings.tx <= rings.rx);
	assert_int_equal(rings.rx & (rings.rx - 1), 0);
}

static void an_mtu_is_bounded_on_both_sides(void **state)
{
	(void)state;
	assert_int_equal(nic_mtu(9001, 1500), 1500);
	assert_int_equal(nic_mtu(1400, 1500), 1400);
	assert_int_equal(nic_mtu(0, 1500), 1500);
	assert_int_equal(nic_mtu(70000, 2000), 2000);
}

static void received_frames_are_counted(void **state)
{
	(void)state;
	struct netdev dev = {0};
	nic_receive(&dev, "frame", 6, true);
	assert_int_equal(dev.rx_packets, 1);
	assert_int_equal(dev.rx_bytes, 6);
}

#define T(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(buffers_do_not_overlap_and_are_given_back),
		T(a_number_counts_only_while_it_is_given),
		T(a_pool_that_gets_no_memory_says_so),
		T(rings_follow_memory),
		T(an_mtu_is_bounded_on_both_sides),
		T(received_frames_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

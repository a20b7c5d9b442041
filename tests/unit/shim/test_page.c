/* test_page.c: the buddy allocator against a model that knows who holds which frame. */
#include "host_machine.h"

#include <string.h>

#define BLOCKS_MAX 600
#define ACCOUNTS   3

static int fresh(void **state)
{
	(void)state;
	machine_reset();
	return 0;
}

static void blocks_never_overlap_and_accounts_end_at_zero(void **state)
{
	static struct {
		struct page *page;
		unsigned order, account;
	} block[BLOCKS_MAX];
	static uint8_t taken[MACHINE_PAGES];
	struct account account[ACCOUNTS];
	uint64_t seed = 1, held[ACCOUNTS] = {0}, all = page_count_free();
	unsigned count = 0;
	(void)state;
	memset(taken, 0, sizeof(taken));
	for (unsigned i = 0; i < ACCOUNTS; i++)
		account_init(&account[i], "test", 500 + 900 * i);
	for (int step = 0; step < 60000; step++) {
		if (count < BLOCKS_MAX && random_below(&seed, 100) < 52) {
			unsigned order = random_below(&seed, 8) ? random_below(&seed, 3)
								: random_below(&seed, 11);
			unsigned who = random_below(&seed, ACCOUNTS);
			struct page *page = page_alloc(&account[who], order, false);
			bool allowed =
				held[who] + (1u << order) <= account[who].limit_pages;
			if (!allowed)
				assert_null(page);
			if (order == 0 && allowed && page_count_free() > 0)
				assert_non_null(page);
			if (!page)
				continue;
			uint64_t frame = page_pa(page) >> PAGE_SHIFT;
			assert_int_equal(frame & ((1u << order) - 1), 0);
			for (uint64_t i = 0; i < 1u << order; i++)
				assert_int_equal(taken[frame + i]++, 0);
			held[who] += 1u << order;
			block[count].page = page;
			block[count].order = order;
			block[count++].account = who;
		} else if (count) {
			unsigned i = random_below(&seed, count);
			uint64_t frame = page_pa(block[i].page) >> PAGE_SHIFT;
			for (uint64_t n = 0; n < 1u << block[i].order; n++)
				taken[frame + n]--;
			held[block[i].account] -= 1u << block[i].order;
			page_put(block[i].page);
			block[i] = block[--count];
		}
		uint64_t sum = 0;
		for (unsigned i = 0; i < ACCOUNTS; i++) {
			assert_int_equal(account[i].used_pages, held[i]);
			sum += held[i];
		}
		assert_int_equal(page_count_free(), all - sum);
	}
	while (count)
		page_put(block[--count].page);
	for (unsigned i = 0; i < ACCOUNTS; i++)
		assert_int_equal(account[i].used_pages, 0);
	assert_int_equal(page_count_free(), all);
}

static void memory_joins_again_after_it_was_all_single_pages(void **state)
{
	static struct page *page[MACHINE_PAGES];
	unsigned count = 0;
	(void)state;
	while ((page[count] = page_alloc(&kernel_account, 0, false)))
		count++;
	assert_int_equal(count, MACHINE_PAGES - 1); /* the first frame is not given out */
	for (unsigned i = 0; i < count; i++)
		page_put(page[i]);
	for (unsigned i = 0; i < MACHINE_PAGES / 1024 - 1; i++)
		assert_non_null(page_alloc(&kernel_account, PAGE_ORDER_MAX, false));
}

static void a_page_asked_for_zeroed_is_zero(void **state)
{
	static const uint8_t zero[PAGE_SIZE];
	(void)state;
	struct page *page = page_alloc(&kernel_account, 0, false);
	memset(page_va(page), 7, PAGE_SIZE);
	page_put(page);
	page = page_alloc(&kernel_account, 0, true);
	assert_memory_equal(page_va(page), zero, PAGE_SIZE);
	page_put(page);
}

static void the_last_reference_frees(void **state)
{
	(void)state;
	uint64_t all = page_count_free();
	struct page *page = page_alloc(&kernel_account, 2, false);
	page_get(page);
	page_put(page);
	assert_int_equal(page_count_free(), all - 4);
	page_put(page);
	assert_int_equal(page_count_free(), all);
}

static void the_reserve_is_for_those_who_may_use_it(void **state)
{
	struct account job;
	(void)state;
	account_init(&job, "job", UINT64_MAX);
	page_reserve_set(page_count_free() - 1);
	assert_non_null(page_alloc(&job, 0, false));
	assert_null(page_alloc(&job, 0, false));
	assert_true(job.refused);
	assert_non_null(page_alloc(&kernel_account, 0, false));
}

static void pages_of_the_image_are_never_counted_or_freed(void **state)
{
	(void)state;
	page_init(MACHINE_PAGES);
	memset(page_of_pa(0), 0, MACHINE_PAGES * sizeof(struct page));
	page_mark_image(64 * PAGE_SIZE, 128 * PAGE_SIZE);
	page_give(128 * PAGE_SIZE, 256 * PAGE_SIZE);
	struct page *page = page_of_pa(64 * PAGE_SIZE);
	page_put(page);
	page_put(page);
	page_get(page);
	assert_int_equal(page->refs, 1);
	assert_int_equal(page_count_free(), 128);
	assert_int_equal(page_count_total(), 128);
	assert_null(page_of_pa(MACHINE_PAGES * PAGE_SIZE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(blocks_never_overlap_and_accounts_end_at_zero,
				       fresh),
		cmocka_unit_test_setup(memory_joins_again_after_it_was_all_single_pages,
				       fresh),
		cmocka_unit_test_setup(a_page_asked_for_zeroed_is_zero, fresh),
		cmocka_unit_test_setup(the_last_reference_frees, fresh),
		cmocka_unit_test_setup(the_reserve_is_for_those_who_may_use_it, fresh),
		cmocka_unit_test_setup(pages_of_the_image_are_never_counted_or_freed,
				       fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

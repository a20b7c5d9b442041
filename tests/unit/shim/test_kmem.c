/* test_kmem.c: slabs: objects keep their bytes, and what is freed is given back. */
#include "host_machine.h"

#include <string.h>

#include "shim/mm/kmem.h"

#define OBJECTS 400u

static int fresh(void **state)
{
	(void)state;
	machine_reset();
	return 0;
}

struct held {
	uint8_t *bytes;
	size_t size;
	uint8_t fill;
};

static void check(const struct held *object)
{
	for (size_t i = 0; i < object->size; i++)
		assert_int_equal(object->bytes[i], object->fill);
}

static size_t random_size(uint64_t *seed)
{
	return random_below(seed, 10) ? random_below(seed, 600) + 1
				      : random_below(seed, 9000) + 1;
}

static void objects_keep_their_bytes_through_random_allocation(void **state)
{
	static struct held held[OBJECTS];
	struct account account;
	uint64_t seed = 7, all = page_count_free();
	(void)state;
	memset(held, 0, sizeof(held));
	account_init(&account, "job", 900);
	for (int step = 0; step < 40000; step++) {
		struct held *object = &held[random_below(&seed, OBJECTS)];
		size_t size = random_size(&seed);
		check(object);
		if (object->bytes && random_below(&seed, 4) == 0) {
			uint8_t *grown = krealloc(&account, object->bytes, size);
			if (!grown)
				continue;
			size_t kept = size < object->size ? size : object->size;
			*object = (struct held){grown, kept, object->fill};
			check(object);
		} else if (object->bytes) {
			kfree(object->bytes);
			*object = (struct held){0};
			continue;
		} else {
			object->bytes = kmalloc(&account, size);
		}
		if (!object->bytes)
			continue;
		assert_true(kmem_size(object->bytes) >= size);
		assert_int_equal((uintptr_t)object->bytes % 16, 0);
		object->size = size;
		object->fill = (uint8_t)step;
		memset(object->bytes, object->fill, size);
	}
	for (unsigned i = 0; i < OBJECTS; i++)
		kfree(held[i].bytes);
	assert_int_equal(account.used_pages, 0);
	assert_int_equal(page_count_free(), all);
}

static void power_of_two_sizes_from_64_are_aligned_to_64(void **state)
{
	(void)state;
	for (size_t size = 64; size <= 2048; size *= 2)
		for (int i = 0; i < 5; i++)
			assert_int_equal((uintptr_t)kmalloc(&kernel_account, size) % 64,
					 0);
}

static void zeroed_objects_are_zero_though_their_memory_was_used(void **state)
{
	(void)state;
	static const uint8_t zero[5000];
	for (size_t size = 1; size <= sizeof(zero); size = size * 3 / 2 + 1) {
		void *object = kmalloc(&kernel_account, size),
		     *other = kmalloc(&kernel_account, size);
		memset(object, 0xee, size);
		kfree(object);
		object = kzalloc(&kernel_account, size);
		assert_memory_equal(object, zero, size);
		kfree(object);
		kfree(other);
	}
}

static void an_account_that_cannot_pay_gets_nothing(void **state)
{
	struct account account;
	(void)state;
	account_init(&account, "poor", 1);
	void *object = kmalloc(&account, 2048);
	assert_non_null(object);
	assert_null(kmalloc(&account, 16));
	assert_null(krealloc(&account, object, 4096));
	assert_true(account.refused);
	kfree(object);
	assert_int_equal(account.used_pages, 0);
	assert_null(kmalloc(&kernel_account, ((size_t)4 << 20) + 1));
	kfree(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(objects_keep_their_bytes_through_random_allocation,
				       fresh),
		cmocka_unit_test_setup(power_of_two_sizes_from_64_are_aligned_to_64,
				       fresh),
		cmocka_unit_test_setup(
			zeroed_objects_are_zero_though_their_memory_was_used, fresh),
		cmocka_unit_test_setup(an_account_that_cannot_pay_gets_nothing, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* vm_space.c: address spaces and the words in them. */
#include "vm_space.h"

struct account account;

int space_boot(void **state)
{
	(void)state;
	machine_reset();
	return 0;
}

int space_fresh(void **state)
{
	(void)state;
	account_init(&account, "job", MACHINE_PAGES - 64);
	return 0;
}

uint64_t *word_at(struct vmspace *vm, uint64_t va, enum vm_access access,
		  enum vm_fault_result *result)
{
	unsigned rights = 0;
	paddr_t pa = pt_lookup(&vm->pt, va, &rights);
	*result = VM_OK;
	if (!pa || !(rights & access)) {
		*result = vm_fault(vm, va, access);
		if (*result != VM_OK)
			return NULL;
		pa = pt_lookup(&vm->pt, va, &rights);
		assert_true(pa != 0);
		assert_true((rights & access) != 0);
	}
	return phys_to_virt(pa);
}

void expect_word(struct vmspace *vm, uint64_t va, uint64_t value)
{
	enum vm_fault_result result;
	const uint64_t *word = word_at(vm, va, VM_READ, &result);
	assert_int_equal(result, VM_OK);
	assert_int_equal(*word, value);
}

void put_word(struct vmspace *vm, uint64_t va, uint64_t value)
{
	assert_int_equal(vm_write(vm, va, &value, sizeof(value)), 0);
}

uint64_t map_at(struct vmspace *vm, uint64_t address, uint64_t pages, bool shared)
{
	struct vm_request r = {.address = address,
			       .size = pages * PAGE_SIZE,
			       .prot = RW,
			       .fixed = address != 0,
			       .shared = shared};
	uint64_t at;
	assert_int_equal(vm_map(vm, &r, &at), 0);
	return at;
}

static void count_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	(void)va;
	(void)flags;
	*(uint64_t *)context += pa != page_zeros_pa;
}

void check_areas(struct vmspace *vm)
{
	uint64_t bytes = 0, pages = 0;
	for (uint32_t i = 0; i < vm->area_count; i++) {
		assert_true(vm->area[i]->start < vm->area[i]->end);
		assert_true(i == 0 || vm->area[i - 1]->end <= vm->area[i]->start);
		bytes += vm->area[i]->end - vm->area[i]->start;
	}
	assert_int_equal(vm->mapped_bytes, bytes);
	pt_walk(&vm->pt, 0, USER_ADDRESS_END, count_page, &pages);
	assert_int_equal(vm_resident(vm), pages);
	assert_true(vm_resident_peak(vm) >= pages);
}

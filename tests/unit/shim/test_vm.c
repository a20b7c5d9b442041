/* test_vm.c: what address spaces do, call by call. test_vm_model.c tries what comes
 * together. */
#include "vm_space.h"

#include <errno.h>

#include "host_file.h"

static void fork_shares_pages_until_one_side_writes(void **state)
{
	(void)state;
	struct vmspace *parent = vm_make(&account);
	uint64_t at = map_at(parent, 0, 32, false);
	for (uint64_t i = 0; i < 32; i++)
		put_word(parent, at + i * PAGE_SIZE, 1);
	uint64_t before = account.used_pages;
	struct vmspace *child = vm_fork(parent);
	expect_word(child, at, 1);
	assert_true(account.used_pages - before <= 6); /* tables and areas, no copy */
	put_word(child, at, 2);
	expect_word(parent, at, 1);
	put_word(parent, at, 3); /* the last holder writes in place */
	expect_word(child, at, 2);
	vm_put(parent);
	vm_put(child);
	assert_int_equal(account.used_pages, 0);
}

/* Three blocks of page tables, all written: page i holds the word i + 1. */
#define BIG (3 * PT_BLOCK_SIZE)
static struct vmspace *big_space(void)
{
	struct vmspace *vm = vm_make(&account);
	map_at(vm, BASE, BIG / PAGE_SIZE, false);
	for (uint64_t i = 0; i < BIG / PAGE_SIZE; i++)
		put_word(vm, BASE + i * PAGE_SIZE, i + 1);
	return vm;
}

static void expect_big(struct vmspace *vm, uint64_t start, uint64_t end)
{
	for (uint64_t at = start; at < end; at += PAGE_SIZE)
		expect_word(vm, at, (at - BASE) / PAGE_SIZE + 1);
}

static void fork_shares_the_page_tables_of_big_areas_until_one_side_writes(void **state)
{
	(void)state;
	struct vmspace *parent = big_space();
	uint64_t alone = account.used_pages;
	struct vmspace *child = vm_fork(parent);
	uint64_t both = account.used_pages;
	assert_true(both - alone <= 4); /* three levels of tables, and slabs */
	expect_big(child, BASE, BASE + BIG);
	assert_int_equal(account.used_pages, both); /* reading costs nothing */
	put_word(child, BASE + PAGE_SIZE, 1000);
	assert_int_equal(account.used_pages, both + 2); /* a table and a page */
	expect_word(parent, BASE + PAGE_SIZE, 2);
	struct vmspace *grandchild = vm_fork(child);
	put_word(parent, BASE + BIG - PAGE_SIZE, 2000);
	expect_word(child, BASE + BIG - PAGE_SIZE, BIG / PAGE_SIZE);
	expect_word(grandchild, BASE + PAGE_SIZE, 1000);
	expect_big(grandchild, BASE + 2 * PAGE_SIZE, BASE + BIG);
	vm_put(child);
	vm_put(grandchild);
	assert_int_equal(account.used_pages, alone);
	for (uint64_t at = BASE; at < BASE + BIG; at += PAGE_SIZE)
		put_word(parent, at, 3); /* in place again */
	assert_int_equal(account.used_pages, alone);
	vm_put(parent);
	assert_int_equal(account.used_pages, 0);
}

static void without_memory_for_a_shared_page_table_a_call_changes_nothing(void **state)
{
	(void)state;
	struct vmspace *parent = big_space(), *child = vm_fork(parent);
	uint64_t at = BASE + PT_BLOCK_SIZE / 2, to;
	/* Areas are split at once, so that tables are all that is lacking. */
	assert_int_equal(vm_set_fork(child, at, PT_BLOCK_SIZE, VM_FORK_OMIT), 0);
	account.limit_pages = account.used_pages;
	assert_int_equal(vm_fault(child, at, VM_WRITE), VM_NO_MEMORY);
	assert_int_equal(vm_unmap(child, at, PT_BLOCK_SIZE), -ENOMEM);
	assert_int_equal(vm_protect(child, at, PT_BLOCK_SIZE, PT_READ), -ENOMEM);
	assert_int_equal(vm_discard(child, at, PT_BLOCK_SIZE), -EAGAIN);
	assert_int_equal(vm_remap(child, at, PT_BLOCK_SIZE, PT_BLOCK_SIZE,
				  VM_REMAP_MAYMOVE | VM_REMAP_FIXED, 4 * BASE, &to),
			 -ENOMEM);
	assert_int_equal(vm_fault(child, at, VM_READ), VM_OK);
	expect_big(child, BASE, BASE + BIG);
	/* Whole blocks need none, nor does a table that is nobody else's any more. */
	assert_int_equal(vm_discard(child, BASE + 2 * PT_BLOCK_SIZE, PT_BLOCK_SIZE), 0);
	vm_put(parent);
	assert_int_equal(vm_unmap(child, at, PT_BLOCK_SIZE), 0);
	expect_big(child, BASE, at);
	expect_big(child, at + PT_BLOCK_SIZE, BASE + 2 * PT_BLOCK_SIZE);
	vm_put(child);
	assert_int_equal(account.used_pages, 0);
}

static void what_fork_shall_omit_of_a_shared_page_table_is_not_in_the_child(void **state)
{
	(void)state;
	struct vmspace *parent = big_space(), *first = vm_fork(parent);
	uint64_t at = BASE + PT_BLOCK_SIZE + 8 * PAGE_SIZE;
	assert_int_equal(vm_set_fork(parent, at, PAGE_SIZE, VM_FORK_OMIT), 0);
	struct vmspace *second = vm_fork(parent);
	assert_int_equal(vm_fault(second, at, VM_READ), VM_UNMAPPED);
	expect_big(second, BASE, at);
	expect_big(second, at + PAGE_SIZE, BASE + BIG);
	put_word(second, BASE + PT_BLOCK_SIZE, 5);
	put_word(parent, BASE + PT_BLOCK_SIZE, 6);
	expect_big(first, BASE, BASE + BIG);
	vm_put(parent);
	vm_put(first);
	vm_put(second);
	assert_int_equal(account.used_pages, 0);
}

static void what_fork_shall_omit_or_wipe_is_not_in_the_child(void **state)
{
	(void)state;
	struct vmspace *parent = vm_make(&account);
	uint64_t at = map_at(parent, 0, 3, false);
	for (uint64_t i = 0; i < 3; i++)
		put_word(parent, at + i * PAGE_SIZE, 9);
	assert_int_equal(vm_set_fork(parent, at, PAGE_SIZE, VM_FORK_OMIT), 0);
	assert_int_equal(vm_set_fork(parent, at + PAGE_SIZE, PAGE_SIZE, VM_FORK_WIPE), 0);
	struct vmspace *child = vm_fork(parent);
	assert_int_equal(vm_fault(child, at, VM_READ), VM_UNMAPPED);
	expect_word(child, at + PAGE_SIZE, 0);
	expect_word(child, at + 2 * PAGE_SIZE, 9);
	vm_put(parent);
	vm_put(child);
	assert_int_equal(account.used_pages, 0);
}

static void private_file_pages_are_copied_and_shared_ones_written_through(void **state)
{
	(void)state;
	struct vnode *file = host_file_make();
	struct vmspace *vm = vm_make(&account);
	struct vm_request r = {
		.size = (FILE_PAGES + 2) * PAGE_SIZE, .prot = RW, .vnode = file};
	uint64_t one, two;
	assert_int_equal(vm_map(vm, &r, &one), 0);
	r.shared = true;
	r.offset = PAGE_SIZE;
	assert_int_equal(vm_map(vm, &r, &two), 0);
	expect_word(vm, one + PAGE_SIZE, FILE_WORD(1));
	put_word(vm, one + PAGE_SIZE, 77);
	expect_word(vm, two, FILE_WORD(1));
	put_word(vm, two + PAGE_SIZE, 88);
	expect_word(vm, one + 2 * PAGE_SIZE, 88);
	assert_int_equal(vm_discard(vm, one, PAGE_SIZE * 2), 0);
	expect_word(vm, one + PAGE_SIZE, FILE_WORD(1));
	assert_int_equal(vm_fault(vm, one + FILE_PAGES * PAGE_SIZE, VM_READ),
			 VM_PAST_END);
	assert_true(host_file_refs(file) >= 3);
	vm_put(vm);
	assert_int_equal(host_file_refs(file), 1);
	host_file_free(file);
	assert_int_equal(account.used_pages, 0);
}

static void a_read_only_shared_file_never_becomes_writable(void **state)
{
	(void)state;
	struct vnode *file = host_file_make();
	struct vmspace *vm = vm_make(&account);
	struct vm_request r = {.size = PAGE_SIZE,
			       .prot = PT_READ,
			       .vnode = file,
			       .shared = true,
			       .no_write = true};
	uint64_t at;
	assert_int_equal(vm_map(vm, &r, &at), 0);
	assert_int_equal(vm_protect(vm, at, PAGE_SIZE, RW), -EACCES);
	assert_int_equal(vm_fault(vm, at, VM_WRITE), VM_FORBIDDEN);
	vm_put(vm);
	host_file_free(file);
}

static void fixed_mappings_replace_unless_told_not_to(void **state)
{
	(void)state;
	struct vmspace *vm = vm_make(&account);
	struct vm_request r = {
		.address = BASE, .size = PAGE_SIZE, .prot = RW, .fixed = true};
	uint64_t at;
	map_at(vm, BASE, 2, false);
	put_word(vm, BASE, 5);
	r.no_replace = true;
	assert_int_equal(vm_map(vm, &r, &at), -EEXIST);
	expect_word(vm, BASE, 5);
	r.no_replace = false;
	assert_int_equal(vm_map(vm, &r, &at), 0);
	expect_word(vm, BASE, 0);
	r.address = BASE + 1;
	assert_int_equal(vm_map(vm, &r, &at), -EINVAL);
	r.address = PAGE_SIZE;
	assert_int_equal(vm_map(vm, &r, &at), -EPERM);
	r.address = USER_ADDRESS_END;
	assert_int_equal(vm_map(vm, &r, &at), -ENOMEM);
	vm_put(vm);
	assert_int_equal(account.used_pages, 0);
}

static void peaks_outlast_what_made_them(void **state)
{
	(void)state;
	struct vmspace *vm = vm_make(&account);
	uint64_t at = map_at(vm, 0, 8, false);
	expect_word(vm, at + 7 * PAGE_SIZE, 0); /* zeros, that nobody owns */
	assert_int_equal(vm_resident(vm), 0);
	for (uint64_t i = 0; i < 8; i++)
		put_word(vm, at + i * PAGE_SIZE, 1);
	assert_int_equal(vm_resident(vm), 8);
	assert_int_equal(vm_unmap(vm, at, 6 * PAGE_SIZE), 0);
	assert_int_equal(vm_resident(vm), 2);
	assert_int_equal(vm_resident_peak(vm), 8);
	assert_int_equal(vm_mapped_bytes_peak(vm), 8 * PAGE_SIZE);
	struct vmspace *child = vm_fork(vm);
	assert_int_equal(vm_resident(child), 2);
	assert_int_equal(vm_resident_peak(child), 2);
	vm_put(child);
	assert_int_equal(vm_discard(vm, at + 6 * PAGE_SIZE, PAGE_SIZE), 0);
	assert_int_equal(vm_resident(vm), 1);
	assert_int_equal(vm_resident_peak(vm), 8);
	vm_put(vm);
	assert_int_equal(account.used_pages, 0);
}

static void huge_reservations_cost_nothing(void **state)
{
	(void)state;
	struct vmspace *vm = vm_make(&account);
	uint64_t before = account.used_pages, at;
	struct vm_request r = {.size = 64ull << 30};
	assert_int_equal(vm_map(vm, &r, &at), 0);
	assert_true(account.used_pages - before <=
		    2); /* slabs of the list and the area */
	assert_int_equal(vm_fault(vm, at, VM_READ), VM_FORBIDDEN);
	assert_int_equal(vm_unmap(vm, at, r.size), 0);
	vm_put(vm);
	assert_int_equal(account.used_pages, 0);
}

static void a_move_that_runs_out_of_memory_changes_nothing(void **state)
{
	(void)state;
	struct vmspace *vm = vm_make(&account);
	uint64_t at = map_at(vm, BASE, 8, false), to, eight = 8 * PAGE_SIZE;
	uint64_t goal = 2 * BASE + PT_BLOCK_SIZE - 3 * PAGE_SIZE; /* two tables to make */
	for (uint64_t i = 0; i < 8; i++)
		put_word(vm, at + i * PAGE_SIZE, i + 1);
	uint64_t used = account.used_pages;
	for (uint64_t more = 0; more < 2; more++) {
		account.limit_pages = used + more;
		assert_int_equal(vm_remap(vm, at, eight, eight,
					  VM_REMAP_MAYMOVE | VM_REMAP_FIXED, goal, &to),
				 -ENOMEM);
		for (uint64_t i = 0; i < 8; i++)
			expect_word(vm, at + i * PAGE_SIZE, i + 1);
		assert_int_equal(vm_fault(vm, goal, VM_READ), VM_UNMAPPED);
	}
	account.limit_pages = used + 2;
	assert_int_equal(vm_remap(vm, at, eight, eight, VM_REMAP_MAYMOVE | VM_REMAP_FIXED,
				  goal, &to),
			 0);
	for (uint64_t i = 0; i < 8; i++)
		expect_word(vm, goal + i * PAGE_SIZE, i + 1);
	vm_put(vm);
	assert_int_equal(account.used_pages, 0);
}

static void mremap_refuses_what_linux_refuses(void **state)
{
	(void)state;
	struct vmspace *vm = vm_make(&account);
	uint64_t at = map_at(vm, BASE, 4, false), to, four = 4 * PAGE_SIZE;
	assert_int_equal(vm_remap(vm, at + 1, four, four, 0, 0, &to), -EINVAL);
	assert_int_equal(vm_remap(vm, at, four, 0, 0, 0, &to), -EINVAL);
	assert_int_equal(vm_remap(vm, at, four, four, 8, 0, &to), -EINVAL);
	assert_int_equal(vm_remap(vm, at, four, four, VM_REMAP_FIXED, 2 * BASE, &to),
			 -EINVAL);
	assert_int_equal(vm_remap(vm, 3 * BASE, four, four, 0, 0, &to), -EFAULT);
	assert_int_equal(vm_remap(vm, at, four + PAGE_SIZE, 2 * four, 1, 0, &to),
			 -EFAULT);
	assert_int_equal(vm_remap(vm, at, 0, four, 1, 0, &to), -EINVAL);
	map_at(vm, at + four, 1, true);
	assert_int_equal(vm_remap(vm, at, four, 2 * four, 0, 0, &to), -ENOMEM);
	assert_int_equal(vm_remap(vm, at, four, 2 * four, VM_REMAP_MAYMOVE, 0, &to), 0);
	assert_true(to != at);
	vm_put(vm);
	assert_int_equal(account.used_pages, 0);
}

static void the_heap_grows_shrinks_and_stops_at_a_neighbour(void **state)
{
	(void)state;
	struct vmspace *vm = vm_make(&account);
	vm->brk_start = vm->brk = BASE + 0x100;
	map_at(vm, BASE + 16 * PAGE_SIZE, 1, false);
	assert_int_equal(vm_brk(vm, 0), BASE + 0x100);
	assert_int_equal(vm_brk(vm, BASE + 5 * PAGE_SIZE), BASE + 5 * PAGE_SIZE);
	put_word(vm, BASE + 4 * PAGE_SIZE, 1);
	assert_true(vm_find(vm, BASE + 4 * PAGE_SIZE, NULL)->heap);
	assert_int_equal(vm_brk(vm, BASE + 17 * PAGE_SIZE), BASE + 5 * PAGE_SIZE);
	assert_int_equal(vm_brk(vm, BASE + 2 * PAGE_SIZE), BASE + 2 * PAGE_SIZE);
	assert_int_equal(vm_fault(vm, BASE + 4 * PAGE_SIZE, VM_READ), VM_UNMAPPED);
	assert_int_equal(vm_brk(vm, BASE + 5 * PAGE_SIZE), BASE + 5 * PAGE_SIZE);
	expect_word(vm, BASE + 4 * PAGE_SIZE, 0);
	vm_put(vm);
	assert_int_equal(account.used_pages, 0);
}

static void a_stack_grows_down_but_not_next_to_a_neighbour(void **state)
{
	(void)state;
	struct vmspace *vm = vm_make(&account);
	struct vm_request r = {.address = BASE + (2ull << 20),
			       .size = PAGE_SIZE,
			       .prot = RW,
			       .fixed = true,
			       .grows_down = true};
	uint64_t at;
	assert_int_equal(vm_map(vm, &r, &at), 0);
	map_at(vm, BASE, 1, false);
	put_word(vm, at - 8 * PAGE_SIZE, 4);
	expect_word(vm, at - 8 * PAGE_SIZE, 4);
	assert_int_equal(vm_fault(vm, BASE + 2 * PAGE_SIZE, VM_WRITE), VM_UNMAPPED);
	check_areas(vm);
	vm_put(vm);
	assert_int_equal(account.used_pages, 0);
}

static void running_out_of_memory_is_said_and_leaks_nothing(void **state)
{
	(void)state;
	account_init(&account, "poor", 40);
	struct vmspace *vm = vm_make(&account);
	uint64_t at = map_at(vm, 0, 100, false);
	uint64_t i = 0;
	while (vm_fault(vm, at + i * PAGE_SIZE, VM_WRITE) == VM_OK)
		i++;
	assert_true(i > 30 && i < 40);
	assert_int_equal(vm_fault(vm, at + i * PAGE_SIZE, VM_WRITE), VM_NO_MEMORY);
	assert_null(vm_fork(vm));
	expect_word(vm, at, 0);
	vm_put(vm);
	assert_int_equal(account.used_pages, 0);
}

#define T(name) cmocka_unit_test_setup(name, space_fresh)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(fork_shares_pages_until_one_side_writes),
		T(fork_shares_the_page_tables_of_big_areas_until_one_side_writes),
		T(without_memory_for_a_shared_page_table_a_call_changes_nothing),
		T(what_fork_shall_omit_of_a_shared_page_table_is_not_in_the_child),
		T(what_fork_shall_omit_or_wipe_is_not_in_the_child),
		T(private_file_pages_are_copied_and_shared_ones_written_through),
		T(a_read_only_shared_file_never_becomes_writable),
		T(fixed_mappings_replace_unless_told_not_to),
		T(peaks_outlast_what_made_them),
		T(huge_reservations_cost_nothing),
		T(a_move_that_runs_out_of_memory_changes_nothing),
		T(mremap_refuses_what_linux_refuses),
		T(the_heap_grows_shrinks_and_stops_at_a_neighbour),
		T(a_stack_grows_down_but_not_next_to_a_neighbour),
		T(running_out_of_memory_is_said_and_leaks_nothing),
	};
	return cmocka_run_group_tests(tests, space_boot, NULL);
}

/* test_vm.c: address spaces against a model that says what each page is and holds. */
#include "host_machine.h"

#include <errno.h>
#include <string.h>

#include "host_pagetable.h"
#include "shim/mm/vm.h"

#define BASE   0x10000000ull
#define PAGES  48u
#define SPACES 3u
#define RW     (PT_READ | PT_WRITE)

static struct account account;

/* One machine for all: vm_fault.c keeps its page of zeros for ever. */
static int boot(void **state)
{
	(void)state;
	machine_reset();
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	account_init(&account, "job", 3000);
	host_pt_maps_left = UINT64_MAX;
	return 0;
}

static uint64_t *word_at(struct vmspace *vm, uint64_t va, enum vm_access access,
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

static void expect_word(struct vmspace *vm, uint64_t va, uint64_t value)
{
	enum vm_fault_result result;
	uint64_t *word = word_at(vm, va, VM_READ, &result);
	assert_int_equal(result, VM_OK);
	assert_int_equal(*word, value);
}

static void put_word(struct vmspace *vm, uint64_t va, uint64_t value)
{
	assert_int_equal(vm_write(vm, va, &value, sizeof(value)), 0);
}

static uint64_t map_at(struct vmspace *vm, uint64_t address, uint64_t pages, bool shared)
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

/* The model. */
struct cell {
	bool mapped, shared;
	uint8_t prot;
	uint64_t value;         /* private */
	unsigned object, index; /* shared */
};
static struct cell cells[SPACES][PAGES];
static uint64_t objects[4096][PAGES];
static unsigned object_count;

static uint64_t *model_word(struct cell *c)
{
	return c->shared ? &objects[c->object][c->index] : &c->value;
}

static void step_map(struct vmspace *vm, struct cell *c, unsigned first, unsigned n,
		     bool shared)
{
	map_at(vm, BASE + first * PAGE_SIZE, n, shared);
	unsigned object = shared ? ++object_count : 0;
	assert_true(object < 4096);
	for (unsigned i = 0; i < n; i++)
		c[first + i] = (struct cell){true, shared, RW, 0, object, i};
}

static void step_protect(struct vmspace *vm, struct cell *c, unsigned first, unsigned n,
			 uint8_t prot)
{
	int rc = vm_protect(vm, BASE + first * PAGE_SIZE, n * PAGE_SIZE, prot);
	for (unsigned i = first; i < first + n; i++) {
		if (!c[i].mapped) {
			assert_int_equal(rc, -ENOMEM);
			return;
		}
		c[i].prot = prot;
	}
	assert_int_equal(rc, 0);
}

static void step_access(struct vmspace *vm, struct cell *c, unsigned i, uint64_t value)
{
	enum vm_fault_result result;
	uint64_t va = BASE + i * PAGE_SIZE;
	enum vm_access access = value & 1 ? VM_WRITE : VM_READ;
	uint64_t *word = word_at(vm, va, access, &result);
	if (!c[i].mapped) {
		assert_int_equal(result, VM_UNMAPPED);
	} else if (!(c[i].prot & access)) {
		assert_int_equal(result, VM_FORBIDDEN);
	} else {
		assert_int_equal(result, VM_OK);
		assert_int_equal(*word, *model_word(&c[i]));
		if (access == VM_WRITE)
			*word = *model_word(&c[i]) = value;
	}
}

static void step_discard(struct vmspace *vm, struct cell *c, unsigned first, unsigned n)
{
	bool whole = true;
	for (unsigned i = first; i < first + n; i++) {
		whole = whole && c[i].mapped;
		c[i].value = 0;
	}
	assert_int_equal(vm_discard(vm, BASE + first * PAGE_SIZE, n * PAGE_SIZE),
			 whole ? 0 : -ENOMEM);
}

static void step_move(struct vmspace *vm, struct cell *c, unsigned from, unsigned to,
		      unsigned n)
{
	uint64_t at;
	const struct vm_area *area = vm_find(vm, BASE + from * PAGE_SIZE, NULL);
	bool one = area && area->start <= BASE + from * PAGE_SIZE &&
		   area->end >= BASE + (from + n) * PAGE_SIZE;
	bool apart = from + n <= to || to + n <= from;
	int rc = vm_remap(vm, BASE + from * PAGE_SIZE, n * PAGE_SIZE, n * PAGE_SIZE,
			  VM_REMAP_MAYMOVE | VM_REMAP_FIXED, BASE + to * PAGE_SIZE, &at);
	assert_int_equal(rc == 0, one && apart);
	if (rc != 0)
		return;
	assert_int_equal(at, BASE + to * PAGE_SIZE);
	memcpy(&c[to], &c[from], n * sizeof(*c));
	memset(&c[from], 0, n * sizeof(*c));
}

static void count_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	(void)va;
	(void)flags;
	*(uint64_t *)context += !vm_page_is_zeros(page_of_pa(pa));
}

static void check_areas(struct vmspace *vm)
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

static void spaces_behave_as_the_model_through_random_calls(void **state)
{
	struct vmspace *vm[SPACES];
	uint64_t seed = 11;
	(void)state;
	memset(cells, 0, sizeof(cells));
	for (unsigned i = 0; i < SPACES; i++)
		assert_non_null(vm[i] = vm_make(&account));
	for (int step = 0; step < 30000 && object_count < 4000; step++) {
		unsigned s = random_below(&seed, SPACES), n = 1 + random_below(&seed, 8);
		unsigned first = random_below(&seed, PAGES - n + 1);
		unsigned dice = random_below(&seed, 100);
		struct cell *c = cells[s];
		if (dice < 12) {
			step_map(vm[s], c, first, n, dice < 4);
		} else if (dice < 18) {
			memset(&c[first], 0, n * sizeof(*c));
			assert_int_equal(
				vm_unmap(vm[s], BASE + first * PAGE_SIZE, n * PAGE_SIZE),
				0);
		} else if (dice < 28) {
			static const uint8_t prots[] = {0, PT_READ, RW,
							PT_READ | PT_EXEC};
			step_protect(vm[s], c, first, n, prots[random_below(&seed, 4)]);
		} else if (dice < 31) {
			step_discard(vm[s], c, first, n);
		} else if (dice < 37) {
			step_move(vm[s], c, first, random_below(&seed, PAGES - n + 1), n);
		} else if (dice < 38) {
			unsigned to = (s + 1) % SPACES;
			vm_put(vm[to]);
			assert_non_null(vm[to] = vm_fork(vm[s]));
			memcpy(cells[to], c, sizeof(cells[0]));
		} else {
			step_access(vm[s], c, first, (uint64_t)step);
		}
		check_areas(vm[s]);
	}
	for (unsigned i = 0; i < SPACES; i++)
		vm_put(vm[i]);
	assert_int_equal(account.used_pages, 0);
}

static void fork_shares_pages_until_one_side_writes(void **state)
{
	(void)state;
	struct vmspace *parent = vm_make(&account);
	uint64_t at = map_at(parent, 0, 4, false);
	put_word(parent, at, 1);
	uint64_t before = account.used_pages;
	struct vmspace *child = vm_fork(parent);
	expect_word(child, at, 1);
	assert_true(account.used_pages - before <= 2); /* tables and areas, no copy */
	put_word(child, at, 2);
	expect_word(parent, at, 1);
	put_word(parent, at, 3); /* the last holder writes in place */
	expect_word(child, at, 2);
	vm_put(parent);
	vm_put(child);
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
	uint64_t at = map_at(vm, BASE, 8, false), to;
	for (uint64_t i = 0; i < 8; i++)
		put_word(vm, at + i * PAGE_SIZE, i + 1);
	host_pt_maps_left = 3;
	assert_int_equal(vm_remap(vm, at, 8 * PAGE_SIZE, 8 * PAGE_SIZE,
				  VM_REMAP_MAYMOVE | VM_REMAP_FIXED, 2 * BASE, &to),
			 -ENOMEM);
	host_pt_maps_left = UINT64_MAX;
	for (uint64_t i = 0; i < 8; i++)
		expect_word(vm, at + i * PAGE_SIZE, i + 1);
	assert_int_equal(vm_fault(vm, 2 * BASE, VM_READ), VM_UNMAPPED);
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

#define T(name) cmocka_unit_test_setup(name, fresh)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(fork_shares_pages_until_one_side_writes),
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
		T(spaces_behave_as_the_model_through_random_calls),
	};
	return cmocka_run_group_tests(tests, boot, NULL);
}

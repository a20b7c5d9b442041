/* test_vm_model.c: address spaces that fork, map, move and protect at random, against a
 * model that says what each page is and holds, while CPUs keep the translations that they
 * were not told to drop. */
#include <errno.h>
#include <string.h>

#include "host_tlb.h"
#include "vm_space.h"

#define SPACES       3u
#define PAGES        1100u /* of HOST_TLB_BLOCKS blocks */
#define FEW          48u
#define OBJECTS      4096u
#define SHARED_PAGES 8u

struct cell {
	bool mapped, shared, omitted;
	uint8_t prot;
	uint64_t value;         /* private */
	unsigned object, index; /* shared */
};
static struct cell cells[SPACES][PAGES];
static uint64_t objects[OBJECTS][SHARED_PAGES];
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
	assert_true(object < OBJECTS);
	for (unsigned i = 0; i < n; i++)
		c[first + i] = (struct cell){.mapped = true,
					     .shared = shared,
					     .prot = RW,
					     .object = object,
					     .index = i};
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

/* From then on forks leave the pages out, or no more. */
static void step_omit(struct vmspace *vm, struct cell *c, unsigned first, unsigned n,
		      bool omitted)
{
	bool whole = true;
	for (unsigned i = first; i < first + n; i++) {
		whole = whole && c[i].mapped;
		c[i].omitted = omitted && c[i].mapped;
	}
	assert_int_equal(vm_set_fork(vm, BASE + first * PAGE_SIZE, n * PAGE_SIZE,
				     omitted ? VM_FORK_OMIT : VM_FORK_COPY),
			 whole ? 0 : -ENOMEM);
}

/* Writes everywhere: page tables become full, and worth sharing. */
static void step_fill(struct vmspace *vm, struct cell *c, unsigned pages, uint64_t value)
{
	step_map(vm, c, 0, pages, false);
	for (unsigned i = 0; i < pages; i++)
		put_word(vm, BASE + i * PAGE_SIZE, c[i].value = value + i);
}

static void check_words(struct vmspace *vm, struct cell *c)
{
	for (unsigned i = 0; i < PAGES; i++)
		if (c[i].mapped && c[i].prot)
			expect_word(vm, BASE + i * PAGE_SIZE, *model_word(&c[i]));
}

static unsigned shared_tables(const struct vmspace *vm)
{
	unsigned shared = 0;
	for (uint64_t va = BASE; va < BASE + PAGES * PAGE_SIZE; va += PT_BLOCK_SIZE)
		shared += pt_sharers(&vm->pt, va) > 1;
	return shared;
}

static void step(struct vmspace *vm, struct cell *c, unsigned pages, uint64_t *seed,
		 uint64_t number)
{
	static const uint8_t prots[] = {0, PT_READ, RW, PT_READ | PT_EXEC};
	unsigned dice = random_below(seed, 100), n = 1 + random_below(seed, SHARED_PAGES);
	bool shared = dice < 4;
	if (!shared && pages > FEW && random_below(seed, 4) == 0)
		n = 1 + random_below(seed, pages / 2);
	unsigned first = random_below(seed, pages - n + 1);
	uint64_t at = BASE + first * PAGE_SIZE;
	if (dice < 12) {
		step_map(vm, c, first, n, shared);
	} else if (dice < 18) {
		memset(&c[first], 0, n * sizeof(*c));
		assert_int_equal(vm_unmap(vm, at, n * PAGE_SIZE), 0);
	} else if (dice < 28) {
		step_protect(vm, c, first, n, prots[random_below(seed, 4)]);
	} else if (dice < 31) {
		step_discard(vm, c, first, n);
	} else if (dice < 37) {
		step_move(vm, c, first, random_below(seed, pages - n + 1), n);
	} else if (dice < 38) {
		step_omit(vm, c, first, n, random_below(seed, 3) == 0);
	} else {
		step_access(vm, c, first, number);
	}
}

/* Of space s a copy, in the place of the one after it. Returns how many tables they
 * share. */
static unsigned step_fork(struct vmspace **vm, unsigned s)
{
	unsigned to = (s + 1) % SPACES;
	host_tlb_load(to, NULL);
	vm_put(vm[to]);
	assert_non_null(vm[to] = vm_fork(vm[s]));
	host_tlb_load(to, vm[to]);
	for (unsigned i = 0; i < PAGES; i++)
		cells[to][i] = cells[s][i].omitted ? (struct cell){0} : cells[s][i];
	return shared_tables(vm[to]);
}

/* Returns how many tables were shared, all forks together. */
static unsigned play(unsigned pages, uint64_t seed, uint64_t steps)
{
	struct vmspace *vm[SPACES];
	unsigned shared = 0;
	memset(cells, 0, sizeof(cells));
	object_count = 0;
	memset(objects, 0, sizeof(objects));
	for (unsigned i = 0; i < SPACES; i++) {
		assert_non_null(vm[i] = vm_make(&account));
		host_tlb_load(i, vm[i]);
	}
	for (uint64_t number = 0; number < steps && object_count < OBJECTS - 1;
	     number++) {
		unsigned s = random_below(&seed, SPACES);
		unsigned dice = random_below(&seed, 60);
		if (dice == 0 && pages > FEW)
			step_fill(vm[s], cells[s], pages, number);
		if (dice < 2)
			shared += step_fork(vm, s);
		else
			step(vm[s], cells[s], pages, &seed, number);
		check_areas(vm[s]);
		for (unsigned i = 0; i < SPACES; i++)
			host_tlb_check(i);
		if (number % 200 == 0)
			check_words(vm[s], cells[s]);
	}
	for (unsigned i = 0; i < SPACES; i++) {
		check_words(vm[i], cells[i]);
		host_tlb_load(i, NULL);
		vm_put(vm[i]);
	}
	assert_int_equal(account.used_pages, 0);
	return shared;
}

static void small_spaces_behave_as_the_model_through_random_calls(void **state)
{
	(void)state;
	assert_int_equal(play(FEW, 11, 30000), 0);
}

static void
spaces_that_share_tables_behave_as_the_model_through_random_calls(void **state)
{
	(void)state;
	assert_true(play(PAGES, 12, 6000) > 200);
}

#define T(name) cmocka_unit_test_setup(name, space_fresh)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(small_spaces_behave_as_the_model_through_random_calls),
		T(spaces_that_share_tables_behave_as_the_model_through_random_calls),
	};
	return cmocka_run_group_tests(tests, space_boot, NULL);
}

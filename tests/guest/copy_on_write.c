/* What a fork makes of memory that is big enough for both to share the page tables of:
 * whatever the one does, the other sees what was there. */
#include "show.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE   4096ul
#define BLOCK  (2ul << 20) /* of one page table */
#define BLOCKS 6ul
#define PAGES  (BLOCKS * BLOCK / PAGE)

static unsigned char *memory; /* BLOCKS blocks; page i begins with the word i + 1 */

static uint64_t *word(size_t page)
{
	return (uint64_t *)(memory + page * PAGE);
}

static unsigned char *map_aligned(size_t size)
{
	unsigned char *at = mmap(NULL, size + BLOCK, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	at += -(uintptr_t)at % BLOCK;
	return mmap(at, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void fill(void)
{
	if (memory)
		munmap(memory, BLOCKS * BLOCK);
	memory = map_aligned(BLOCKS * BLOCK);
	madvise(memory, BLOCKS * BLOCK, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PAGES; i++)
		*word(i) = i + 1;
}

/* Pages of [first, end) that do not hold what fill wrote. */
static long changed(size_t first, size_t end)
{
	long n = 0;
	for (size_t i = first; i < end; i++)
		n += *word(i) != i + 1;
	return n;
}

static long ended(pid_t pid)
{
	int status = -1;
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static pid_t branch(void)
{
	fflush(stdout);
	return fork();
}

/* Runs act in a child while the parent waits, and then in the parent while a child waits;
 * each looks at the memory of the one that did nothing. */
static void either(const char *what, int (*act)(void))
{
	printf("%s\n", what);
	fill();
	pid_t pid = branch();
	if (pid == 0)
		_exit(act());
	SHOW(ended(pid));
	SHOW(changed(0, PAGES));

	int go[2], byte = 0;
	if (pipe(go) < 0)
		exit(99);
	pid = branch();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 0)
			_exit(98);
		_exit(changed(0, PAGES) ? 97 : 0);
	}
	close(go[0]);
	SHOW(act());
	close(go[1]);
	SHOW(ended(pid));
}

static int writes_a_page(void)
{
	*word(3 * PAGES / 4) = 7;
	return (int)changed(0, PAGES);
}

static int writes_all(void)
{
	for (size_t i = 0; i < PAGES; i++)
		*word(i) = ~(uint64_t)i;
	int bad = 0;
	for (size_t i = 0; i < PAGES; i++)
		bad += *word(i) != ~(uint64_t)i;
	return bad;
}

static int unmaps_edges_and_blocks(void)
{
	int bad = munmap(memory + BLOCK / 2, 2 * BLOCK) != 0;
	bad += munmap(memory + 4 * BLOCK, BLOCK) != 0;
	bad += changed(0, PAGES / BLOCKS / 2) != 0;
	bad += changed(5 * PAGES / (2 * BLOCKS), 4 * PAGES / BLOCKS) != 0;
	bad += changed(5 * PAGES / BLOCKS, PAGES) != 0;
	unsigned char *again = mmap(memory + BLOCK, BLOCK, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (size_t i = 0; i < BLOCK; i += PAGE)
		bad += again[i] != 0;
	return bad;
}

/* The kernel's own access tells what a page allows without a signal. */
static int can_write(void *at)
{
	int ends[2];
	if (pipe(ends) < 0 || write(ends[1], at, 1) != 1)
		return -1;
	int can = read(ends[0], at, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return can;
}

static int protects(void)
{
	int bad = mprotect(memory + BLOCK / 2, BLOCK, PROT_READ) != 0;
	bad += mprotect(memory + 3 * BLOCK, BLOCK, PROT_READ) != 0;
	bad += can_write(memory + BLOCK / 2) != 0;
	bad += can_write(memory + 4 * BLOCK - PAGE) != 0;
	bad += can_write(memory + BLOCK / 2 - PAGE) != 1;
	bad += can_write(memory + 4 * BLOCK) != 1;
	bad += changed(0, PAGES) != 0;
	bad += mprotect(memory, BLOCKS * BLOCK, PROT_READ | PROT_WRITE) != 0;
	return bad + writes_all();
}

static int hides_and_shows(void)
{
	int bad = mprotect(memory + BLOCK, 2 * BLOCK, PROT_NONE) != 0;
	pid_t pid = branch();
	if (pid == 0) {
		mprotect(memory + BLOCK, BLOCK, PROT_READ | PROT_WRITE);
		*word(PAGES / BLOCKS) = 5;
		_exit(0);
	}
	bad += ended(pid) != 0;
	bad += mprotect(memory + BLOCK, 2 * BLOCK, PROT_READ | PROT_WRITE) != 0;
	return bad + (int)changed(0, PAGES);
}

static int moves(void)
{
	unsigned char *to = map_aligned(3 * BLOCK) + PAGE;
	size_t from = PAGES / BLOCKS / 2;
	unsigned char *at = mremap(memory + from * PAGE, 2 * BLOCK, 2 * BLOCK,
				   MREMAP_MAYMOVE | MREMAP_FIXED, to);
	int bad = at != to;
	for (size_t i = 0; i < 2 * BLOCK / PAGE; i++)
		bad += *(uint64_t *)(to + i * PAGE) != from + i + 1;
	to[0] = 99;
	return bad + (changed(0, from) != 0) +
	       (changed(from + 2 * BLOCK / PAGE, PAGES) != 0);
}

static int discards(void)
{
	int bad = madvise(memory + BLOCK / 2, 2 * BLOCK, MADV_DONTNEED) != 0;
	for (size_t i = 0; i < PAGES; i++) {
		int gone = i >= PAGES / BLOCKS / 2 && i < 5 * PAGES / BLOCKS / 2;
		bad += *word(i) != (gone ? 0 : i + 1);
	}
	return bad;
}

/* Areas that end within a block since the last fork. */
static int splits_and_forks(void)
{
	int bad = madvise(memory + BLOCK / 2, BLOCK, MADV_DONTFORK) != 0;
	bad += madvise(memory + 3 * BLOCK + PAGE, BLOCK, MADV_WIPEONFORK) != 0;
	pid_t pid = branch();
	if (pid == 0) {
		int wrong = *word(3 * PAGES / BLOCKS + 1) != 0;
		wrong += changed(0, PAGES / BLOCKS / 2) != 0;
		wrong += changed(5 * PAGES / BLOCKS, PAGES) != 0;
		*word(0) = *word(PAGES - 1) = 0;
		_exit(wrong);
	}
	bad += ended(pid) != 0;
	return bad + (int)changed(0, PAGES);
}

/* Each generation writes to a page of its own before the next is born, and looks at all
 * when the next has ended. */
static int generation(unsigned number)
{
	size_t page = number * PAGES / 8;
	int bad = changed(0, PAGES) != number;
	*word(page) = 1000;
	if (number < 5) {
		pid_t pid = branch();
		if (pid == 0)
			_exit(generation(number + 1));
		bad += ended(pid) != 0;
	}
	return bad + (changed(0, PAGES) != number + 1);
}

static int has_grandchildren(void)
{
	return generation(0);
}

/* The kernel writes where the program has not since the fork. */
static int reads_into_it(void)
{
	int ends[2];
	uint64_t sent = 4711;
	if (pipe(ends) < 0 || write(ends[1], &sent, sizeof(sent)) != sizeof(sent))
		return 1;
	int bad = read(ends[0], word(PAGES / 2), sizeof(sent)) != sizeof(sent);
	bad += *word(PAGES / 2) != sent;
	close(ends[0]);
	close(ends[1]);
	return bad + (changed(0, PAGES) != 1);
}

static int branch_of_vfork(void *arg)
{
	*(uint64_t *)arg = 12;
	return 0;
}

static void vfork_shares_all(void)
{
	static unsigned char stack[65536];
	fill();
	pid_t sharer = branch();
	if (sharer == 0) {
		pause();
		_exit(0);
	}
	pid_t pid = clone(branch_of_vfork, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK | SIGCHLD, word(PAGES - 1));
	SHOW(ended(pid));
	SHOW(*word(PAGES - 1));
	SHOW(changed(0, PAGES));
	kill(sharer, SIGKILL);
	SHOW(ended(sharer));
}

/* Two threads count in pages of their own while the process forks: each child's copy of a
 * counter stands still, and the last count is all that was added. */
static int stop;
static long torn;

static void *count(void *arg)
{
	size_t half = (size_t)arg;
	uint64_t n = 0;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		n++;
		for (size_t i = half; i < PAGES; i += 2 * 61)
			*(volatile uint64_t *)word(i) = n;
		for (size_t i = half; i < PAGES; i += 2 * 61)
			if (*(volatile uint64_t *)word(i) != n)
				__atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* As the writers go up in order, each page is the one before or one less. */
static int is_snapshot(size_t half)
{
	uint64_t first = *word(half), last = first;
	for (size_t i = half; i < PAGES; i += 2 * 61) {
		uint64_t at = *(volatile uint64_t *)word(i);
		if (at > last || first - at > 1)
			return 0;
		last = at;
	}
	return 1;
}

static int look_twice(void)
{
	uint64_t sums[2] = {0, 0};
	int bad = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < PAGES; i++)
			sums[pass] += *word(i) * (i + 1);
		if (pass == 0)
			sched_yield();
	}
	bad += sums[0] != sums[1];
	bad += !is_snapshot(0) + !is_snapshot(1);
	*word(0) = ~0ull;
	return bad;
}

static void threads_write_on(void)
{
	pthread_t threads[2];
	fill();
	for (size_t i = 0; i < 2; i++)
		for (size_t k = i; k < PAGES; k += 2 * 61)
			*word(k) = 0;
	for (size_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, count, (void *)i);
	long bad = 0;
	for (int i = 0; i < 15; i++) {
		pid_t pid[2];
		for (int k = 0; k < 2; k++)
			if ((pid[k] = branch()) == 0)
				_exit(look_twice());
		for (int k = 0; k < 2; k++)
			bad += ended(pid[k]) != 0;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	SHOW(bad);
	SHOW(torn);
}

int main(void)
{
	either("writes a page", writes_a_page);
	either("writes all", writes_all);
	either("unmaps", unmaps_edges_and_blocks);
	either("protects", protects);
	either("hides and shows", hides_and_shows);
	either("moves", moves);
	either("discards", discards);
	either("splits and forks", splits_and_forks);
	either("has grandchildren", has_grandchildren);
	either("reads into it", reads_into_it);
	vfork_shares_all();
	threads_write_on();
	return 0;
}

/* kernel_lock.c: the kernel lock: CPUs get it in the order they came, but for one thing.
 *
 * Whoever waits spins for a moment, longer than most system calls last, then halts until
 * it is woken: a virtual CPU that spins may be what keeps the host from running the
 * holder. While the first of the queue halts or wakes up, a CPU that comes may take the
 * free lock before it, else every system call would last as long as a wake-up; but only
 * for PATIENCE_NS: from then on nobody goes before it.
 *
 * Interrupts are off here. Another CPU that wants translations dropped must not wait for
 * this one's turn, so spinning looks for that, and halting takes the interrupts of other
 * CPUs. */
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/smp.h"

#define PATIENCE_NS 5000000ull

static struct {
	bool held;
	bool claimed; /* nobody may go before the first of the queue */
	uint32_t next,
		first; /* tickets: to be given out next; of the first in the queue */
	struct percpu *asleep[CPUS_MAX]; /* by ticket: who halts until it is woken */
} lock;

static bool try_take(void)
{
	bool free = false;
	return __atomic_compare_exchange_n(&lock.held, &free, true, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static bool is_first(uint32_t ticket)
{
	return __atomic_load_n(&lock.first, __ATOMIC_SEQ_CST) == ticket;
}

static void wake(uint32_t ticket)
{
	struct percpu **slot = &lock.asleep[ticket % CPUS_MAX];
	struct percpu *sleeper = __atomic_exchange_n(slot, NULL, __ATOMIC_SEQ_CST);
	if (sleeper)
		cpu_interrupt(sleeper->id);
}

static bool spin(uint32_t ticket)
{
	uint64_t end_ns = clock_now_ns() + SMP_SPIN_NS;
	do {
		if (is_first(ticket)) {
			__atomic_store_n(&lock.claimed, true, __ATOMIC_RELAXED);
			if (try_take())
				return true;
		}
		smp_flush_answer();
		cpu_relax();
	} while (clock_now_ns() < end_ns);
	return false;
}

/* Store that we sleep, then look at the lock; kernel_unlock stores and looks the other
 * way round: one of the two sees the other. */
static void sleep(uint32_t ticket, uint64_t *first_since_ns)
{
	struct percpu **slot = &lock.asleep[ticket % CPUS_MAX];
	if (is_first(ticket)) {
		uint64_t now = clock_now_ns();
		if (!*first_since_ns)
			*first_since_ns = now;
		if (now - *first_since_ns < PATIENCE_NS)
			__atomic_store_n(&lock.claimed, false, __ATOMIC_RELAXED);
	}
	__atomic_store_n(slot, percpu(), __ATOMIC_SEQ_CST);
	while (__atomic_load_n(slot, __ATOMIC_SEQ_CST) &&
	       !(is_first(ticket) && !__atomic_load_n(&lock.held, __ATOMIC_SEQ_CST)))
		smp_halt();
	__atomic_store_n(slot, NULL, __ATOMIC_SEQ_CST);
}

static __attribute__((noinline)) void queue_up(void)
{
	uint32_t ticket = __atomic_fetch_add(&lock.next, 1, __ATOMIC_SEQ_CST);
	uint64_t first_since_ns = 0;
	smp_lock_wait();
	while (!spin(ticket))
		sleep(ticket, &first_since_ns);
	__atomic_store_n(&lock.claimed, false, __ATOMIC_RELAXED);
	__atomic_store_n(&lock.first, ticket + 1, __ATOMIC_SEQ_CST);
	wake(ticket + 1);
	smp_lock_taken();
}

void kernel_lock(void)
{
	if (__atomic_load_n(&lock.claimed, __ATOMIC_RELAXED) || !try_take())
		queue_up();
}

void kernel_unlock(void)
{
	__atomic_store_n(&lock.held, false, __ATOMIC_SEQ_CST);
	uint32_t first = __atomic_load_n(&lock.first, __ATOMIC_SEQ_CST);
	if (first != __atomic_load_n(&lock.next, __ATOMIC_SEQ_CST))
		wake(first);
}

/* smp.c: starts the other CPUs (SDM 3, 8.4), and shoots down their stale translations. */
#include "shim/arch/x86_64/smp.h"

#include "shim/arch/x86_64/acpi_parse.h"
#include "shim/arch/x86_64/apic.h"
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/clock_setup.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/kernel_map.h"
#include "shim/arch/x86_64/mtrr.h"
#include "shim/arch/x86_64/pagetable.h"
#include "shim/arch/x86_64/pagetable_entry.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/proc/sched.h"

enum {
	ICR_NMI = 4 << 8,
	ICR_INIT = 5 << 8,
	ICR_STARTUP = 6 << 8,
	ICR_ASSERT = 1 << 14,
	XAPIC_ID_MAX = 254,
};
#define INIT_WAIT_NS    10000000ull
#define STARTUP_WAIT_NS 200000ull
#define ALIVE_WAIT_NS   1000000000ull
#define STACK_ORDER     2u

extern uint64_t boot_trampoline_phys;
extern const uint8_t trampoline_start[], trampoline_32[], trampoline_64[],
	trampoline_gdt[], trampoline_gdt_pointer[], trampoline_jump32[],
	trampoline_jump64[], trampoline_root[], trampoline_stack[], trampoline_argument[],
	trampoline_entry[], trampoline_end[];

struct percpu *smp_percpu[CPUS_MAX] = {&boot_percpu};

/* The trampoline's page one to one, and the kernel above. In the kernel's own memory, so
 * below 4 GiB, where a CPU that comes from 16-bit mode can find the root. No CPU that has
 * left the trampoline has it loaded. */
static uint64_t start_root[TABLE_ENTRIES] __attribute__((aligned(4096)));
static uint64_t start_table[3][TABLE_ENTRIES] __attribute__((aligned(4096)));

/* Of a CPU that starts, between it and the boot CPU. */
enum start_step {
	STEP_STARTING,
	STEP_ALIVE,
	STEP_TELL_TIME,
	STEP_TIME_TOLD,
	STEP_GO,
	STEP_GONE
};
static enum start_step start_step;
static uint64_t start_tsc;

/* What every CPU does before anything else, and how many others are at it. */
static struct {
	void (*run)(void *context);
	void *context;
	unsigned busy;
} first_work;

static uint64_t init_sent_ns;
static unsigned cpus_running = 1;

unsigned cpu_count(void)
{
	return cpus_running;
}

static enum start_step step_get(void)
{
	return __atomic_load_n(&start_step, __ATOMIC_ACQUIRE);
}

static void step_set(enum start_step step)
{
	__atomic_store_n(&start_step, step, __ATOMIC_RELEASE);
}

static void wait_until(uint64_t deadline_ns)
{
	while (clock_now_ns() < deadline_ns)
		cpu_relax();
}

static bool step_wait(enum start_step step, uint64_t deadline_ns)
{
	while (step_get() != step) {
		if (clock_now_ns() >= deadline_ns)
			return false;
		cpu_relax();
	}
	return true;
}

/* The first C of a CPU, on its own stack, on start_root, without the lock. */
static _Noreturn void cpu_main(struct percpu *self)
{
	mtrr_repeat();
	cpu_setup(self, self->id);
	self->root = kernel_root;
	write_cr3(kernel_root);
	apic_setup();
	clock_setup_cpu();
	step_set(STEP_ALIVE);
	while (step_get() != STEP_TELL_TIME)
		cpu_relax();
	start_tsc = rdtsc_ordered();
	step_set(STEP_TIME_TOLD);
	while (step_get() != STEP_GO)
		cpu_relax();
	step_set(STEP_GONE);
	first_work.run(first_work.context);
	__atomic_fetch_sub(&first_work.busy, 1, __ATOMIC_RELEASE);
	kernel_lock();
	sched_init_cpu();
	sched_idle();
}

/* Where in the copied page a symbol is. */
static uint8_t *copy_of(const uint8_t *symbol)
{
	return (uint8_t *)phys_to_virt(boot_trampoline_phys) +
	       (symbol - trampoline_start);
}

static uint32_t phys_of_copy(const uint8_t *symbol)
{
	return (uint32_t)(boot_trampoline_phys + (uint64_t)(symbol - trampoline_start));
}

static void put32(const uint8_t *symbol, uint32_t value)
{
	memcpy(copy_of(symbol), &value, sizeof(value));
}

static void put64(const uint8_t *symbol, uint64_t value)
{
	memcpy(copy_of(symbol), &value, sizeof(value));
}

static void trampoline_make(void)
{
	const uint64_t *kernel = phys_to_virt(kernel_root);
	uint64_t at = boot_trampoline_phys, *table = start_root;
	memcpy(start_root + TABLE_ENTRIES / 2, kernel + TABLE_ENTRIES / 2, PAGE_SIZE / 2);
	for (unsigned level = 4; level > 1; level--) {
		table[table_index(at, level)] =
			kernel_phys(start_table[level - 2]) | PTE_PRESENT | PTE_WRITE;
		table = start_table[level - 2];
	}
	table[table_index(at, 1)] = at | PTE_PRESENT | PTE_WRITE;
	memcpy(copy_of(trampoline_start), trampoline_start,
	       (size_t)(trampoline_end - trampoline_start));
	put32(trampoline_gdt_pointer + 2, phys_of_copy(trampoline_gdt));
	put32(trampoline_jump32, phys_of_copy(trampoline_32));
	put32(trampoline_jump64, phys_of_copy(trampoline_64));
	put64(trampoline_root, kernel_phys(start_root));
	put64(trampoline_entry, (uint64_t)cpu_main);
}

/* Is the table's CPU i another than this one, named the first time, and to be reached? */
static bool is_startable(uint32_t i)
{
	uint32_t id = acpi_info.cpu_apic_id[i];
	for (uint32_t k = 0; k < i; k++)
		if (acpi_info.cpu_apic_id[k] == id)
			return false;
	return id != boot_percpu.apic_id && (id <= XAPIC_ID_MAX || apic_is_x2apic());
}

void smp_prepare(void)
{
	if (!boot_trampoline_phys || acpi_info.cpu_count < 2)
		return;
	mtrr_remember();
	for (uint32_t i = 0; i < acpi_info.cpu_count; i++)
		if (is_startable(i))
			apic_send(acpi_info.cpu_apic_id[i], ICR_INIT | ICR_ASSERT);
	init_sent_ns = clock_now_ns();
}

/* Time must not run backwards for a thread that changes CPUs, nor in the vDSO, which
 * takes every counter for the same: a CPU whose counter is not within our two readings is
 * left out. */
static bool time_agrees(uint64_t deadline_ns)
{
	uint64_t before = rdtsc_ordered();
	step_set(STEP_TELL_TIME);
	if (!step_wait(STEP_TIME_TOLD, deadline_ns))
		return false;
	return start_tsc >= before && start_tsc <= rdtsc_ordered();
}

static bool cpu_start(struct percpu *self, uint32_t id, void *stack)
{
	uint32_t startup =
		ICR_STARTUP | ICR_ASSERT | (uint32_t)(boot_trampoline_phys >> PAGE_SHIFT);
	put64(trampoline_stack, (uint64_t)stack + KERNEL_STACK_SIZE);
	put64(trampoline_argument, (uint64_t)self);
	step_set(STEP_STARTING);
	apic_send(id, startup);
	uint64_t now = clock_now_ns();
	if (!step_wait(STEP_ALIVE, now + STARTUP_WAIT_NS))
		apic_send(id, startup);
	const char *why = NULL;
	if (!step_wait(STEP_ALIVE, now + ALIVE_WAIT_NS))
		why = "does not start";
	else if (!time_agrees(now + ALIVE_WAIT_NS))
		why = "has a TSC that disagrees with the first CPU's";
	if (!why)
		return true;
	apic_send(id, ICR_INIT | ICR_ASSERT); /* it waits there for good */
	wait_until(clock_now_ns() + INIT_WAIT_NS);
	kprint("elfpack: boot: the CPU with APIC ID %u %s: not used\n", id, why);
	return false;
}

static unsigned order_of(size_t size)
{
	unsigned order = 0;
	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

static void others_start(void)
{
	trampoline_make();
	wait_until(init_sent_ns + INIT_WAIT_NS);
	for (uint32_t i = 0; i < acpi_info.cpu_count && cpus_running < CPUS_MAX; i++) {
		if (!is_startable(i))
			continue;
		/* A CPU's own memory; its alignment is that of its IST stacks, a page. */
		struct page *own = page_alloc(&kernel_account,
					      order_of(sizeof(struct percpu)), true);
		struct page *stack = page_alloc(&kernel_account, STACK_ORDER, true);
		struct percpu *self = own ? page_va(own) : NULL;
		if (self)
			self->id = cpus_running;
		if (self && stack &&
		    cpu_start(self, acpi_info.cpu_apic_id[i], page_va(stack))) {
			smp_percpu[cpus_running] = self;
			__atomic_store_n(&cpus_running, cpus_running + 1,
					 __ATOMIC_RELEASE);
			__atomic_fetch_add(&first_work.busy, 1, __ATOMIC_RELAXED);
			step_set(STEP_GO);
			while (step_get() != STEP_GONE)
				cpu_relax();
			continue;
		}
		/* What a CPU got that did not come is not taken back: it may come yet. */
		if (!self || !stack)
			break;
	}
	memset(copy_of(trampoline_start), 0, PAGE_SIZE);
	memset(start_root, 0, PAGE_SIZE / 2);
}

void smp_start(void (*work)(void *context), void *context)
{
	first_work.run = work;
	first_work.context = context;
	if (init_sent_ns)
		others_start();
	work(context);
	while (__atomic_load_n(&first_work.busy, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void cpu_interrupt(unsigned id)
{
	apic_send(smp_percpu[id]->apic_id, VECTOR_WAKE | ICR_ASSERT);
}

void smp_halt(void)
{
	write_cr8(VECTOR_LOCKLESS / 16 - 1);
	/* STI takes effect after HLT: an interrupt in between cannot be lost. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	write_cr8(0);
}

/* Shooting down. One request at a time, under the kernel lock. */
static struct {
	uint64_t root, start, end;
	struct percpu *halted; /* waits for the last answer by smp_halt */
} request;

static bool is_answered(void)
{
	for (unsigned i = 0; i < cpus_running; i++)
		if (__atomic_load_n(&smp_percpu[i]->flush_wanted, __ATOMIC_SEQ_CST))
			return false;
	return true;
}

/* Spins, then halts: the host may have to run the others on the same core. */
static void answers_wait(struct percpu *self)
{
	uint64_t end_ns = clock_now_ns() + SMP_SPIN_NS;
	while (!is_answered()) {
		if (clock_now_ns() < end_ns) {
			cpu_relax();
			continue;
		}
		__atomic_store_n(&request.halted, self, __ATOMIC_SEQ_CST);
		if (!is_answered())
			smp_halt();
	}
	__atomic_store_n(&request.halted, NULL, __ATOMIC_SEQ_CST);
}

/* A CPU that was seen to wait for the lock waits until we have released it. Tables are
 * another matter: it may walk them before, on speculation, and mark entries as accessed.
 */
void smp_flush(uint64_t root, uint64_t start, uint64_t end, bool tables_freed)
{
	struct percpu *self = percpu();
	bool asked = false;
	for (unsigned i = 0; i < cpus_running; i++) {
		struct percpu *other = smp_percpu[i];
		if (other == self || other->root != root)
			continue;
		if (!tables_freed &&
		    __atomic_load_n(&other->lock_waits, __ATOMIC_SEQ_CST)) {
			other->flush_late = true;
			continue;
		}
		if (!asked)
			request.root = root, request.start = start, request.end = end;
		asked = true;
		__atomic_store_n(&other->flush_wanted, true, __ATOMIC_SEQ_CST);
		apic_send(other->apic_id, VECTOR_FLUSH | ICR_ASSERT);
	}
	if (asked)
		answers_wait(self);
}

void smp_flush_answer(void)
{
	struct percpu *self = percpu();
	if (!__atomic_load_n(&self->flush_wanted, __ATOMIC_ACQUIRE))
		return;
	pt_flush_local(request.root, request.start, request.end);
	__atomic_store_n(&self->flush_wanted, false, __ATOMIC_SEQ_CST);
	const struct percpu *asker = __atomic_load_n(&request.halted, __ATOMIC_SEQ_CST);
	if (asker)
		cpu_interrupt(asker->id);
}

void smp_lock_wait(void)
{
	__atomic_store_n(&percpu()->lock_waits, true, __ATOMIC_SEQ_CST);
}

void smp_lock_taken(void)
{
	struct percpu *self = percpu();
	__atomic_store_n(&self->lock_waits, false, __ATOMIC_RELAXED);
	if (!self->flush_late)
		return;
	self->flush_late = false;
	pt_flush_local(self->root, 0, USER_ADDRESS_END);
}

bool smp_root_is_loaded(uint64_t root)
{
	for (unsigned i = 0; i < cpus_running; i++)
		if (smp_percpu[i]->root == root)
			return true;
	return false;
}

static bool stopping;

void smp_stop_others(void)
{
	const struct percpu *self = percpu();
	__atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < cpus_running; i++)
		if (smp_percpu[i] != self)
			apic_send(smp_percpu[i]->apic_id, ICR_NMI | ICR_ASSERT);
}

bool smp_is_stopping(void)
{
	return __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);
}

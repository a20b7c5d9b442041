/* ena.c: finds an ENA, watches it, and starts it again when it has stopped working. The
 * stack and its connections are untouched by that: what was lost is sent again. */
#include "shim/dev/ena.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/dev/ena_device.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/mm/kmem.h"

#define MS_NS          1000000ull
#define REGISTERS_MOST (1ull << 20)

#define LOOK_NS           MS_NS /* while it starts */
#define WATCH_NS          (1000 * MS_NS)
#define ALIVE_LIMIT_NS    (6000 * MS_NS) /* it says so every second */
#define TRANSMIT_LIMIT_NS (5000 * MS_NS)
#define CALM_NS           (10000 * MS_NS) /* after which failures are forgotten */
#define AGAIN_NS          (250 * MS_NS)   /* doubled with each further failure */
#define AGAIN_SHIFT_MOST  6u

static const uint16_t ids[] = {0xec20, 0xec21, 0x0ec2, 0x1ec2};

static void hint_take(uint64_t *limit_ns, uint16_t hint_ms)
{
	if (hint_ms == ENA_HINT_NEVER)
		*limit_ns = UINT64_MAX;
	else if (hint_ms)
		*limit_ns = hint_ms * MS_NS;
}

void ena_hints_take(struct ena *ena, const struct ena_hints *hints)
{
	hint_take(&ena->alive_limit_ns, hints->keep_alive_ms);
	hint_take(&ena->transmit_limit_ns, hints->transmit_ms);
	if (hints->command_ms && hints->command_ms != ENA_HINT_NEVER)
		ena->command_limit_ns = hints->command_ms * MS_NS;
}

/* The first time again at once, then ever later. */
static void start_again_later(struct ena *ena)
{
	uint64_t wait_ns = 0;
	if (ena->failures) {
		unsigned shift = ena->failures - 1;
		wait_ns = AGAIN_NS
			  << (shift < AGAIN_SHIFT_MOST ? shift : AGAIN_SHIFT_MOST);
	}
	ena->failures++;
	ena->state = ENA_STOPPED;
	timer_set(&ena->timer, clock_now_ns() + wait_ns);
}

void ena_fail(struct ena *ena, enum ena_reason reason, const char *why)
{
	if (ena->state != ENA_RUNNING)
		return;
	kprint("elfpack: %s: %s; it is reset\n", ena->name, why);
	ena->netdev.resets++;
	ena->reason = reason;
	start_again_later(ena);
}

static void run(struct ena *ena)
{
	uint64_t now = clock_now_ns();
	ena->alive_ns = ena->tx_progress_ns = ena->running_ns = now;
	ena->device_drops = 0;
	ena->state = ENA_RUNNING;
	ena->started = true;
	ena_events_open(ena);
	ena_io_start(ena);
	timer_set(&ena->timer, now + WATCH_NS);
}

/* Returns when the device runs, or will be looked at later. */
static void go_on(struct ena *ena)
{
	char why[ENA_WHY_SIZE];
	int rc = 0;
	if (ena->state == ENA_STOPPED) {
		ksnprintf(why, sizeof(why), "is gone");
		rc = ena_reset_begin(ena, ena->reason);
	}
	if (rc == 0)
		rc = ena_start_go_on(ena, why);
	if (rc < 0) {
		kprint("elfpack: %s: not started again: %s\n", ena->name, why);
		ena->reason = ENA_REASON_INIT;
		start_again_later(ena);
	} else if (rc == 0) {
		timer_set(&ena->timer, clock_now_ns() + LOOK_NS);
	} else {
		run(ena);
		kprint("net: %s: works again\n", ena->name);
		ena->stalled = false;
		netdev_tx_ready(&ena->netdev);
	}
}

/* First takes in what an interrupt that was lost would have brought. */
static void watch(struct ena *ena)
{
	ena_events_take(ena);
	netdev_interrupt(&ena->netdev);
	if (ena->state != ENA_RUNNING)
		return;
	uint64_t now = clock_now_ns();
	uint32_t status = ena_read(ena, ENA_STATUS);
	if (!ena->tx_used || ena->tx_completed != ena->tx_completed_seen)
		ena->tx_progress_ns = now;
	ena->tx_completed_seen = ena->tx_completed;
	if (now - ena->running_ns > CALM_NS)
		ena->failures = 0;
	timer_set(&ena->timer, now + WATCH_NS);
	if (status == ENA_ABSENT || status & ENA_STATUS_FATAL)
		ena_fail(ena, ENA_REASON_GENERIC, "has a fatal error");
	else if (ena->groups & 1u << ENA_EVENT_KEEP_ALIVE &&
		 now - ena->alive_ns > ena->alive_limit_ns)
		ena_fail(ena, ENA_REASON_KEEP_ALIVE, "has not said that it is alive");
	else if (now - ena->tx_progress_ns > ena->transmit_limit_ns)
		ena_fail(ena, ENA_REASON_TX_STALLED, "does not send");
}

static void timer_fire(struct timer *timer)
{
	struct ena *ena = (struct ena *)((char *)timer - offsetof(struct ena, timer));
	if (ena->state == ENA_RUNNING)
		watch(ena);
	else
		go_on(ena);
}

static void on_admin_interrupt(void *context)
{
	ena_events_take(context);
}

static void on_io_interrupt(void *context)
{
	struct ena *ena = context;
	netdev_interrupt(&ena->netdev);
}

static int registers_map(struct ena *ena)
{
	uint64_t size = ena->function->bar[ENA_BAR_REGISTERS].size;
	ena->registers_size = size < REGISTERS_MOST ? size : REGISTERS_MOST;
	if (size >= ENA_REGISTERS_SIZE)
		ena->registers = pci_bar_map(ena->function, ENA_BAR_REGISTERS, 0,
					     ena->registers_size, DEVICE_UNCACHED);
	return ena->registers ? 0 : -ENODEV;
}

/* A device with one pair of queues may have two vectors: both directions share one. */
static int interrupts_start(struct ena *ena)
{
	int vector[ENA_VECTORS] = {
		[ENA_VECTOR_ADMIN] = irq_allocate(on_admin_interrupt, ena),
		[ENA_VECTOR_RECEIVE] = irq_allocate(on_io_interrupt, ena),
		[ENA_VECTOR_TRANSMIT] = irq_allocate(on_io_interrupt, ena),
	};
	for (unsigned i = 0; i < ENA_VECTORS; i++)
		if (vector[i] < 0)
			return vector[i];
	ena->rx.vector = ENA_VECTOR_RECEIVE;
	ena->tx.vector = ENA_VECTOR_TRANSMIT;
	if (pci_msix_enable(ena->function, vector, ENA_VECTORS) == 0)
		return 0;
	ena->tx.vector = ENA_VECTOR_RECEIVE;
	return pci_msix_enable(ena->function, vector, ENA_VECTORS - 1);
}

/* At boot the start is waited for: the stack wants the address and the offloads. */
static int start(struct ena *ena, char *why)
{
	int rc = ena_admin_make(ena);
	ksnprintf(why, ENA_WHY_SIZE, rc < 0 ? "no memory" : "no registers in BAR 0");
	if (rc < 0 || (rc = registers_map(ena)) < 0)
		return rc;
	ksnprintf(why, ENA_WHY_SIZE, "no MSI-X with two vectors");
	if ((rc = interrupts_start(ena)) < 0)
		return rc;
	ksnprintf(why, ENA_WHY_SIZE, "is not there, or gives no time for its reset");
	pci_master(ena->function, true);
	if ((rc = ena_reset_begin(ena, ENA_REASON_NORMAL)) < 0)
		return rc;
	while ((rc = ena_start_go_on(ena, why)) == 0)
		cpu_relax();
	if (rc < 0)
		return rc;
	run(ena);
	return 0;
}

/* The device no longer reaches memory; the IRQ handlers' own memory, ena, stays. */
static void let_go(struct ena *ena)
{
	pci_master(ena->function, false);
	ena_queue_free(&ena->tx);
	ena_queue_free(&ena->rx);
	ena_admin_free(ena);
}

static bool match(const struct pci_function *f)
{
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (f->vendor == ENA_VENDOR && f->device == ids[i])
			return true;
	return false;
}

static void probe(struct pci_function *f)
{
	struct ena *ena = kzalloc(&kernel_account, sizeof(*ena));
	char why[ENA_WHY_SIZE];
	if (!ena) {
		kprint("elfpack: ena %s: no memory\n", pci_name(f));
		return;
	}
	struct nic_rings rings = nic_rings();
	ena->function = f;
	ena->netdev.ops = &ena_netdev_ops;
	ena->netdev.driver = ena;
	ena->timer.fire = timer_fire;
	ena->alive_limit_ns = ALIVE_LIMIT_NS;
	ena->transmit_limit_ns = TRANSMIT_LIMIT_NS;
	ena->tx = (struct ena_queue){.direction = ENA_TRANSMIT,
				     .wanted = rings.tx,
				     .completion_size = sizeof(struct ena_tx_completion)};
	ena->rx = (struct ena_queue){.direction = ENA_RECEIVE,
				     .wanted = rings.rx,
				     .completion_size = sizeof(struct ena_rx_completion)};
	ksnprintf(ena->name, sizeof(ena->name), "ena %s", pci_name(f));
	if (!netdev_register(&ena->netdev)) {
		kfree(ena);
		return;
	}
	if (start(ena, why) == 0) {
		kprint("net: %s: transmit ring in %s memory, %u and %u entries\n",
		       ena->name, ena->llq ? "device" : "host", ena->tx.sq.size,
		       ena->rx.sq.size);
		return;
	}
	kprint("elfpack: %s: network not started: %s\n", ena->name, why);
	netdev_unregister(&ena->netdev);
	let_go(ena);
}

const struct pci_driver ena_driver = {.name = "ena", .match = match, .probe = probe};

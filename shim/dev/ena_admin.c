/* ena_admin.c: an ENA's registers, its reset, the admin queue and events. One command is
 * under way at a time; its answer is looked for, never waited for. */
#include "shim/arch/x86_64/clock.h"
#include "shim/dev/ena_device.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"

/* Queues in one page, each aligned to its size. */
#define COMMANDS  16u
#define RESPONSES 16u
#define EVENTS    32u
_Static_assert((COMMANDS + RESPONSES + EVENTS) * ENA_ENTRY == PAGE_SIZE, "a page");

#define COMMAND_ID_MASK          0xfffu
#define COMMAND_LIMIT_DEFAULT_NS 3000000000ull

uint32_t ena_read(const struct ena *ena, unsigned offset)
{
	return *(volatile uint32_t *)(ena->registers + offset);
}

/* An uncached store: earlier stores to memory are seen before it. */
void ena_write(const struct ena *ena, unsigned offset, uint32_t value)
{
	__asm__ volatile("" : : : "memory");
	*(volatile uint32_t *)(ena->registers + offset) = value;
}

struct ena_address ena_address(const void *memory)
{
	uint64_t pa = virt_to_phys(memory);
	return (struct ena_address){.low = (uint32_t)pa, .high = (uint16_t)(pa >> 32)};
}

int ena_admin_make(struct ena *ena)
{
	struct page *queues = page_alloc(&kernel_account, 0, true);
	struct page *info = page_alloc(&kernel_account, 0, true);
	uint8_t *at = queues ? page_va(queues) : NULL;
	ena->commands = (struct ena_command *)at;
	ena->host_info = info ? page_va(info) : NULL;
	if (!queues || !info)
		return -ENOMEM;
	ena->responses = (struct ena_response *)(at + COMMANDS * ENA_ENTRY);
	ena->events = (struct ena_event *)(at + (COMMANDS + RESPONSES) * ENA_ENTRY);
	return 0;
}

void ena_admin_free(struct ena *ena)
{
	if (ena->commands)
		page_put(page_of_va(ena->commands));
	if (ena->host_info)
		page_put(page_of_va(ena->host_info));
	if (ena->rss_table)
		page_put(page_of_va(ena->rss_table));
}

int ena_reset_begin(struct ena *ena, enum ena_reason reason)
{
	uint32_t caps = ena_read(ena, ENA_CAPS);
	uint32_t status = ena_read(ena, ENA_STATUS);
	uint32_t units = caps >> ENA_CAPS_RESET_SHIFT & ENA_CAPS_RESET_MASK;
	if (caps == ENA_ABSENT || status == ENA_ABSENT || !units)
		return -ENODEV;
	ena->reset_limit_ns = units * ENA_CAPS_UNIT_NS;
	units = caps >> ENA_CAPS_COMMAND_SHIFT & ENA_CAPS_COMMAND_MASK;
	ena->command_limit_ns =
		units ? units * ENA_CAPS_UNIT_NS : COMMAND_LIMIT_DEFAULT_NS;
	ena_write(ena, ENA_CONTROL,
		  ENA_CONTROL_RESET | (uint32_t)reason << ENA_CONTROL_REASON_SHIFT);
	ena->state = ENA_RESET_BEGUN;
	ena->deadline_ns = clock_now_ns() + ena->reset_limit_ns;
	return 0;
}

static void queue_open(struct ena *ena, enum ena_register base, enum ena_register caps,
		       const volatile void *memory, uint32_t depth)
{
	uint64_t pa = virt_to_phys((const void *)memory);
	ena_write(ena, base, (uint32_t)pa);
	ena_write(ena, base + 4u, (uint32_t)(pa >> 32));
	ena_write(ena, caps, ENA_ENTRY << 16 | depth);
}

/* Events are still without room: ena_events_open. */
void ena_admin_open(struct ena *ena)
{
	memset(ena->commands, 0, PAGE_SIZE);
	ena->aq = (struct ena_ring){.size = COMMANDS};
	ena->acq = (struct ena_ring){.size = RESPONSES};
	ena->aenq = (struct ena_ring){.size = EVENTS};
	ena_write(ena, ENA_INTERRUPT_MASK, 1);
	queue_open(ena, ENA_AQ_BASE, ENA_AQ_CAPS, ena->commands, COMMANDS);
	queue_open(ena, ENA_ACQ_BASE, ENA_ACQ_CAPS, ena->responses, RESPONSES);
	queue_open(ena, ENA_AENQ_BASE, ENA_AENQ_CAPS, ena->events, EVENTS);
}

void ena_command_send(struct ena *ena, const struct ena_command *command)
{
	struct ena_command *entry = &ena->commands[ena_ring_slot(&ena->aq)];
	*entry = *command;
	entry->id = ena->aq.at & COMMAND_ID_MASK;
	entry->flags = (uint8_t)(command->flags | ena_ring_phase(&ena->aq));
	ena->aq.at++;
	ena->deadline_ns = clock_now_ns() + ena->command_limit_ns;
	ena_write(ena, ENA_AQ_DOORBELL, ena->aq.at);
}

int ena_command_answer(struct ena *ena, struct ena_response *response)
{
	const volatile struct ena_response *entry =
		&ena->responses[ena_ring_slot(&ena->acq)];
	if ((entry->flags & ENA_PHASE) != ena_ring_phase(&ena->acq))
		return 0;
	__asm__ volatile("" : : : "memory"); /* the rest after the phase */
	*response = *entry;
	ena->acq.at++;
	uint16_t sent = (uint16_t)(ena->aq.at - 1) & COMMAND_ID_MASK;
	return (response->id & COMMAND_ID_MASK) == sent ? 1 : -EIO;
}

void ena_events_open(struct ena *ena)
{
	ena_write(ena, ENA_AENQ_DOORBELL, EVENTS);
	ena_write(ena, ENA_INTERRUPT_MASK, 0);
}

static void drops_take(struct ena *ena, const struct ena_event *event)
{
	uint64_t drops = ((uint64_t)event->drops.rx_high << 32 | event->drops.rx_low) +
			 ((uint64_t)event->drops.tx_high << 32 | event->drops.tx_low);
	if (drops > ena->device_drops)
		ena->netdev.drops += drops - ena->device_drops;
	ena->device_drops = drops;
}

static void event_take(struct ena *ena, const struct ena_event *event)
{
	switch (event->group) {
	case ENA_EVENT_KEEP_ALIVE:
		ena->alive_ns = clock_now_ns();
		drops_take(ena, event);
		break;
	case ENA_EVENT_LINK:
		kprint("net: %s: link %s\n", ena->name, event->link & 1 ? "up" : "down");
		break;
	case ENA_EVENT_NOTIFICATION:
		if (event->syndrome == ENA_NOTIFICATION_HINTS)
			ena_hints_take(ena, &event->hints);
		break;
	case ENA_EVENT_FATAL:
		ena_fail(ena, ENA_REASON_GENERIC, "reports a fatal error");
		break;
	case ENA_EVENT_RESET_REQUEST:
		ena_fail(ena, ENA_REASON_GENERIC, "asks for a reset");
		break;
	default:
		break; /* warnings, and what newer devices may say */
	}
}

/* At most a lap a call, however fast the device writes. */
void ena_events_take(struct ena *ena)
{
	struct ena_event event;
	unsigned count = 0;
	while (ena->state == ENA_RUNNING && count < EVENTS &&
	       ena_event_next(ena->events, &ena->aenq, &event)) {
		count++;
		event_take(ena, &event);
	}
	if (count && ena->state == ENA_RUNNING)
		ena_write(ena, ENA_AENQ_DOORBELL, (uint16_t)(ena->aenq.at + EVENTS));
}

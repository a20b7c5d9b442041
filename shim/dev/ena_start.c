/* ena_start.c: from a reset to a running ENA, an admin command a step. Nothing waits
 * here, so that starting again after a failure holds up nobody: ena_start_go_on looks
 * whether the device has done what it was asked, and goes on or not. */
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/dev/ena_device.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"

#define DRIVER_VERSION          2u
#define QUEUES_EXTENDED_VERSION 1u
#define WINDOW_MOST             (64ull << 20)

#define BIT(n) (1u << (n))

static int host_fill(struct ena *ena, struct ena_queue *q, struct ena_command *c)
{
	(void)q;
	struct ena_host_info *info = ena->host_info;
	memset(info, 0, PAGE_SIZE);
	info->system = ENA_SYSTEM_OTHER;
	strlcpy(info->distribution, "elfpack", sizeof(info->distribution));
	info->driver_version = DRIVER_VERSION;
	info->specification = ENA_SPECIFICATION_2_0;
	info->place = ena->function->at;
	info->cpus = (uint16_t)cpu_count();
	c->feature.set.host.host_info = ena_address(info);
	return 0;
}

/* Jumbo frames would need several buffers a frame, or larger ones; clients from outside
 * the VPC send 1500 bytes at most. */
static int attributes_take(struct ena *ena, struct ena_queue *q,
			   const struct ena_response *r)
{
	(void)q;
	ena->features = r->attributes.features;
	ena->netdev.mtu = nic_mtu(r->attributes.max_mtu, MTU_DEFAULT);
	if (!ena->started) /* afterwards the stack has it */
		memcpy(ena->netdev.mac, r->attributes.mac, sizeof(ena->netdev.mac));
	return 0;
}

static int hints_take(struct ena *ena, struct ena_queue *q, const struct ena_response *r)
{
	(void)q;
	ena_hints_take(ena, &r->hints);
	return 0;
}

static uint16_t least(uint32_t a, uint32_t b)
{
	uint32_t n = a < b ? a : b;
	return (uint16_t)(n < NIC_BUFFERS_MAX ? n : NIC_BUFFERS_MAX);
}

static void limits_set(struct ena *ena, uint16_t tx, uint16_t rx, uint32_t header_size)
{
	ena->tx.limit = tx;
	ena->rx.limit = rx;
	ena->header_most = header_size < ENA_LLQ_HEADER ? header_size : ENA_LLQ_HEADER;
}

static bool queues_wanted(const struct ena *ena)
{
	return !(ena->features & BIT(ENA_FEATURE_QUEUES_EXTENDED));
}

static int queues_take(struct ena *ena, struct ena_queue *q, const struct ena_response *r)
{
	(void)q;
	const struct ena_queue_limits *limits = &r->queues;
	uint16_t depth = least(limits->sq_depth, limits->cq_depth);
	limits_set(ena, depth, depth, limits->header_size);
	return 0;
}

static int queues_extended_take(struct ena *ena, struct ena_queue *q,
				const struct ena_response *r)
{
	(void)q;
	const struct ena_queue_limits_extended *limits = &r->queues_extended;
	limits_set(ena, least(limits->tx_sq_depth, limits->tx_cq_depth),
		   least(limits->rx_sq_depth, limits->rx_cq_depth), limits->header_size);
	return 0;
}

static bool window_map(struct ena *ena)
{
	uint64_t size = ena->function->bar[ENA_BAR_MEMORY].size;
	if (!ena->window && size <= WINDOW_MOST)
		ena->window = pci_bar_map(ena->function, ENA_BAR_MEMORY, 0, size,
					  DEVICE_WRITE_COMBINING);
	return ena->window;
}

/* Without an LLQ the ring is in our memory; a device that needs one refuses that. */
static int llq_take(struct ena *ena, struct ena_queue *q, const struct ena_response *r)
{
	(void)q;
	ena->llq = r->llq.count && r->llq.depth >= ENA_DEPTH_LEAST &&
		   ena->header_most >= ETHERNET_HEADER &&
		   ena_llq_choose(&r->llq, &ena->llq_config) && window_map(ena);
	if (!ena->llq)
		return 0;
	ena->tx.limit = least(ena->tx.limit, r->llq.depth);
	ena->burst = 0;
	if (r->llq.acceleration & ENA_LLQ_LIMITED_BURST)
		ena->burst = r->llq.burst_bytes / ENA_LLQ_ENTRY_SIZE;
	return 0;
}

static bool llq_wanted(const struct ena *ena)
{
	return ena->llq;
}

static int llq_fill(struct ena *ena, struct ena_queue *q, struct ena_command *c)
{
	(void)q;
	c->feature.set.llq = ena->llq_config;
	return 0;
}

static int offload_take(struct ena *ena, struct ena_queue *q,
			const struct ena_response *r)
{
	(void)q;
	ena->netdev.features = 0;
	if (r->offload.tx & ENA_OFFLOAD_TX_PARTIAL)
		ena->netdev.features |= NETDEV_TX_CHECKSUM;
	if (r->offload.rx_supported & ENA_OFFLOAD_RX_L4)
		ena->netdev.features |= NETDEV_RX_CHECKSUM;
	return 0;
}

static int events_take(struct ena *ena, struct ena_queue *q, const struct ena_response *r)
{
	(void)q;
	ena->groups = r->events.supported &
		      (BIT(ENA_EVENT_LINK) | BIT(ENA_EVENT_FATAL) |
		       BIT(ENA_EVENT_WARNING) | BIT(ENA_EVENT_NOTIFICATION) |
		       BIT(ENA_EVENT_KEEP_ALIVE) | BIT(ENA_EVENT_RESET_REQUEST));
	return 0;
}

static int events_fill(struct ena *ena, struct ena_queue *q, struct ena_command *c)
{
	(void)q;
	c->feature.set.events.enabled = ena->groups;
	return 0;
}

static int mtu_fill(struct ena *ena, struct ena_queue *q, struct ena_command *c)
{
	(void)q;
	c->feature.set.mtu = ena->netdev.mtu;
	return 0;
}

static int cq_fill(struct ena *ena, struct ena_queue *q, struct ena_command *c)
{
	(void)ena;
	int rc = ena_queue_make(q);
	if (rc < 0)
		return rc;
	c->create_cq = (struct ena_create_cq){
		.caps = ENA_CQ_INTERRUPT,
		.entry_words = q->completion_size / 4,
		.depth = q->cq.size,
		.vector = q->vector,
		.base = ena_address((const void *)q->completions),
	};
	return 0;
}

static volatile uint32_t *register_at(const struct ena *ena, uint32_t offset)
{
	if (offset % 4 || offset < ENA_REGISTERS_SIZE || offset > ena->registers_size - 4)
		return NULL;
	return (volatile uint32_t *)(ena->registers + offset);
}

static int cq_take(struct ena *ena, struct ena_queue *q, const struct ena_response *r)
{
	q->cq_index = r->cq.index;
	q->cq_head = r->cq.head_offset ? register_at(ena, r->cq.head_offset) : NULL;
	q->unmask = register_at(ena, r->cq.unmask_offset);
	return r->cq.depth == q->cq.size && q->unmask ? 0 : -EIO;
}

static bool in_window(const struct ena *ena, const struct ena_queue *q)
{
	return ena->llq && q->direction == ENA_TRANSMIT;
}

static int sq_fill(struct ena *ena, struct ena_queue *q, struct ena_command *c)
{
	bool device = in_window(ena, q);
	c->create_sq = (struct ena_create_sq){
		.direction = (uint8_t)(q->direction << 5),
		.policy = device ? ENA_PLACE_DEVICE : ENA_PLACE_HOST,
		.contiguous = ENA_SQ_CONTIGUOUS,
		.cq = q->cq_index,
		.depth = q->sq.size,
	};
	if (!device)
		c->create_sq.base = ena_address(q->descriptors);
	return 0;
}

static int sq_take(struct ena *ena, struct ena_queue *q, const struct ena_response *r)
{
	uint64_t offset = r->sq.llq_offset;
	uint64_t end = offset + (uint64_t)q->sq.size * ENA_LLQ_ENTRY_SIZE;
	q->sq_index = r->sq.index;
	q->doorbell = register_at(ena, r->sq.doorbell_offset);
	if (!q->doorbell)
		return -EIO;
	if (!in_window(ena, q))
		return 0;
	if (offset % 8 || end > ena->function->bar[ENA_BAR_MEMORY].size)
		return -EIO;
	ena->llq_entries = (volatile uint64_t *)(ena->window + offset);
	return 0;
}

/* In this order; features that the device has not are left out. */
static const struct step {
	const char *what;
	enum ena_opcode opcode;
	enum ena_feature feature;
	enum ena_direction queue;
	bool optional;                         /* may be refused */
	bool (*wanted)(const struct ena *ena); /* NULL: always */
	int (*fill)(struct ena *ena, struct ena_queue *q, struct ena_command *c);
	int (*take)(struct ena *ena, struct ena_queue *q, const struct ena_response *r);
} steps[] = {
	{.what = "host information",
	 .opcode = ENA_SET_FEATURE,
	 .feature = ENA_FEATURE_HOST,
	 .fill = host_fill},
	{.what = "attributes",
	 .opcode = ENA_GET_FEATURE,
	 .feature = ENA_FEATURE_ATTRIBUTES,
	 .take = attributes_take},
	{.what = "hints",
	 .opcode = ENA_GET_FEATURE,
	 .feature = ENA_FEATURE_HINTS,
	 .take = hints_take},
	{.what = "queue limits",
	 .opcode = ENA_GET_FEATURE,
	 .feature = ENA_FEATURE_QUEUES,
	 .wanted = queues_wanted,
	 .take = queues_take},
	{.what = "queue limits",
	 .opcode = ENA_GET_FEATURE,
	 .feature = ENA_FEATURE_QUEUES_EXTENDED,
	 .take = queues_extended_take},
	{.what = "LLQ modes",
	 .opcode = ENA_GET_FEATURE,
	 .feature = ENA_FEATURE_LLQ,
	 .take = llq_take},
	{.what = "LLQ mode",
	 .opcode = ENA_SET_FEATURE,
	 .feature = ENA_FEATURE_LLQ,
	 .wanted = llq_wanted,
	 .fill = llq_fill},
	{.what = "offloads",
	 .opcode = ENA_GET_FEATURE,
	 .feature = ENA_FEATURE_OFFLOAD,
	 .take = offload_take},
	{.what = "event groups",
	 .opcode = ENA_GET_FEATURE,
	 .feature = ENA_FEATURE_AENQ,
	 .take = events_take},
	{.what = "event groups",
	 .opcode = ENA_SET_FEATURE,
	 .feature = ENA_FEATURE_AENQ,
	 .fill = events_fill},
	{.what = "MTU",
	 .opcode = ENA_SET_FEATURE,
	 .feature = ENA_FEATURE_MTU,
	 .fill = mtu_fill},
	{.what = "transmit completion queue",
	 .opcode = ENA_CREATE_CQ,
	 .queue = ENA_TRANSMIT,
	 .fill = cq_fill,
	 .take = cq_take},
	{.what = "transmit queue",
	 .opcode = ENA_CREATE_SQ,
	 .queue = ENA_TRANSMIT,
	 .fill = sq_fill,
	 .take = sq_take},
	{.what = "receive completion queue",
	 .opcode = ENA_CREATE_CQ,
	 .queue = ENA_RECEIVE,
	 .fill = cq_fill,
	 .take = cq_take},
	{.what = "receive queue",
	 .opcode = ENA_CREATE_SQ,
	 .queue = ENA_RECEIVE,
	 .fill = sq_fill,
	 .take = sq_take},
	{.what = "RSS table",
	 .opcode = ENA_GET_FEATURE,
	 .feature = ENA_FEATURE_RSS_TABLE,
	 .queue = ENA_RECEIVE,
	 .optional = true,
	 .take = ena_rss_take},
	{.what = "RSS table",
	 .opcode = ENA_SET_FEATURE,
	 .feature = ENA_FEATURE_RSS_TABLE,
	 .queue = ENA_RECEIVE,
	 .optional = true,
	 .wanted = ena_rss_wanted,
	 .fill = ena_rss_fill},
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static struct ena_queue *queue_of(struct ena *ena, const struct step *s)
{
	return s->queue == ENA_RECEIVE ? &ena->rx : &ena->tx;
}

static bool is_due(const struct ena *ena, const struct step *s)
{
	return (!s->feature || ena->features & BIT(s->feature)) &&
	       (!s->wanted || s->wanted(ena));
}

/* Sends the command of the next step that is due; 1: there is none. */
static int next_step(struct ena *ena, char *why)
{
	while (ena->step < STEPS && !is_due(ena, &steps[ena->step]))
		ena->step++;
	if (ena->step == STEPS)
		return 1;
	const struct step *s = &steps[ena->step];
	struct ena_command command = {.opcode = (uint8_t)s->opcode};
	if (s->feature) {
		command.feature.feature = (uint8_t)s->feature;
		command.feature.version = s->feature == ENA_FEATURE_QUEUES_EXTENDED
						  ? QUEUES_EXTENDED_VERSION
						  : 0;
	}
	int rc = s->fill ? s->fill(ena, queue_of(ena, s), &command) : 0;
	if (rc < 0)
		ksnprintf(why, ENA_WHY_SIZE, "no %s: %s", s->what,
			  rc == -ENOMEM ? "no memory"
					: "the device has not enough entries");
	else
		ena_command_send(ena, &command);
	return rc;
}

static int commands_go_on(struct ena *ena, char *why)
{
	const struct step *s = &steps[ena->step];
	struct ena_response response;
	int rc = ena_command_answer(ena, &response);
	if (rc == 0 && clock_now_ns() > ena->deadline_ns) {
		ksnprintf(why, ENA_WHY_SIZE, "%s: no answer within %u ms", s->what,
			  (unsigned)(ena->command_limit_ns / 1000000));
		return -ETIMEDOUT;
	}
	if (rc == 0)
		return 0;
	if (rc > 0 && response.status && s->optional) {
		kprint("net: %s: %s: refused with status %u, %u\n", ena->name, s->what,
		       response.status, response.extended_status);
		ena->step++;
		return next_step(ena, why);
	}
	if (rc > 0 && response.status) {
		ksnprintf(why, ENA_WHY_SIZE, "%s: refused with status %u, %u", s->what,
			  response.status, response.extended_status);
		return -EIO;
	}
	if (rc > 0 && s->take)
		rc = s->take(ena, queue_of(ena, s), &response);
	if (rc < 0) {
		ksnprintf(why, ENA_WHY_SIZE, "%s: the answer is nonsense", s->what);
		return rc;
	}
	ena->step++;
	return next_step(ena, why);
}

int ena_start_go_on(struct ena *ena, char why[ENA_WHY_SIZE])
{
	if (ena->state == ENA_COMMANDS)
		return commands_go_on(ena, why);
	bool ending = ena->state == ENA_RESET_ENDED;
	uint32_t status = ena_read(ena, ENA_STATUS);
	if (status == ENA_ABSENT || !(status & ENA_STATUS_RESETTING) != ending) {
		if (clock_now_ns() < ena->deadline_ns)
			return 0;
		ksnprintf(why, ENA_WHY_SIZE,
			  "does not %s its reset within %u ms (status %x)",
			  ending ? "end" : "begin",
			  (unsigned)(ena->reset_limit_ns / 1000000), status);
		return -ETIMEDOUT;
	}
	if (!ending) {
		ena_write(ena, ENA_CONTROL, 0);
		ena->state = ENA_RESET_ENDED;
		ena->deadline_ns = clock_now_ns() + ena->reset_limit_ns;
		return 0;
	}
	ena_admin_open(ena);
	ena->features = BIT(ENA_FEATURE_HOST) | BIT(ENA_FEATURE_ATTRIBUTES);
	ena->rss = false;
	ena->state = ENA_COMMANDS;
	ena->step = 0;
	return next_step(ena, why);
}

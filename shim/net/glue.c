/* glue.c: the pure stack in the kernel: its clock, memory and timer, and the device that
 * frames come from and go to. */
#include "shim/net/net.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/random.h"
#include "shim/mm/kmem.h"
#include "shim/mm/page.h"
#include "shim/net/wire.h"
#include "shim/proc/idle.h"
#include "shim/proc/timer.h"

/* An interrupt takes in at most this many batches of frames; a timer goes on with the
 * rest, so that a flood leaves time for those who are served. */
#define POLL_BUDGET  64u
#define POLL_BATCHES 8u

/* Connections and their buffers: an eighth of memory, at most this much. */
#define MEMORY_MAX (64ull << 20)

static struct netdev *device;
static struct net_stack stack;
static bool started;

static void poll_on(struct timer *self);
static struct timer poll_timer = {.fire = poll_on};

static void poll_device(void)
{
	bool more = true;
	uint64_t before = device->rx_packets;
	for (unsigned i = 0; more && i < POLL_BATCHES; i++) {
		more = device->ops->poll(device, POLL_BUDGET);
		net_left();
	}
	if (more)
		timer_set(&poll_timer, clock_now_ns());
	if (device->rx_packets != before)
		idle_source_delivered();
}

static void poll_on(struct timer *self)
{
	(void)self;
	poll_device();
}

/* struct net_env. */

static uint64_t env_now(void *context)
{
	(void)context;
	return clock_now_ns();
}

static int env_transmit(void *context, const struct netdev_frame *frame)
{
	(void)context;
	return device->ops->transmit(device, frame);
}

static void *env_allocate(void *context, size_t size)
{
	(void)context;
	return kmalloc(&kernel_account, size);
}

static void env_release(void *context, void *memory)
{
	(void)context;
	kfree(memory);
}

static void env_random(void *context, void *out, size_t size)
{
	(void)context;
	random_bytes(out, size);
}

static void timers_due(struct timer *self)
{
	(void)self;
	net_timers(&stack);
	net_left();
}

static void env_wake_at(void *context, uint64_t deadline_ns)
{
	static struct timer due = {.fire = timers_due};
	(void)context;
	timer_set(&due, deadline_ns);
}

static void env_address(void *context)
{
	(void)context;
	uint32_t a = stack.address;
	if (a)
		kprint("net: %u.%u.%u.%u/%d by DHCP\n", a >> 24, a >> 16 & 255,
		       a >> 8 & 255, a & 255,
		       stack.netmask ? 32 - __builtin_ctz(stack.netmask) : 0);
	else
		kprint("net: the lease has ended; no address\n");
}

static const struct net_env kernel_env = {
	.now_ns = env_now,
	.transmit = env_transmit,
	.allocate = env_allocate,
	.release = env_release,
	.random = env_random,
	.wake_at = env_wake_at,
	.address = env_address,
};

/* netdev.h: what drivers call. */

bool netdev_register(struct netdev *dev)
{
	if (device) {
		kprint("net: %s: a second device is not used\n", dev->ops->name);
		return false;
	}
	device = dev;
	return true;
}

void netdev_unregister(struct netdev *dev)
{
	if (device == dev)
		device = NULL;
}

void netdev_interrupt(struct netdev *dev)
{
	if (started && dev == device)
		poll_device();
}

void netdev_receive(struct netdev *dev, const void *frame, size_t size,
		    bool checksum_good)
{
	(void)dev;
	net_input(&stack, frame, size, checksum_good);
}

void netdev_tx_ready(struct netdev *dev)
{
	if (started && dev == device)
		net_left();
}

/* idle.h: an idle CPU looks for frames. */

static void idle_silence(void)
{
	device->ops->silence(device);
}

static bool idle_arrived(void)
{
	return device->ops->arrived(device);
}

/* net.h */

int net_init(void)
{
	static const struct idle_source frames = {
		.silence = idle_silence, .arrived = idle_arrived, .listen = poll_device};
	if (!device) {
		kprint("net: no network device\n");
		return -ENODEV;
	}
	uint64_t limit = page_count_total() * PAGE_SIZE / 8;
	if (limit > MEMORY_MAX)
		limit = MEMORY_MAX;
	if (net_stack_init(&stack, &kernel_env, NULL, device->mac, device->mtu,
			   device->features, limit) < 0) {
		kprint("net: no memory\n");
		return -ENOMEM;
	}
	started = true;
	if (device->ops->silence)
		idle_source_set(&frames);
	net_dhcp_start(&stack);
	poll_device();
	return 0;
}

struct net_stack *net_stack(void)
{
	return started ? &stack : NULL;
}

void net_left(void)
{
	if (!started)
		return;
	net_flush(&stack);
	device->ops->flush(device);
}

struct net_summary net_summary(void)
{
	struct net_summary summary = {.ipv4 = 0};
	if (!started)
		return summary;
	const struct net_counters *counters = &stack.counters;
	put32((uint8_t *)&summary.ipv4, stack.address);
	summary.rx_packets = device->rx_packets;
	summary.rx_bytes = device->rx_bytes;
	summary.tx_packets = device->tx_packets;
	summary.tx_bytes = device->tx_bytes;
	summary.drops = device->drops + counters->rx_dropped + counters->rx_fragments +
			counters->rx_bad_checksum;
	summary.resets = device->resets;
	summary.tcp_accepted = counters->tcp_accepted;
	summary.tcp_retransmits = counters->tcp_retransmits;
	summary.tcp_cookies_bad = counters->tcp_cookies_bad;
	return summary;
}

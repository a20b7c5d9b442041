/* stack.c: the frame of the stack: Ethernet in, memory and rates, timers out. Pure. */
#include "shim/net/stack.h"

#include "shim/lib/errno.h"
#include "shim/net/wire.h"

void net_clock(struct net_stack *stack)
{
	stack->now_ns = stack->env->now_ns(stack->context);
}

int net_stack_init(struct net_stack *stack, const struct net_env *env, void *context,
		   const uint8_t mac[6], uint16_t mtu, uint32_t features,
		   uint64_t memory_limit)
{
	memset(stack, 0, sizeof(*stack));
	stack->env = env;
	stack->context = context;
	memcpy(stack->mac, mac, 6);
	stack->mtu = mtu < 576 ? 576 : mtu; /* RFC 791: every host takes that much */
	stack->features = features;
	stack->memory_limit = memory_limit;
	stack->wake_ns = UINT64_MAX;
	net_clock(stack);
	stack->ip_id = (uint16_t)net_random(stack);
	return tcp_init(stack);
}

void net_stack_destroy(struct net_stack *stack)
{
	tcp_destroy(stack);
}

uint64_t net_random(struct net_stack *stack)
{
	uint64_t value;
	stack->env->random(stack->context, &value, sizeof(value));
	return value;
}

void *net_allocate(struct net_stack *stack, size_t size)
{
	if (size > stack->memory_limit || stack->memory_used > stack->memory_limit - size)
		return NULL;
	void *memory = stack->env->allocate(stack->context, size);
	if (memory)
		stack->memory_used += size;
	return memory;
}

void net_release(struct net_stack *stack, void *memory, size_t size)
{
	if (!memory)
		return;
	stack->memory_used -= size;
	stack->env->release(stack->context, memory);
}

bool net_rate_take(struct net_stack *stack, struct net_rate *rate, uint32_t per_second)
{
	if (stack->now_ns - rate->start_ns >= 1000000000ull) {
		rate->start_ns = stack->now_ns;
		rate->count = 0;
	}
	return rate->count < per_second ? (rate->count++, true) : false;
}

void net_wake_by(struct net_stack *stack, uint64_t deadline_ns)
{
	if (deadline_ns >= stack->wake_ns)
		return;
	stack->wake_ns = deadline_ns;
	stack->env->wake_at(stack->context, deadline_ns);
}

int net_transmit(struct net_stack *stack, const uint8_t *header, uint32_t header_size)
{
	const struct netdev_frame frame = {.header = header, .header_size = header_size};
	return stack->env->transmit(stack->context, &frame);
}

void net_input(struct net_stack *stack, const void *frame, size_t size,
	       bool checksum_good)
{
	const uint8_t *bytes = frame;
	net_clock(stack);
	if (size < ETH_HEADER) {
		stack->counters.rx_dropped++;
		return;
	}
	/* For us or for all; and not from a group, which nothing may answer. */
	static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
	if ((memcmp(bytes, stack->mac, 6) && memcmp(bytes, everyone, 6)) ||
	    bytes[6] & 1) {
		stack->counters.rx_dropped++;
		return;
	}
	switch (get16(bytes + 12)) {
	case ETH_ARP:
		arp_input(stack, bytes, size);
		break;
	case ETH_IPV4:
		ip_input(stack, bytes, size, checksum_good);
		break;
	default:
		stack->counters.rx_dropped++;
	}
}

void net_timers(struct net_stack *stack)
{
	net_clock(stack);
	stack->wake_ns = UINT64_MAX;
	dhcp_timer(stack);
	tcp_timers(stack);
	net_flush(stack);
}

void net_address_set(struct net_stack *stack, uint32_t address, uint32_t netmask,
		     uint32_t gateway)
{
	const bool changed = stack->address != address;
	if (changed && stack->address)
		tcp_abort_all(stack);
	stack->address = address;
	stack->netmask = netmask;
	stack->gateway = gateway;
	if (!changed)
		return;
	if (address)
		arp_announce(stack);
	stack->env->address(stack->context);
	early_release(stack);
}

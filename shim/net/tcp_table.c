/* tcp_table.c: the life of a connection: its place in the table of all, in the queue of a
 * listener, among those in TIME-WAIT, and its end. Pure. */
#include "shim/net/tcp_internal.h"

#include "shim/lib/errno.h"

enum { BUFFER_MIN = 16 << 10, BUFFER_MAX = 512 << 10 };

int tcp_init(struct net_stack *stack)
{
	uint64_t keys[6];
	stack->env->random(stack->context, keys, sizeof(keys));
	memcpy(stack->hash_key, keys, 16);
	memcpy(stack->cookie_key, keys + 2, 16);
	memcpy(stack->stamp_key, keys + 4, 16);
	uint32_t buckets = 64;
	while (buckets < 65536 && buckets < stack->memory_limit / 8192)
		buckets *= 2;
	stack->buffer_limit = BUFFER_MIN;
	while (stack->buffer_limit < BUFFER_MAX &&
	       stack->buffer_limit < stack->memory_limit / 16)
		stack->buffer_limit *= 2;
	stack->table = net_allocate(stack, buckets * sizeof(*stack->table));
	if (!stack->table)
		return -ENOMEM;
	memset(stack->table, 0, buckets * sizeof(*stack->table));
	stack->table_mask = buckets - 1;
	stack->wheel_tick = stack->now_ns / (10 * TCP_MS);
	return 0;
}

void tcp_destroy(struct net_stack *stack)
{
	if (!stack->table)
		return;
	tcp_abort_all(stack);
	net_release(stack, stack->table, (stack->table_mask + 1) * sizeof(*stack->table));
	stack->table = NULL;
}

static uint64_t tuple_hash(struct net_stack *stack, uint32_t peer, uint32_t local,
			   uint16_t peer_port, uint16_t local_port)
{
	const uint32_t tuple[3] = {peer, local, (uint32_t)peer_port << 16 | local_port};
	return siphash(stack->hash_key, tuple, sizeof(tuple));
}

static uint64_t hash_of(const struct tcp *tcp)
{
	return tuple_hash(tcp->stack, tcp->peer_address, tcp->local_address,
			  tcp->peer_port, tcp->local_port);
}

static uint64_t segment_hash(struct net_stack *stack, const struct tcp_segment *s)
{
	return tuple_hash(stack, s->packet->source, s->packet->destination,
			  s->source_port, s->destination_port);
}

static struct tcp **bucket_of(struct tcp *tcp)
{
	return &tcp->stack->table[hash_of(tcp) & tcp->stack->table_mask];
}

void tcp_reset_note(struct tcp *tcp)
{
	struct net_stack *stack = tcp->stack;
	stack->resets[stack->reset_next++ % TCP_RESETS_KNOWN] =
		(uint32_t)(hash_of(tcp) >> 32);
}

bool tcp_reset_known(struct net_stack *stack, const struct tcp_segment *s)
{
	const uint32_t hash = (uint32_t)(segment_hash(stack, s) >> 32);
	for (uint32_t i = 0; i < TCP_RESETS_KNOWN; i++) {
		if (stack->resets[i] == hash)
			return true;
	}
	return false;
}

struct tcp *tcp_find(struct net_stack *stack, const struct tcp_segment *s)
{
	const uint32_t peer = s->packet->source, local = s->packet->destination;
	struct tcp *tcp = stack->table[segment_hash(stack, s) & stack->table_mask];
	while (tcp &&
	       (tcp->peer_port != s->source_port || tcp->peer_address != peer ||
		tcp->local_port != s->destination_port || tcp->local_address != local))
		tcp = tcp->hash_next;
	return tcp;
}

struct tcp_listener *tcp_find_listener(struct net_stack *stack, uint32_t address,
				       uint16_t port)
{
	struct tcp_listener *any = NULL;
	for (struct tcp_listener *l = stack->listeners; l; l = l->next) {
		if (l->local.port != port)
			continue;
		if (l->local.address == address)
			return l;
		if (!l->local.address)
			any = l;
	}
	return any;
}

bool tcp_memory_tight(const struct net_stack *stack)
{
	return stack->memory_used > stack->memory_limit / 4 * 3;
}

/* The oldest in TIME-WAIT makes room: RFC 1337's hazards are what timestamps and random
 * sequence numbers are for. */
static bool wait_evict(struct net_stack *stack)
{
	for (struct tcp *t = stack->wait_first; t; t = t->queue_next) {
		if (t->held)
			continue;
		tcp_end(t, 0);
		return true;
	}
	return false;
}

struct tcp *tcp_create(struct net_stack *stack, const struct tcp_segment *s)
{
	struct tcp *tcp = net_allocate(stack, sizeof(*tcp));
	if (!tcp && wait_evict(stack))
		tcp = net_allocate(stack, sizeof(*tcp));
	if (!tcp)
		return NULL;
	memset(tcp, 0, sizeof(*tcp));
	tcp->stack = stack;
	tcp->peer_address = s->packet->source;
	tcp->local_address = s->packet->destination;
	tcp->peer_port = s->source_port;
	tcp->local_port = s->destination_port;
	memcpy(tcp->peer_mac, s->packet->source_mac, 6);
	tcp->state = TCP_ESTABLISHED;
	tcp->send_limit = tcp->receive_limit = stack->buffer_limit;
	tcp->keep_idle_s = 7200; /* RFC 9293, 3.8.4: no less than two hours by default */
	tcp->keep_interval_s = 75;
	tcp->keep_count = 9;
	tcp->rto_us = 1000000; /* RFC 6298, 2.1 */
	tcp->last_received_ns = stack->now_ns;
	struct tcp **at = bucket_of(tcp);
	tcp->hash_next = *at;
	*at = tcp;
	tcp->hashed = true;
	stack->connection_count++;
	return tcp;
}

static void unhash(struct tcp *tcp)
{
	if (!tcp->hashed)
		return;
	struct tcp **at = bucket_of(tcp);
	while (*at != tcp)
		at = &(*at)->hash_next;
	*at = tcp->hash_next;
	tcp->hashed = false;
	tcp->stack->connection_count--;
}

/* Out of its listener's queue, or of TIME-WAIT's. */
void tcp_queue_remove(struct tcp *tcp)
{
	struct net_stack *stack = tcp->stack;
	struct tcp **first = &stack->wait_first, **last = &stack->wait_last;
	if (tcp->listener) {
		first = &tcp->listener->first;
		last = &tcp->listener->last;
		tcp->listener->waiting--;
		tcp->listener = NULL;
	} else if (tcp->waiting) {
		tcp->waiting = false;
		stack->wait_count--;
	} else {
		return;
	}
	*(tcp->queue_previous ? &tcp->queue_previous->queue_next : first) =
		tcp->queue_next;
	*(tcp->queue_next ? &tcp->queue_next->queue_previous : last) =
		tcp->queue_previous;
	tcp->queue_next = tcp->queue_previous = NULL;
}

void tcp_pend(struct tcp *tcp)
{
	struct net_stack *stack = tcp->stack;
	if (tcp->pending || tcp->state == TCP_CLOSED)
		return;
	tcp->pending = true;
	tcp->pending_next = NULL;
	tcp->pending_previous = stack->pending_last;
	*(stack->pending_last ? &stack->pending_last->pending_next : &stack->pending) =
		tcp;
	stack->pending_last = tcp;
}

void tcp_unpend(struct tcp *tcp)
{
	struct net_stack *stack = tcp->stack;
	if (!tcp->pending)
		return;
	*(tcp->pending_previous ? &tcp->pending_previous->pending_next
				: &stack->pending) = tcp->pending_next;
	*(tcp->pending_next ? &tcp->pending_next->pending_previous
			    : &stack->pending_last) = tcp->pending_previous;
	tcp->pending = false;
}

void tcp_free(struct tcp *tcp)
{
	tcp_ring_free(tcp->stack, &tcp->out);
	tcp_ring_free(tcp->stack, &tcp->in);
	net_release(tcp->stack, tcp, sizeof(*tcp));
}

void tcp_tell(struct tcp *tcp, unsigned events)
{
	if (events && tcp->ops && tcp->ops->event)
		tcp->ops->event(tcp->user, events);
}

void tcp_end(struct tcp *tcp, int error)
{
	if (tcp->listener)
		tcp->held = false; /* nobody has seen it */
	tcp_queue_remove(tcp);
	tcp_unpend(tcp);
	tcp_unlink_timer(tcp);
	unhash(tcp);
	tcp->state = TCP_CLOSED;
	if (!tcp->held) {
		tcp_free(tcp);
		return;
	}
	tcp_ring_free(tcp->stack, &tcp->out);
	tcp->queued = 0;
	tcp->range_count = 0;
	tcp->error = (uint8_t)error;
	tcp_tell(tcp, (error ? TCP_FAILED : 0u) | TCP_PEER_CLOSED | TCP_CLOSED_BOTH |
			      TCP_READABLE | TCP_WRITABLE);
}

/* Our end is done, the peer's too; late segments of either are answered for a while. How
 * many such connections there are is bounded by memory. */
void tcp_enter_wait(struct tcp *tcp)
{
	struct net_stack *stack = tcp->stack;
	const uint64_t most = stack->memory_limit / 16 / sizeof(*tcp);
	if (!tcp->waiting) {
		if (stack->wait_count >= (most < 16 ? 16 : most))
			wait_evict(stack);
		tcp->waiting = true;
		stack->wait_count++;
	} else {
		/* Again: it is the youngest now. */
		tcp_queue_remove(tcp);
		tcp->waiting = true;
		stack->wait_count++;
	}
	tcp->queue_next = NULL;
	tcp->queue_previous = stack->wait_last;
	*(stack->wait_last ? &stack->wait_last->queue_next : &stack->wait_first) = tcp;
	stack->wait_last = tcp;

	tcp->state = TCP_TIME_WAIT;
	tcp_ring_free(stack, &tcp->out);
	tcp->range_count = 0;
	if (!tcp->held)
		tcp_ring_free(stack, &tcp->in);
	tcp->rto_ns = tcp->ack_ns = tcp->keep_ns = tcp->trim_ns = tcp->cork_ns = 0;
	tcp->starved_ns = 0;
	tcp_unlink_timer(tcp);
	tcp->wait_ns = stack->now_ns + TCP_WAIT;
	net_wake_by(stack, tcp->wait_ns);
}

void tcp_wait_expire(struct net_stack *stack)
{
	while (stack->wait_first && stack->wait_first->wait_ns <= stack->now_ns)
		tcp_end(stack->wait_first, 0);
	if (stack->wait_first)
		net_wake_by(stack, stack->wait_first->wait_ns);
}

bool tcp_owes(const struct net_stack *stack)
{
	for (uint32_t i = 0; i <= stack->table_mask; i++)
		for (const struct tcp *tcp = stack->table[i]; tcp; tcp = tcp->hash_next)
			if (tcp->queued)
				return true;
	return false;
}

void tcp_abort_all(struct net_stack *stack)
{
	for (uint32_t i = 0; i <= stack->table_mask; i++) {
		while (stack->table[i])
			tcp_end(stack->table[i], ECONNABORTED);
	}
}

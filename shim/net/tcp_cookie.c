/* tcp_cookie.c: the handshake without half-open connections. Our initial sequence number
 * says all that the completing segment must bring back:
 *
 *   31      27 26  24 23                     0
 *   [ counter ][ MSS ][ keyed hash, 24 bits  ]
 *
 * counter: steps of 64 s; the hash covers addresses, ports, the peer's number, counter
 * and MSS. Window scale and SACK travel in the low bits of our timestamp, so a peer
 * without timestamps gets neither. As required of RFC 6528, numbers are unguessable and
 * differ for each pair of endpoints. Pure. */
#include "shim/net/tcp_internal.h"

#define COUNTER_NS (64 * TCP_SECOND)
enum { STAMP_BITS = 6, STAMP_SACK = 16, STAMP_NO_SCALE = 15 };
enum { SCALE_MAX = 14 }; /* RFC 7323, 2.3 */

static const uint16_t mss_table[8] = {64,  TCP_MSS_DEFAULT, 1024, 1220, 1380, 1440, 1460,
				      8960};

/* Timestamps begin anywhere for each pair of endpoints: uptime is nobody's business. */
uint32_t tcp_stamp_offset(struct net_stack *stack, const struct tcp_segment *s)
{
	const uint32_t tuple[3] = {s->packet->source, s->packet->destination,
				   (uint32_t)s->source_port << 16 | s->destination_port};
	return (uint32_t)siphash(stack->stamp_key, tuple, sizeof(tuple));
}

uint32_t tcp_stamp_now(const struct net_stack *stack, uint32_t offset)
{
	return (uint32_t)(stack->now_ns / TCP_MS) + offset;
}

static uint32_t cookie(struct net_stack *stack, const struct tcp_segment *s,
		       uint32_t peer_isn, uint64_t counter, uint32_t mss_index)
{
	const uint64_t input[4] = {(uint64_t)s->packet->source << 32 |
					   s->packet->destination,
				   (uint64_t)s->source_port << 48 |
					   (uint64_t)s->destination_port << 32 | peer_isn,
				   counter, mss_index};
	const uint32_t hash = (uint32_t)siphash(stack->cookie_key, input, sizeof(input));
	return (uint32_t)(counter & 31) << 27 | mss_index << 24 | (hash & 0xffffff);
}

void tcp_cookie_answer(struct net_stack *stack, const struct tcp_segment *syn)
{
	const uint32_t ours = stack->mtu - IP_HEADER - TCP_HEADER;
	const uint32_t mss = min32(syn->mss ? syn->mss : TCP_MSS_DEFAULT, ours);
	uint32_t index = 7;
	while (index && mss_table[index] > mss)
		index--;
	uint32_t stamp = 0;
	if (syn->stamped) {
		stamp = tcp_stamp_now(stack, tcp_stamp_offset(stack, syn));
		uint32_t bits =
			syn->scale == 255 ? STAMP_NO_SCALE : min32(syn->scale, SCALE_MAX);
		if (syn->sack_permitted)
			bits |= STAMP_SACK;
		/* Never later than what the connection will send: RFC 7323, 5. */
		const uint32_t low = (1u << STAMP_BITS) - 1;
		if ((stamp & low) < bits)
			stamp -= low + 1;
		stamp = (stamp & ~low) | bits;
	}
	const uint32_t isn =
		cookie(stack, syn, syn->seq, stack->now_ns / COUNTER_NS, index);
	stack->counters.tcp_cookies_sent++;
	tcp_syn_ack(stack, syn, isn, stamp);
}

bool tcp_cookie_check(struct net_stack *stack, const struct tcp_segment *s, uint16_t *mss,
		      bool *recent)
{
	const uint32_t value = s->ack - 1;
	const uint64_t now = stack->now_ns / COUNTER_NS;
	const uint64_t age = (now - (value >> 27)) & 31;
	const uint32_t index = value >> 24 & 7;
	*recent = age <= 1;
	if (age > 1 || age > now)
		return false;
	*mss = mss_table[index];
	return cookie(stack, s, s->seq - 1, now - age, index) == value;
}

static void take_options(struct tcp *tcp, const struct tcp_segment *s)
{
	struct net_stack *stack = tcp->stack;
	tcp->stamp_offset = tcp_stamp_offset(stack, s);
	/* An echo of something that we cannot have sent: go without. */
	const uint32_t age = tcp_stamp_now(stack, tcp->stamp_offset) - s->echo;
	if (!s->stamped || age > 3 * COUNTER_NS / TCP_MS)
		return;
	tcp->stamps = true;
	tcp->stamp_recent = s->stamp;
	tcp->stamp_recent_ns = stack->now_ns;
	tcp->sack = s->echo & STAMP_SACK;
	const uint32_t scale = s->echo & 15;
	if (scale <= SCALE_MAX) {
		tcp->scaled = true;
		tcp->peer_scale = (uint8_t)scale;
	}
	/* Up to 64 ms too long, for the bits; much longer if it was not the first that
	 * came. */
	if (age < 300)
		tcp_round_trip(tcp, age * 1000ull);
}

struct tcp *tcp_cookie_accept(struct net_stack *stack, struct tcp_listener *listener,
			      const struct tcp_segment *s, uint16_t mss)
{
	if (listener->waiting >= listener->backlog) {
		stack->counters.tcp_backlog_full++;
		return NULL;
	}
	struct tcp *tcp = tcp_create(stack, s);
	if (!tcp) {
		stack->counters.tcp_no_memory++;
		return NULL;
	}
	take_options(tcp, s);
	tcp->mss = mss;
	tcp->receive_mss = TCP_MSS_DEFAULT;
	tcp->send_una = tcp->send_next = tcp->high_retransmit = tcp->small_end = s->ack;
	tcp->recover = s->ack - 1;
	tcp->read_next = tcp->receive_next = tcp->last_ack_sent = s->seq;
	tcp->announced =
		s->seq + min32(stack->buffer_limit, 65535); /* as tcp_syn_ack did */
	tcp->window_seq = s->seq - 1;
	tcp->window_ack = s->ack;
	tcp->cwnd = tcp_initial_window(tcp);
	tcp->ssthresh = UINT32_MAX;

	tcp->held = true;
	tcp->listener = listener;
	tcp->queue_previous = listener->last;
	*(listener->last ? &listener->last->queue_next : &listener->first) = tcp;
	listener->last = tcp;
	listener->waiting++;
	stack->counters.tcp_accepted++;
	return tcp;
}

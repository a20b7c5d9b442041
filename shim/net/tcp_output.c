/* tcp_output.c: segments out: which bytes are next (RFC 9293, 3.8.6; Nagle, RFC 6675) and
 * how they are dressed. Pure. */
#include "shim/net/tcp_internal.h"

#define TSO_MAX 61440u /* with all headers below 64 KiB */

struct outgoing {
	const uint8_t *mac;
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint32_t seq, ack;
	uint32_t window;
	uint8_t flags, option_size;
	uint8_t options[40];
	const void *payload;
	uint32_t size, segment_size;
};

static int transmit(struct net_stack *stack, const struct outgoing *o)
{
	uint8_t header[ETH_HEADER + IP_HEADER + TCP_HEADER + sizeof(o->options)];
	uint8_t *tcp = header + ETH_HEADER + IP_HEADER;
	const uint32_t head = TCP_HEADER + o->option_size;
	ip_header(stack, header, o->mac, o->source, o->destination, 6, head + o->size);
	put16(tcp, o->source_port);
	put16(tcp + 2, o->destination_port);
	put32(tcp + 4, o->seq);
	put32(tcp + 8, o->ack);
	tcp[12] = (uint8_t)(head << 2);
	tcp[13] = o->flags;
	put16(tcp + 14, o->window);
	put32(tcp + 16, 0); /* checksum, urgent pointer */
	memcpy(tcp + TCP_HEADER, o->options, o->option_size);

	uint64_t sum = checksum_pseudo(o->source, o->destination, 6, head + o->size);
	const bool device = stack->features & NETDEV_TX_CHECKSUM;
	if (device) {
		put16(tcp + 16, checksum_fold(sum));
	} else {
		sum = checksum_add(sum, tcp, head);
		sum = checksum_add(sum, o->payload, o->size);
		put16(tcp + 16, (uint16_t)~checksum_fold(sum));
	}
	const struct netdev_frame frame = {
		.header = header,
		.header_size = ETH_HEADER + IP_HEADER + head,
		.payload = o->size ? o->payload : NULL,
		.payload_size = o->size,
		.checksum_start = ETH_HEADER + IP_HEADER,
		.checksum_offset = 16,
		.segment_size =
			(uint16_t)(o->size > o->segment_size ? o->segment_size : 0),
		.checksum = device,
	};
	return stack->env->transmit(stack->context, &frame);
}

static void put_stamps(struct outgoing *o, uint32_t value, uint32_t echo)
{
	uint8_t *p = o->options + o->option_size;
	p[0] = p[1] = 1; /* padding, RFC 7323 appendix A */
	p[2] = 8;
	p[3] = 10;
	put32(p + 4, value);
	put32(p + 8, echo);
	o->option_size = (uint8_t)(o->option_size + 12);
}

/* As many blocks as fit, the latest first: RFC 2018, 4. */
static uint32_t sack_blocks(const struct tcp *tcp)
{
	return tcp->sack ? min32(tcp->range_count, tcp->stamps ? 3 : 4) : 0;
}

static void put_sack(struct outgoing *o, const struct tcp *tcp)
{
	const uint32_t count = sack_blocks(tcp);
	uint8_t *p = o->options + o->option_size;
	if (!count)
		return;
	p[0] = p[1] = 1;
	p[2] = 5;
	p[3] = (uint8_t)(2 + 8 * count);
	for (uint32_t i = 0; i < count; i++) {
		put32(p + 4 + 8 * i, tcp->ranges[i].start);
		put32(p + 8 + 8 * i, tcp->ranges[i].end);
	}
	o->option_size = (uint8_t)(o->option_size + 4 + 8 * count);
}

/* What the peer's MSS leaves for bytes: RFC 6691. */
uint32_t tcp_payload_max(const struct tcp *tcp)
{
	const uint32_t blocks = sack_blocks(tcp);
	const uint32_t options = tcp_option_size(tcp) + (blocks ? 4 + 8 * blocks : 0);
	return tcp->mss > options + 8 ? tcp->mss - options : 8;
}

/* From a connection; an acknowledgement goes with whatever is sent. */
static int send_segment(struct tcp *tcp, uint32_t seq, uint8_t flags, const void *payload,
			uint32_t size)
{
	struct net_stack *stack = tcp->stack;
	struct outgoing o = {
		.mac = tcp->peer_mac,
		.source = tcp->local_address,
		.destination = tcp->peer_address,
		.source_port = tcp->local_port,
		.destination_port = tcp->peer_port,
		.seq = seq,
		.ack = tcp->receive_next,
		.flags = flags,
		.payload = payload,
		.size = size,
	};
	if (tcp->stamps)
		put_stamps(&o, tcp_stamp_now(stack, tcp->stamp_offset),
			   tcp->stamp_recent);
	o.segment_size = tcp_payload_max(tcp);
	if (flags & TCP_ACK)
		put_sack(&o, tcp);
	const uint32_t edge = tcp_window_edge(tcp);
	const uint32_t shift = tcp->scaled ? TCP_SCALE : 0;
	o.window = min32((edge - tcp->receive_next) >> shift, 65535);
	const int rc = transmit(stack, &o);
	if (rc || !(flags & TCP_ACK))
		return rc;
	const uint32_t said = tcp->receive_next + (o.window << shift);
	if (seq_lt(tcp->announced, said))
		tcp->announced = said;
	tcp->last_ack_sent = tcp->receive_next;
	tcp->ack_now = false;
	tcp->ack_ns = 0;
	return 0;
}

int tcp_send_ack(struct tcp *tcp, uint32_t seq)
{
	const int rc = send_segment(tcp, seq, TCP_ACK, NULL, 0);
	if (rc) {
		tcp->ack_now = true;
		tcp_pend(tcp);
	}
	return rc;
}

void tcp_send_reset(struct tcp *tcp)
{
	tcp->stack->counters.tcp_resets_sent++;
	tcp_reset_note(tcp);
	send_segment(tcp, tcp->send_next, TCP_RST | TCP_ACK, NULL, 0);
}

/* To a segment that belongs to nothing: RFC 9293, 3.10.7.1. */
void tcp_reset_answer(struct net_stack *stack, const struct tcp_segment *s)
{
	if (s->flags & TCP_RST || !net_rate_take(stack, &stack->reset_rate, 1000))
		return;
	struct outgoing o = {
		.mac = s->packet->source_mac,
		.source = s->packet->destination,
		.destination = s->packet->source,
		.source_port = s->destination_port,
		.destination_port = s->source_port,
		.flags = TCP_RST,
	};
	if (s->flags & TCP_ACK) {
		o.seq = s->ack;
	} else {
		o.flags |= TCP_ACK;
		o.ack = s->seq + s->size + (s->flags & TCP_SYN ? 1 : 0) +
			(s->flags & TCP_FIN ? 1 : 0);
	}
	stack->counters.tcp_resets_sent++;
	transmit(stack, &o);
}

void tcp_syn_ack(struct net_stack *stack, const struct tcp_segment *syn, uint32_t isn,
		 uint32_t stamp)
{
	struct outgoing o = {
		.mac = syn->packet->source_mac,
		.source = syn->packet->destination,
		.destination = syn->packet->source,
		.source_port = syn->destination_port,
		.destination_port = syn->source_port,
		.seq = isn,
		.ack = syn->seq + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = min32(stack->buffer_limit, 65535),
		.option_size = 4,
		.options = {2, 4},
	};
	put16(o.options + 2, stack->mtu - IP_HEADER - TCP_HEADER);
	if (syn->stamped) {
		put_stamps(&o, stamp, syn->stamp);
		if (syn->sack_permitted) {
			o.options[4] = 4;
			o.options[5] = 2;
		}
		if (syn->scale != 255) {
			uint8_t *p = o.options + o.option_size;
			p[0] = 1;
			p[1] = p[2] = 3;
			p[3] = TCP_SCALE;
			o.option_size += 4;
		}
	}
	transmit(stack, &o);
}

/* The bytes to send next: size of them from seq, with or without FIN. */
struct plan {
	uint32_t seq, size;
	bool fin, again;
};

static bool plan_again(struct tcp *tcp, bool lost_only, struct plan *plan)
{
	struct tcp_range hole;
	if (!tcp_next_hole(tcp, lost_only, &hole))
		return false;
	const uint32_t all = min32(hole.end - hole.start, tcp_payload_max(tcp));
	const uint32_t pipe = tcp_pipe(tcp);
	const uint32_t data_left = tcp_data_end(tcp) - hole.start;
	plan->again = true;
	plan->seq = hole.start;
	plan->size = min32(all, data_left);
	plan->fin = tcp_fin_open(tcp) && plan->size == data_left &&
		    hole.end - hole.start > data_left;
	if (!tcp->retransmit_now && pipe && pipe + all > tcp->cwnd)
		plan->size = 0, plan->fin = false; /* there is something, but not now */
	return true;
}

/* May less than a full segment go out? Nagle (RFC 9293, 3.7.4; only against a small
 * segment that is not yet acknowledged), cork, and the sender's silly window avoidance
 * (3.8.6.2.1). */
static bool small_allowed(const struct tcp *tcp, uint32_t size, uint32_t queued)
{
	if (tcp->push)
		return true;
	if (size < queued) /* the window's doing */
		return size >= tcp->send_window_max / 2;
	if (tcp_fin_open(tcp))
		return true;
	if (tcp->cork || tcp->more)
		return false;
	return tcp->nodelay || !seq_lt(tcp->send_una, tcp->small_end);
}

static bool plan_new(struct tcp *tcp, struct plan *plan)
{
	const uint32_t seq = tcp->send_next, edge = tcp->send_una + tcp->send_window;
	const uint32_t left = tcp_send_end(tcp) - seq;
	const uint32_t window = seq_lt(seq, edge) ? edge - seq : 0;
	const uint32_t pipe = tcp_pipe(tcp);
	const uint32_t room = tcp->cwnd > pipe ? tcp->cwnd - pipe : 0;
	const uint32_t full = tcp_payload_max(tcp);
	if (!left || !window || (tcp->fin_queued && !tcp_fin_open(tcp)))
		return false;
	uint32_t size = min32(min32(left, window), full);
	if (size > room && pipe)
		return false;
	if (size < full && !small_allowed(tcp, size, left))
		return false;
	if (size == full && tcp->stack->features & NETDEV_TSO) {
		const uint32_t most = min32(min32(left, window), min32(room, TSO_MAX));
		if (most > size)
			size = most - most % full;
	}
	const uint32_t data = tcp_data_end(tcp) - seq;
	plan->again = false;
	plan->seq = seq;
	plan->size = min32(size, data);
	plan->fin = tcp_fin_open(tcp) && size > data;
	return true;
}

static bool plan_next(struct tcp *tcp, struct plan *plan)
{
	if (tcp->recovery != TCP_RECOVERY_NONE && plan_again(tcp, true, plan))
		return plan->size || plan->fin;
	if (plan_new(tcp, plan))
		return true;
	return tcp->recovery == TCP_RECOVERY_FAST && plan_again(tcp, false, plan) &&
	       (plan->size || plan->fin);
}

static void note_sent(struct tcp *tcp, const struct plan *plan)
{
	struct net_stack *stack = tcp->stack;
	const uint32_t end = plan->seq + plan->size + (plan->fin ? 1 : 0);
	if (plan->again) {
		tcp->high_retransmit = end;
		tcp->retransmit_now = false;
		tcp->round_timed = false; /* Karn */
		tcp->retransmits++;
		stack->counters.tcp_retransmits++;
	} else {
		if (tcp->send_una == tcp->send_next)
			tcp->stuck_ns = stack->now_ns;
		tcp->send_next = end;
		if (plan->size < tcp_payload_max(tcp))
			tcp->small_end = end;
		if (!tcp->round_timed && tcp->recovery == TCP_RECOVERY_NONE) {
			tcp->round_timed = true;
			tcp->timed_seq = end;
			tcp->timed_ns = stack->now_ns;
		}
	}
	tcp->last_sent_ns = stack->now_ns;
	if (!tcp->rto_ns || tcp->persisting) {
		tcp->persisting = false;
		tcp_arm_retransmit(tcp);
	}
}

static int send_planned(struct tcp *tcp, struct plan *plan)
{
	const void *payload = NULL;
	if (plan->size) {
		uint32_t run;
		payload = tcp_ring_at(&tcp->out, plan->seq, &run);
		if (run <
		    plan->size) { /* one piece each: it is cut where the ring wraps */
			plan->size = run;
			plan->fin = false;
		}
	}
	const bool last = plan->seq + plan->size == tcp_data_end(tcp);
	const uint8_t flags = (uint8_t)(TCP_ACK | (plan->fin ? TCP_FIN : 0) |
					(plan->size && last ? TCP_PSH : 0));
	const int rc = send_segment(tcp, plan->seq, flags, payload, plan->size);
	if (!rc)
		note_sent(tcp, plan);
	return rc;
}

/* Bytes that only the peer's window holds back, and none on the way to open it: ask. */
static void persist_check(struct tcp *tcp)
{
	const uint32_t left = tcp_send_end(tcp) - tcp->send_next;
	if (tcp->send_una != tcp->send_next || !left || tcp->rto_ns)
		return;
	if (tcp->send_window >= left && tcp->send_window)
		return; /* held by cork or Nagle */
	tcp->persisting = true;
	tcp->retries = 0;
	tcp->rto_ns = tcp->stack->now_ns + tcp_backoff_ns(tcp, 0);
}

int tcp_output(struct tcp *tcp)
{
	struct plan plan;
	if (tcp->state == TCP_TIME_WAIT)
		return tcp->ack_now ? tcp_send_ack(tcp, tcp->send_next) : 0;
	/* RFC 5681, 4.1: an idle connection knows the network no longer. */
	const uint64_t idle = tcp->stack->now_ns - tcp->last_sent_ns;
	if (tcp->send_una == tcp->send_next && idle > (uint64_t)tcp->rto_us * 1000)
		tcp->cwnd = min32(tcp->cwnd, tcp_initial_window(tcp));
	while (plan_next(tcp, &plan)) {
		const int rc = send_planned(tcp, &plan);
		if (rc)
			return rc;
	}
	tcp->push = false;
	persist_check(tcp);
	return tcp->ack_now ? tcp_send_ack(tcp, tcp->send_next) : 0;
}

void net_flush(struct net_stack *stack)
{
	net_clock(stack);
	while (stack->pending) {
		struct tcp *tcp = stack->pending;
		if (tcp_output(tcp)) {
			tcp_settle(tcp);
			return; /* the device says when it has room again */
		}
		tcp_unpend(tcp);
		tcp_settle(tcp);
	}
}

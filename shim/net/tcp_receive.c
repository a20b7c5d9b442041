/* tcp_receive.c: bytes in. They go to their place in the ring at once, in order or not;
 * what is out of order is remembered as a few ranges, which are also the SACK blocks.
 * Pure. */
#include "shim/net/tcp_internal.h"

/* RFC 9293, 3.8.6.2.2: the window's edge moves only by a worthwhile step, and never back.
 */
uint32_t tcp_window_edge(const struct tcp *tcp)
{
	const uint32_t held = tcp->receive_next - tcp->read_next;
	/* Without RFC 7323's scale the field ends at 64 KiB. */
	const uint32_t told = 65535u << (tcp->scaled ? TCP_SCALE : 0);
	uint32_t limit = min32(tcp->receive_limit, told);
	if (tcp_memory_tight(tcp->stack))
		limit = min32(limit, max32(tcp->in.size, TCP_RING_MIN));
	const uint32_t edge = tcp->receive_next + (limit > held ? limit - held : 0);
	const uint32_t step = min32(limit / 2, tcp->mss);
	return (int32_t)(edge - tcp->announced) < (int32_t)step ? tcp->announced : edge;
}

/* One past the last byte that the ring holds. */
static uint32_t stored_end(const struct tcp *tcp)
{
	uint32_t end = tcp->receive_next;
	for (uint32_t i = 0; i < tcp->range_count; i++) {
		if (seq_lt(end, tcp->ranges[i].end))
			end = tcp->ranges[i].end;
	}
	return end;
}

static void range_remove(struct tcp *tcp, uint32_t i)
{
	tcp->range_count--;
	memmove(tcp->ranges + i, tcp->ranges + i + 1,
		(tcp->range_count - i) * sizeof(*tcp->ranges));
}

/* Joins it with those that it touches; the result comes first. */
static bool range_add(struct tcp *tcp, struct tcp_range range)
{
	bool joins = false;
	for (uint32_t i = 0; i < tcp->range_count && !joins; i++)
		joins = seq_le(tcp->ranges[i].start, range.end) &&
			seq_le(range.start, tcp->ranges[i].end);
	if (!joins && tcp->range_count == TCP_RANGES_IN)
		return false;
	for (uint32_t i = 0; i < tcp->range_count;) {
		const struct tcp_range r = tcp->ranges[i];
		if (seq_lt(r.end, range.start) || seq_lt(range.end, r.start)) {
			i++;
			continue;
		}
		if (seq_lt(r.start, range.start))
			range.start = r.start;
		if (seq_lt(range.end, r.end))
			range.end = r.end;
		range_remove(tcp, i);
	}
	memmove(tcp->ranges + 1, tcp->ranges, tcp->range_count * sizeof(*tcp->ranges));
	tcp->ranges[0] = range;
	tcp->range_count++;
	return true;
}

static void absorb(struct tcp *tcp)
{
	for (uint32_t i = 0; i < tcp->range_count;) {
		const struct tcp_range r = tcp->ranges[i];
		if (seq_lt(tcp->receive_next, r.start)) {
			i++;
			continue;
		}
		if (seq_lt(tcp->receive_next, r.end))
			tcp->receive_next = r.end;
		range_remove(tcp, i);
		i = 0; /* what was above may follow now */
	}
}

static bool store(struct tcp *tcp, uint32_t seq, const uint8_t *data, uint32_t size)
{
	struct net_stack *stack = tcp->stack;
	const bool in_order = seq == tcp->receive_next;
	const uint32_t need = seq + size - tcp->read_next;
	/* Gaps are the sender's to fill: they get no memory that others may need. */
	if (!in_order && need > tcp->in.size && tcp_memory_tight(stack))
		return false;
	if (!tcp_ring_reserve(stack, &tcp->in, need, tcp->read_next, stored_end(tcp))) {
		stack->counters.tcp_no_memory++;
		return false;
	}
	if (!in_order && !range_add(tcp, (struct tcp_range){seq, seq + size}))
		return false;
	tcp_ring_write(&tcp->in, seq, data, size);
	if (in_order) {
		tcp->receive_next += size;
		absorb(tcp);
	}
	return true;
}

/* RFC 5681, 4.2: at once when anything is odd, else for each second segment or a little
 * later, so that it may go with an answer. */
static void acknowledge(struct tcp *tcp, uint32_t size, bool gaps)
{
	if (size > tcp->receive_mss)
		tcp->receive_mss = (uint16_t)min32(size, 65535);
	if (gaps || tcp->receive_next - tcp->last_ack_sent >= 2u * tcp->receive_mss)
		tcp->ack_now = true;
	else if (!tcp->ack_ns)
		tcp->ack_ns = tcp->stack->now_ns + TCP_DELAYED_ACK;
}

static void take_bytes(struct tcp *tcp, uint32_t seq, const uint8_t *data, uint32_t size,
		       unsigned *events)
{
	const bool gaps = tcp->range_count != 0;
	const uint32_t before = tcp->receive_next;
	if (tcp->read_shut) {
		/* Taken for granted, in order only. */
		if (seq == tcp->receive_next)
			tcp->receive_next = tcp->read_next = seq + size;
	} else if (!store(tcp, seq, data, size)) {
		tcp->ack_now = true;
		return;
	}
	if (tcp->receive_next == before) {
		/* Each one that is out of order is worth a duplicate: the sender counts
		 * them. */
		tcp_send_ack(tcp, tcp->send_next);
		return;
	}
	acknowledge(tcp, size, gaps);
	if (!tcp->read_shut)
		*events |= TCP_READABLE;
}

bool tcp_receive(struct tcp *tcp, const struct tcp_segment *s, unsigned *events)
{
	uint32_t seq = s->seq, size = s->size, skip = 0;
	const uint32_t end = seq + size;
	if (tcp->fin_taken) {
		if (size || s->flags & TCP_FIN)
			tcp->ack_now = true;
		return false;
	}
	if (s->flags & TCP_FIN && !tcp->fin_seen && seq_le(stored_end(tcp), end) &&
	    seq_le(end, tcp->announced)) {
		tcp->fin_seen = true;
		tcp->fin_seq = end;
	}
	uint32_t limit = tcp->announced;
	if (tcp->fin_seen && seq_lt(tcp->fin_seq, limit))
		limit = tcp->fin_seq;
	if (seq_lt(seq, tcp->receive_next)) {
		skip = min32(tcp->receive_next - seq, size);
		tcp->ack_now = true; /* bytes that we had: our acknowledgement was lost */
	}
	seq += skip;
	size -= skip;
	if (size && seq_lt(limit, seq + size)) {
		size = seq_lt(seq, limit) ? limit - seq : 0;
		tcp->ack_now = true;
	}
	if (size)
		take_bytes(tcp, seq, s->data + skip, size, events);
	if (!tcp->fin_seen)
		return false;
	tcp->ack_now = true;
	if (tcp->receive_next != tcp->fin_seq)
		return false;
	tcp->receive_next++;
	tcp->fin_taken = true;
	*events |= TCP_READABLE | TCP_PEER_CLOSED;
	return true;
}

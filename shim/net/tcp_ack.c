/* tcp_ack.c: what an acknowledgement says: bytes that have arrived, the peer's window,
 * the round trip (RFC 6298), and how much the network may carry (RFC 5681, 6928). Pure.
 */
#include "shim/net/tcp_internal.h"

uint32_t tcp_initial_window(const struct tcp *tcp)
{
	const uint32_t mss = tcp->mss; /* RFC 6928 */
	return min32(10 * mss, max32(2 * mss, 14600));
}

/* RFC 6298, 2: in eighths and quarters. */
void tcp_round_trip(struct tcp *tcp, uint64_t sample_us)
{
	const uint32_t sample = sample_us > 60000000 ? 60000000 : (uint32_t)sample_us;
	if (!tcp->rtt_us) {
		tcp->rtt_us = max32(sample, 1);
		tcp->rttvar_us = sample / 2;
	} else {
		const uint32_t off = sample > tcp->rtt_us ? sample - tcp->rtt_us
							  : tcp->rtt_us - sample;
		tcp->rttvar_us = tcp->rttvar_us - tcp->rttvar_us / 4 + off / 4;
		tcp->rtt_us = max32(tcp->rtt_us - tcp->rtt_us / 8 + sample / 8, 1);
	}
	const uint64_t rto = tcp->rtt_us + max32(4 * tcp->rttvar_us, 10000);
	const uint64_t least = TCP_RTO_MIN / 1000, most = TCP_RTO_MAX / 1000;
	tcp->rto_us = (uint32_t)(rto < least ? least : rto > most ? most : rto);
}

static void measure(struct tcp *tcp, const struct tcp_segment *s)
{
	struct net_stack *stack = tcp->stack;
	if (tcp->round_timed) {
		if (seq_lt(s->ack, tcp->timed_seq))
			return;
		tcp->round_timed = false;
		tcp_round_trip(tcp, (stack->now_ns - tcp->timed_ns) / 1000);
	} else if (tcp->stamps && s->stamped) {
		/* After a retransmission only the echo tells which copy arrived. */
		const uint32_t ms = tcp_stamp_now(stack, tcp->stamp_offset) - s->echo;
		if (ms < TCP_RTO_MAX / TCP_MS)
			tcp_round_trip(tcp, ms ? ms * 1000ull : 1000);
	}
}

static void window_input(struct tcp *tcp, const struct tcp_segment *s)
{
	if (!seq_lt(tcp->window_seq, s->seq) &&
	    !(tcp->window_seq == s->seq && seq_le(tcp->window_ack, s->ack)))
		return;
	tcp->window_seq = s->seq;
	tcp->window_ack = s->ack;
	tcp->send_window = (uint32_t)s->window << tcp->peer_scale;
	tcp->send_window_max = max32(tcp->send_window_max, tcp->send_window);
	/* It took the window back, but lives: what is in flight is not to be given up. */
	if (!tcp->send_window && tcp->retries > 8)
		tcp->retries = 8;
	if (tcp->persisting && tcp->send_window) {
		tcp->persisting = false;
		tcp->rto_ns = 0;
		tcp->retries = 0;
	}
}

/* More for each acknowledgement, as long as what we may send is what limits us: RFC 7661.
 */
static void window_grow(struct tcp *tcp, uint32_t acked, uint32_t flight)
{
	const uint32_t mss = tcp->mss;
	const bool slow = tcp->cwnd < tcp->ssthresh;
	const uint32_t used = slow ? 2 * flight : flight + mss;
	if ((tcp->recovery == TCP_RECOVERY_NONE && used < tcp->cwnd) ||
	    tcp->cwnd > 2 * TCP_RING_MAX)
		return;
	if (slow)
		tcp->cwnd +=
			min32(acked, tcp->recovery == TCP_RECOVERY_NONE ? 2 * mss : mss);
	else
		tcp->cwnd += max32(
			(uint32_t)((uint64_t)mss * min32(acked, 2 * mss) / tcp->cwnd), 1);
}

static void recovery_step(struct tcp *tcp, uint32_t acked)
{
	if (!seq_lt(tcp->send_una, tcp->recover)) {
		if (tcp->recovery == TCP_RECOVERY_FAST)
			tcp->cwnd = tcp->ssthresh;
		tcp->recovery = TCP_RECOVERY_NONE;
		tcp->duplicate_acks = 0;
		tcp->retransmit_now = false;
		return;
	}
	if (seq_lt(tcp->high_retransmit, tcp->send_una))
		tcp->high_retransmit = tcp->send_una;
	if (tcp->recovery != TCP_RECOVERY_FAST)
		return;
	if (!tcp->sack) {
		/* A partial acknowledgement shows the next hole: RFC 6582, 3.2. */
		const uint32_t gone = acked / tcp_payload_max(tcp);
		tcp->duplicate_acks -=
			(uint8_t)min32(tcp->duplicate_acks, gone ? gone - 1 : 0);
		tcp->high_retransmit = tcp->send_una;
		tcp->retransmit_now = true;
	}
}

static void recovery_enter(struct tcp *tcp)
{
	const uint32_t flight = tcp->send_next - tcp->send_una;
	tcp->ssthresh = max32(flight / 2, 2u * tcp->mss);
	tcp->cwnd = tcp->ssthresh;
	tcp->recover = tcp->send_next;
	tcp->high_retransmit = tcp->send_una;
	tcp->retransmit_now = true;
	tcp->recovery = TCP_RECOVERY_FAST;
}

/* The timer says that what was sent is gone: RFC 6298, 5.4 to 5.6; RFC 5681, 3.1. */
void tcp_on_timeout(struct tcp *tcp)
{
	const uint32_t flight = tcp->send_next - tcp->send_una;
	if (tcp->recovery != TCP_RECOVERY_LOSS)
		tcp->ssthresh = max32(flight / 2, 2u * tcp->mss);
	tcp->retries++;
	/* A path that swallows large packets and says nothing: RFC 4821 in small. */
	if (tcp->retries == 2 && tcp->mss > TCP_MSS_FALLBACK)
		tcp->mss = TCP_MSS_FALLBACK;
	else if (tcp->retries == 4 && tcp->mss > TCP_MSS_DEFAULT)
		tcp->mss = TCP_MSS_DEFAULT;
	/* A receiver may have dropped what it acknowledged selectively: RFC 2018, 8. */
	if (tcp->retries > 1 ||
	    (tcp->sacked_count && tcp->sacked[0].start == tcp->send_una))
		tcp->sacked_count = 0;
	tcp->cwnd = tcp->mss;
	tcp->recover = tcp->send_next;
	tcp->high_retransmit = tcp->send_una;
	tcp->recovery = TCP_RECOVERY_LOSS;
	tcp->duplicate_acks = 0;
	tcp->retransmit_now = true;
	tcp->round_timed = false;
}

static bool writable(const struct tcp *tcp)
{
	return tcp_state_events(tcp) & TCP_WRITABLE;
}

static bool advance(struct tcp *tcp, const struct tcp_segment *s, unsigned *events)
{
	const uint32_t flight = tcp->send_next - tcp->send_una,
		       acked = s->ack - tcp->send_una;
	const bool was_writable = writable(tcp);
	const bool fin = tcp_fin_open(tcp) && s->ack == tcp_data_end(tcp) + 1;
	measure(tcp, s);
	tcp->queued -= acked - (fin ? 1 : 0);
	tcp->send_una = s->ack;
	tcp->retries = 0;
	tcp->stuck_ns = tcp->stack->now_ns;
	tcp_sack_forget(tcp);
	if (tcp->recovery != TCP_RECOVERY_FAST)
		window_grow(tcp, acked, flight);
	if (tcp->recovery != TCP_RECOVERY_NONE) {
		recovery_step(tcp, acked);
	} else {
		tcp->duplicate_acks = 0;
		/* Not left so far behind that they would seem to lie ahead. */
		if (seq_lt(tcp->recover, tcp->send_una))
			tcp->recover = tcp->send_una - 1;
	}
	if (seq_lt(tcp->small_end, tcp->send_una))
		tcp->small_end = tcp->send_una;
	tcp->rto_ns = 0;
	tcp->persisting = false;
	if (tcp->send_una != tcp->send_next)
		tcp_arm_retransmit(tcp);
	if (!tcp->queued && tcp->out.size)
		tcp->trim_ns = tcp->stack->now_ns + TCP_SECOND;
	if (!tcp->held && tcp->wait_ns && tcp->state != TCP_FIN_WAIT_2 && !tcp->lingers)
		tcp->wait_ns = tcp->stack->now_ns + TCP_WAIT;
	if (tcp->queued < tcp->out.size)
		tcp->starved_ns = 0; /* room without new memory */
	if (writable(tcp) && (!was_writable || tcp->write_blocked)) {
		tcp->write_blocked = false;
		*events |= TCP_WRITABLE;
	}
	return fin;
}

enum tcp_ack tcp_ack_input(struct tcp *tcp, const struct tcp_segment *s, unsigned *events)
{
	const uint32_t window = tcp->send_window;
	bool news = false, fin = false;
	/* RFC 5961, 5.2: neither of the future nor of a distant past. */
	if (seq_lt(tcp->send_next, s->ack) ||
	    seq_lt(s->ack, tcp->send_una - tcp->send_window_max)) {
		tcp_challenge(tcp);
		return TCP_ACK_DROP;
	}
	if (seq_lt(s->ack, tcp->send_una))
		return TCP_ACK_OK;
	if (tcp->sack)
		tcp_sack_input(tcp, s, &news);
	window_input(tcp, s);
	if (s->ack != tcp->send_una) {
		fin = advance(tcp, s, events);
	} else if (tcp->send_next != tcp->send_una &&
		   (news ||
		    (!s->size && !(s->flags & TCP_FIN) && window == tcp->send_window))) {
		if (tcp->duplicate_acks < 255)
			tcp->duplicate_acks++; /* RFC 5681, 2 */
	}
	if (tcp->recovery == TCP_RECOVERY_NONE && tcp->send_next != tcp->send_una &&
	    tcp_loss_seen(tcp))
		recovery_enter(tcp);
	return fin ? TCP_ACK_OF_FIN : TCP_ACK_OK;
}

/* tcp_input.c: segments in: RFC 9293, 3.10.7, hardened by RFC 5961. There is no SYN-SENT
 * and no SYN-RECEIVED: a SYN is answered and forgotten (tcp_cookie.c). Pure. */
#include "shim/net/tcp_internal.h"

#include "shim/lib/errno.h"

enum {
	OPTION_END,
	OPTION_PAD,
	OPTION_MSS,
	OPTION_SCALE,
	OPTION_SACK_PERMITTED,
	OPTION_SACK,
	OPTION_STAMPS = 8
};
#define STAMP_OLD_NS (24ull * 86400 * TCP_SECOND) /* RFC 7323, 5.5 */
#define ANSWER_NS    (100 * TCP_MS)

static void parse_option(struct tcp_segment *s, const uint8_t *p, uint32_t length)
{
	switch (p[0]) {
	case OPTION_MSS:
		if (length == 4)
			s->mss = get16(p + 2);
		break;
	case OPTION_SCALE:
		if (length == 3)
			s->scale = p[2];
		break;
	case OPTION_SACK_PERMITTED:
		s->sack_permitted = length == 2;
		break;
	case OPTION_SACK:
		for (uint32_t at = 2; at + 8 <= length && s->sack_count < 4; at += 8)
			s->sack[s->sack_count++] =
				(struct tcp_range){get32(p + at), get32(p + at + 4)};
		break;
	case OPTION_STAMPS:
		if (length == 10) {
			s->stamped = true;
			s->stamp = get32(p + 2);
			s->echo = get32(p + 6);
		}
		break;
	default:
		break;
	}
}

static bool parse(struct tcp_segment *s, const struct ip_packet *packet)
{
	const uint8_t *p = packet->payload;
	*s = (struct tcp_segment){.packet = packet, .scale = 255};
	if (packet->size < TCP_HEADER)
		return false;
	const uint32_t head = (uint32_t)(p[12] >> 4) * 4;
	if (head < TCP_HEADER || head > packet->size)
		return false;
	s->source_port = get16(p);
	s->destination_port = get16(p + 2);
	s->seq = get32(p + 4);
	s->ack = get32(p + 8);
	s->flags = p[13];
	s->window = get16(p + 14);
	s->data = p + head;
	s->size = packet->size - head;
	for (uint32_t at = TCP_HEADER; at < head && p[at] != OPTION_END;) {
		if (p[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (at + 1 >= head || p[at + 1] < 2 || p[at + 1] > head - at)
			break;
		parse_option(s, p + at, p[at + 1]);
		at += p[at + 1];
	}
	return s->source_port != 0;
}

/* RFC 5961, 7: bounded, and the bound is nobody's measure: it differs each second. */
static bool challenge_allowed(struct net_stack *stack)
{
	const uint64_t second = stack->now_ns / TCP_SECOND;
	const uint32_t most =
		500 + (uint32_t)(siphash(stack->stamp_key, &second, 8) & 511);
	return net_rate_take(stack, &stack->challenge_rate, most);
}

void tcp_challenge(struct tcp *tcp)
{
	struct net_stack *stack = tcp->stack;
	if (!challenge_allowed(stack))
		return;
	stack->counters.tcp_challenges++;
	tcp_send_ack(tcp, tcp->send_next);
}

/* To what is outside of the window; two ends that disagree must not do so for ever. */
static void answer_unacceptable(struct tcp *tcp, const struct tcp_segment *s)
{
	const uint64_t now = tcp->stack->now_ns;
	if (s->flags & TCP_RST)
		return;
	if (!s->size && tcp->answered_ns && now - tcp->answered_ns < ANSWER_NS)
		return;
	tcp->answered_ns = now;
	tcp_send_ack(tcp, tcp->send_next);
}

/* PAWS: RFC 7323, 5.3. */
static bool stamp_good(const struct tcp *tcp, const struct tcp_segment *s)
{
	if (!tcp->stamps || s->flags & TCP_RST)
		return true;
	if (!s->stamped)
		return false;
	return !seq_lt(s->stamp, tcp->stamp_recent) ||
	       tcp->stack->now_ns - tcp->stamp_recent_ns > STAMP_OLD_NS;
}

/* RFC 9293, 3.4: does any of it lie in the window? */
static bool sequence_good(const struct tcp *tcp, const struct tcp_segment *s)
{
	const uint32_t length =
		s->size + (s->flags & TCP_SYN ? 1 : 0) + (s->flags & TCP_FIN ? 1 : 0);
	if (!length || tcp->announced == tcp->receive_next)
		return seq_le(tcp->receive_next, s->seq) &&
		       seq_le(s->seq, tcp->announced);
	return seq_lt(s->seq, tcp->announced) &&
	       seq_lt(tcp->receive_next, s->seq + length);
}

/* The checks before anything is believed; false: done with it. *ended: the connection
 * too. */
static bool admit(struct tcp *tcp, const struct tcp_segment *s, bool *ended)
{
	if (!stamp_good(tcp, s) || !sequence_good(tcp, s)) {
		answer_unacceptable(tcp, s);
		return false;
	}
	if (s->flags & TCP_RST) {
		if (s->seq == tcp->receive_next) {
			*ended = true;
			tcp_end(tcp, tcp->state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
		} else {
			tcp_challenge(tcp); /* RFC 5961, 3.2 */
		}
		return false;
	}
	if (s->flags & TCP_SYN) {
		tcp_challenge(tcp); /* RFC 5961, 4.2 */
		return false;
	}
	return s->flags & TCP_ACK;
}

/* The peer has our FIN. False: that was the end. */
static bool fin_acknowledged(struct tcp *tcp, unsigned *events)
{
	switch (tcp->state) {
	case TCP_FIN_WAIT_1:
		tcp->state = TCP_FIN_WAIT_2;
		if (!tcp->held)
			tcp->wait_ns = tcp->stack->now_ns + TCP_WAIT;
		return true;
	case TCP_CLOSING:
		tcp_enter_wait(tcp);
		*events |= TCP_CLOSED_BOTH;
		return true;
	default: /* LAST-ACK */
		tcp_end(tcp, 0);
		return false;
	}
}

static void fin_received(struct tcp *tcp, unsigned *events)
{
	switch (tcp->state) {
	case TCP_ESTABLISHED:
		tcp->state = TCP_CLOSE_WAIT;
		break;
	case TCP_FIN_WAIT_1:
		tcp->state = TCP_CLOSING;
		break;
	case TCP_FIN_WAIT_2:
		tcp_enter_wait(tcp);
		*events |= TCP_CLOSED_BOTH;
		break;
	default:
		break;
	}
}

/* False: the connection is gone. */
static bool connection_input(struct tcp *tcp, const struct tcp_segment *s,
			     unsigned *events)
{
	struct net_stack *stack = tcp->stack;
	bool ended = false;
	if (!admit(tcp, s, &ended))
		return !ended;
	memcpy(tcp->peer_mac, s->packet->source_mac, 6);
	tcp->last_received_ns = stack->now_ns;
	tcp->probes = 0;
	if (tcp->stamps && s->stamped && seq_le(s->seq, tcp->last_ack_sent)) {
		tcp->stamp_recent = s->stamp;
		tcp->stamp_recent_ns = stack->now_ns;
	}
	switch (tcp_ack_input(tcp, s, events)) {
	case TCP_ACK_DROP:
		return true;
	case TCP_ACK_OF_FIN:
		if (!fin_acknowledged(tcp, events))
			return false;
		break;
	case TCP_ACK_OK:
		break;
	}
	if (!tcp->held && s->size && seq_lt(tcp->receive_next, s->seq + s->size) &&
	    !tcp->fin_taken) {
		/* Nobody will read it, and the peer should know: RFC 2525, 2.17. */
		tcp_send_reset(tcp);
		tcp_end(tcp, 0);
		return false;
	}
	if (tcp_receive(tcp, s, events))
		fin_received(tcp, events);
	if (tcp->keepalive)
		tcp_keep_restart(tcp);
	if (tcp->ack_now || tcp->send_next != tcp_send_end(tcp) ||
	    tcp->recovery != TCP_RECOVERY_NONE)
		tcp_pend(tcp);
	return true;
}

static void listener_input(struct net_stack *stack, struct tcp_listener *listener,
			   const struct tcp_segment *s, uint16_t mss)
{
	unsigned events = 0;
	struct tcp *tcp = tcp_cookie_accept(stack, listener, s, mss);
	if (!tcp)
		return;
	if (!connection_input(tcp, s, &events))
		return;
	tcp_settle(tcp);
	if (listener->ops && listener->ops->acceptable)
		listener->ops->acceptable(listener->user);
}

/* For a connection in TIME-WAIT. A SYN is answered as if there were none; only the
 * segment that proves a handshake takes its place, so a port is free for its owner at any
 * time and for nobody else. True: s was for the old connection. */
static bool wait_input(struct tcp *tcp, const struct tcp_segment *s,
		       const struct tcp_listener *listener)
{
	uint16_t mss;
	bool recent;
	if (s->flags & TCP_RST)
		return true; /* RFC 1337 */
	if (s->flags & TCP_SYN)
		return !listener || s->flags & TCP_ACK;
	if (!(s->flags & TCP_ACK))
		return true;
	if (listener && s->seq != tcp->receive_next &&
	    tcp_cookie_check(tcp->stack, s, &mss, &recent)) {
		tcp_end(tcp, 0);
		return false;
	}
	if (s->flags & TCP_FIN)
		tcp_enter_wait(tcp); /* 2 MSL begin again */
	if (s->flags & TCP_FIN || s->size) {
		tcp->ack_now = true;
		tcp_pend(tcp);
	}
	return true;
}

static void closed_input(struct net_stack *stack, struct tcp_listener *listener,
			 const struct tcp_segment *s)
{
	uint16_t mss;
	bool recent;
	if (!listener) {
		tcp_reset_answer(stack, s);
	} else if (s->flags & TCP_RST) {
		return;
	} else if (s->flags & TCP_ACK) {
		if (!(s->flags & TCP_SYN) && tcp_cookie_check(stack, s, &mss, &recent)) {
			listener_input(stack, listener, s, mss);
			return;
		}
		/* Perhaps bytes have overtaken the segment that proves the handshake: the
		 * peer sends both again. Anything older is of a connection that is no
		 * more. */
		stack->counters.tcp_cookies_bad++;
		if (s->flags & TCP_SYN || !recent || tcp_reset_known(stack, s))
			tcp_reset_answer(stack, s);
	} else if ((s->flags & (TCP_SYN | TCP_FIN)) == TCP_SYN) {
		tcp_cookie_answer(stack, s);
	}
}

void tcp_segment_input(struct net_stack *stack, const struct ip_packet *packet)
{
	struct tcp_segment s;
	if (!parse(&s, packet)) {
		stack->counters.rx_dropped++;
		return;
	}
	struct tcp *tcp = tcp_find(stack, &s);
	struct tcp_listener *listener = NULL;
	if (!tcp || tcp->state == TCP_TIME_WAIT)
		listener =
			tcp_find_listener(stack, packet->destination, s.destination_port);
	if (tcp && tcp->state == TCP_TIME_WAIT && !wait_input(tcp, &s, listener)) {
		tcp = NULL;
		/* Its user was told, who may have closed the listener. */
		listener =
			tcp_find_listener(stack, packet->destination, s.destination_port);
	}
	if (!tcp) {
		closed_input(stack, listener, &s);
		return;
	}
	if (tcp->state == TCP_TIME_WAIT)
		return;
	unsigned events = 0;
	if (!connection_input(tcp, &s, &events))
		return;
	tcp_settle(tcp);
	tcp_tell(tcp, events);
}

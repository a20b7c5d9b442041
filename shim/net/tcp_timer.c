/* tcp_timer.c: deadlines. A connection has several and is in one slot of a wheel of 10 ms
 * steps, that of the earliest; one that has moved away is noticed when its slot comes.
 * Pure. */
#include "shim/net/tcp_internal.h"

#include "shim/lib/errno.h"

#define TICK_NS     (10 * TCP_MS)
#define PERSIST_MAX (60 * TCP_SECOND)

static uint64_t earliest(const struct tcp *tcp)
{
	const uint64_t all[] = {tcp->rto_ns,  tcp->ack_ns,  tcp->keep_ns,   tcp->wait_ns,
				tcp->trim_ns, tcp->cork_ns, tcp->starved_ns};
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i] && all[i] < least)
			least = all[i];
	}
	return least;
}

void tcp_unlink_timer(struct tcp *tcp)
{
	if (!tcp->wheel_link)
		return;
	*tcp->wheel_link = tcp->wheel_next;
	if (tcp->wheel_next)
		tcp->wheel_next->wheel_link = tcp->wheel_link;
	tcp->wheel_link = NULL;
	tcp->stack->wheel_count--;
}

void tcp_settle(struct tcp *tcp)
{
	struct net_stack *stack = tcp->stack;
	const uint64_t deadline = earliest(tcp);
	if (tcp->waiting || tcp->state == TCP_CLOSED || deadline == UINT64_MAX)
		return;
	if (!stack->wheel_count && stack->wheel_tick < stack->now_ns / TICK_NS)
		stack->wheel_tick = stack->now_ns / TICK_NS;
	uint64_t tick = deadline / TICK_NS + 1;
	if (tick <= stack->wheel_tick)
		tick = stack->wheel_tick + 1;
	if (tick > stack->wheel_tick + TCP_WHEEL_SLOTS - 1)
		tick = stack->wheel_tick + TCP_WHEEL_SLOTS - 1;
	if (tcp->wheel_link && tcp->wheel_at <= tick)
		return;
	tcp_unlink_timer(tcp);
	struct tcp **slot = &stack->wheel[tick % TCP_WHEEL_SLOTS];
	tcp->wheel_at = tick;
	tcp->wheel_next = *slot;
	tcp->wheel_link = slot;
	if (*slot)
		(*slot)->wheel_link = &tcp->wheel_next;
	*slot = tcp;
	stack->wheel_count++;
	net_wake_by(stack, tick * TICK_NS);
}

/* The timeout, doubled that often. */
uint64_t tcp_backoff_ns(const struct tcp *tcp, uint32_t times)
{
	const uint64_t wait = (uint64_t)tcp->rto_us * 1000 << min32(times, 12);
	return wait < TCP_RTO_MAX ? wait : TCP_RTO_MAX;
}

void tcp_arm_retransmit(struct tcp *tcp)
{
	tcp->rto_ns = tcp->stack->now_ns + tcp_backoff_ns(tcp, tcp->retries);
}

void tcp_keep_restart(struct tcp *tcp)
{
	tcp->keep_ns = tcp->last_received_ns + tcp->keep_idle_s * TCP_SECOND;
}

/* Has the peer been silent for longer than its user wants? */
static bool given_up(const struct tcp *tcp, uint32_t tries, uint32_t most)
{
	if (tcp->user_timeout_ms)
		return tcp->stack->now_ns - tcp->stuck_ns >=
		       tcp->user_timeout_ms * TCP_MS;
	return tries > most;
}

/* False: the connection is gone. */
static bool retransmit_due(struct tcp *tcp)
{
	if (tcp->persisting) {
		/* Probes are answered as long as the peer lives, and so are sent for ever
		 * (RFC 9293, 3.8.6.1). A number that the peer has had draws the answer.
		 */
		if (tcp->probes && given_up(tcp, tcp->probes, TCP_RETRIES)) {
			tcp_end(tcp, ETIMEDOUT);
			return false;
		}
		tcp->retries = (uint8_t)min32(tcp->retries + 1u, 12);
		tcp->rto_ns = tcp->stack->now_ns + tcp_backoff_ns(tcp, tcp->retries);
		if (tcp->send_window) {
			tcp->push = true;
			tcp->rto_ns = 0;
			tcp->persisting = false;
			tcp_pend(tcp);
		} else {
			if (!tcp->probes++)
				tcp->stuck_ns = tcp->stack->now_ns;
			tcp_send_ack(tcp, tcp->send_una - 1);
		}
		return true;
	}
	if (given_up(tcp, tcp->retries, tcp->held ? TCP_RETRIES : 8)) {
		tcp_end(tcp, ETIMEDOUT);
		return false;
	}
	tcp_on_timeout(tcp);
	tcp_arm_retransmit(tcp);
	tcp_pend(tcp);
	return true;
}

/* RFC 9293, 3.8.4. */
static bool keep_due(struct tcp *tcp)
{
	const uint64_t now = tcp->stack->now_ns;
	const uint64_t idle_ns = tcp->keep_idle_s * TCP_SECOND;
	if (tcp->send_una != tcp->send_next || now - tcp->last_received_ns < idle_ns) {
		tcp->keep_ns = now + idle_ns -
			       (now - tcp->last_received_ns < idle_ns
					? now - tcp->last_received_ns
					: 0);
		return true;
	}
	if (tcp->probes >= tcp->keep_count) {
		tcp_send_reset(tcp);
		tcp_end(tcp, ETIMEDOUT);
		return false;
	}
	tcp->probes++;
	tcp->keep_ns = now + tcp->keep_interval_s * TCP_SECOND;
	tcp_send_ack(tcp, tcp->send_una - 1);
	return true;
}

static void trim(struct tcp *tcp)
{
	tcp->trim_ns = 0;
	if (!tcp->queued)
		tcp_ring_free(tcp->stack, &tcp->out);
	if (tcp_readable(tcp) == 0 && !tcp->range_count)
		tcp_ring_free(tcp->stack, &tcp->in);
}

static bool due(const struct tcp *tcp, uint64_t deadline_ns)
{
	return deadline_ns && deadline_ns <= tcp->stack->now_ns;
}

static void run(struct tcp *tcp)
{
	unsigned events = 0;
	if (due(tcp, tcp->wait_ns)) {
		/* Nobody waits for it, and it does not come to an end. */
		if (tcp->state != TCP_FIN_WAIT_2)
			tcp_send_reset(tcp);
		tcp_end(tcp, ETIMEDOUT);
		return;
	}
	if (due(tcp, tcp->rto_ns) && !retransmit_due(tcp))
		return;
	if (due(tcp, tcp->keep_ns) && !keep_due(tcp))
		return;
	if (due(tcp, tcp->ack_ns)) {
		tcp->ack_ns = 0;
		tcp->ack_now = true;
		tcp_pend(tcp);
	}
	if (due(tcp, tcp->cork_ns)) {
		tcp->cork_ns = 0;
		tcp->push = true;
		tcp_pend(tcp);
	}
	if (due(tcp, tcp->trim_ns))
		trim(tcp);
	if (due(tcp, tcp->starved_ns)) {
		tcp->starved_ns = 0;
		events |= TCP_WRITABLE;
	}
	tcp_settle(tcp);
	tcp_tell(tcp, events);
}

void tcp_timers(struct net_stack *stack)
{
	const uint64_t now = stack->now_ns / TICK_NS;
	tcp_wait_expire(stack);
	if (now > stack->wheel_tick + TCP_WHEEL_SLOTS)
		stack->wheel_tick = now - TCP_WHEEL_SLOTS; /* all slots once */
	while (stack->wheel_tick < now && stack->wheel_count) {
		struct tcp *tcp;
		stack->wheel_tick++;
		while ((tcp = stack->wheel[stack->wheel_tick % TCP_WHEEL_SLOTS])) {
			tcp_unlink_timer(tcp);
			if (earliest(tcp) <= stack->now_ns)
				run(tcp);
			else
				tcp_settle(tcp);
		}
	}
	if (stack->wheel_tick < now)
		stack->wheel_tick = now;
	for (uint64_t tick = stack->wheel_tick + 1;
	     stack->wheel_count && tick <= stack->wheel_tick + TCP_WHEEL_SLOTS; tick++) {
		if (!stack->wheel[tick % TCP_WHEEL_SLOTS])
			continue;
		net_wake_by(stack, tick * TICK_NS);
		break;
	}
}

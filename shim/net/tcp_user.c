/* tcp_user.c: tcp.h. Calls of users send nothing themselves: they leave the connection
 * among those that net_flush serves. Pure. */
#include "shim/net/tcp_internal.h"

#include "shim/lib/errno.h"

#define CORK_NS    (200 * TCP_MS) /* as Linux */
#define STARVED_NS (100 * TCP_MS)

int tcp_listen(struct net_stack *stack, struct tcp_endpoint local, uint32_t backlog,
	       const struct tcp_user_ops *ops, void *user, struct tcp_listener **out)
{
	for (const struct tcp_listener *l = stack->listeners; l; l = l->next) {
		if (l->local.port == local.port && (!l->local.address || !local.address ||
						    l->local.address == local.address))
			return -EADDRINUSE;
	}
	struct tcp_listener *l = net_allocate(stack, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct tcp_listener){.stack = stack,
				   .next = stack->listeners,
				   .local = local,
				   .backlog = backlog ? backlog : 1,
				   .ops = ops,
				   .user = user};
	stack->listeners = l;
	*out = l;
	stack->early.over = true;
	early_release(stack);
	return 0;
}

void tcp_backlog_set(struct tcp_listener *listener, uint32_t backlog)
{
	listener->backlog = backlog ? backlog : 1;
}

void tcp_unlisten(struct tcp_listener *listener)
{
	struct net_stack *stack = listener->stack;
	while (listener->first) {
		tcp_send_reset(listener->first);
		tcp_end(listener->first, 0);
	}
	struct tcp_listener **at = &stack->listeners;
	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	net_release(stack, listener, sizeof(*listener));
}

bool tcp_acceptable(const struct tcp_listener *listener)
{
	return listener->first;
}

struct tcp *tcp_accept(struct tcp_listener *listener, const struct tcp_user_ops *ops,
		       void *user)
{
	struct tcp *tcp = listener->first;
	if (!tcp)
		return NULL;
	tcp_queue_remove(tcp);
	tcp_user_set(tcp, ops, user);
	return tcp;
}

void tcp_user_set(struct tcp *tcp, const struct tcp_user_ops *ops, void *user)
{
	tcp->ops = ops;
	tcp->user = user;
}

size_t tcp_readable(const struct tcp *tcp)
{
	return tcp->receive_next - tcp->read_next - (tcp->fin_taken ? 1 : 0);
}

const void *tcp_read_peek(struct tcp *tcp, size_t *run)
{
	const size_t all = tcp_readable(tcp);
	uint32_t piece;
	*run = 0;
	if (!all)
		return NULL;
	const void *at = tcp_ring_at(&tcp->in, tcp->read_next, &piece);
	*run = piece < all ? piece : all;
	return at;
}

void tcp_read_done(struct tcp *tcp, size_t size)
{
	const size_t all = tcp_readable(tcp);
	tcp->read_next += (uint32_t)(size < all ? size : all);
	if (tcp->state == TCP_CLOSED || tcp->state == TCP_TIME_WAIT) {
		if (!tcp_readable(tcp))
			tcp_ring_free(tcp->stack, &tcp->in);
		return;
	}
	/* A window that has opened by a worthwhile step is news; what fits beside an
	 * answer need not be told before it. */
	const uint32_t edge = tcp_window_edge(tcp),
		       left = tcp->announced - tcp->receive_next;
	const uint32_t step = min32(2u * tcp->receive_mss, tcp->receive_limit / 2);
	if (!tcp->fin_taken && edge - tcp->announced >= max32(step, left)) {
		tcp->ack_now = true;
		tcp_pend(tcp);
	}
	if (!tcp_readable(tcp) && tcp->in.size && !tcp->trim_ns) {
		tcp->trim_ns = tcp->stack->now_ns + TCP_SECOND;
		tcp_settle(tcp);
	}
}

static bool may_write(const struct tcp *tcp)
{
	return !tcp->fin_queued &&
	       (tcp->state == TCP_ESTABLISHED || tcp->state == TCP_CLOSE_WAIT);
}

void *tcp_write_space(struct tcp *tcp, size_t *room)
{
	struct tcp_ring *ring = &tcp->out;
	uint32_t run;
	*room = 0;
	if (!may_write(tcp))
		return NULL;
	if (tcp->queued >= tcp->send_limit) {
		tcp->write_blocked = true;
		return NULL;
	}
	const uint32_t need = tcp->queued < ring->size ? ring->size : 2 * ring->size;
	if (!tcp_ring_reserve(tcp->stack, ring, need ? need : TCP_RING_MIN, tcp->send_una,
			      tcp_data_end(tcp))) {
		/* No memory: what is queued makes room as it leaves, or others do. */
		tcp->write_blocked = true;
		tcp->starved_ns = tcp->stack->now_ns + STARVED_NS;
		tcp_settle(tcp);
		return NULL;
	}
	void *at = tcp_ring_at(ring, tcp_data_end(tcp), &run);
	*room = min32(min32(run, ring->size - tcp->queued),
		      tcp->send_limit - tcp->queued);
	return at;
}

void tcp_write_done(struct tcp *tcp, size_t size, bool more)
{
	tcp->queued += (uint32_t)size;
	tcp->more = more;
	if ((more || tcp->cork) && !tcp->cork_ns)
		tcp->cork_ns = tcp->stack->now_ns + CORK_NS;
	else if (!more && !tcp->cork)
		tcp->cork_ns = 0;
	tcp_pend(tcp);
}

size_t tcp_unsent(const struct tcp *tcp)
{
	return tcp->queued;
}

unsigned tcp_state_events(const struct tcp *tcp)
{
	unsigned events = tcp_readable(tcp) ? TCP_READABLE : 0;
	if (tcp->error)
		events |= TCP_FAILED;
	if (tcp->fin_taken || tcp->read_shut || tcp->state == TCP_CLOSED)
		events |= TCP_PEER_CLOSED;
	if (tcp->state == TCP_CLOSED || tcp->state == TCP_TIME_WAIT ||
	    tcp->state == TCP_CLOSING || tcp->state == TCP_LAST_ACK ||
	    (tcp->read_shut && tcp->fin_queued))
		events |= TCP_CLOSED_BOTH;
	if (!may_write(tcp) ||
	    (!tcp->starved_ns && tcp->queued <= tcp->send_limit - tcp->send_limit / 3))
		events |= TCP_WRITABLE; /* a write would not wait, if only to fail */
	return events;
}

int tcp_error_take(struct tcp *tcp)
{
	const int error = tcp->error;
	tcp->error = 0;
	return error;
}

static void write_shut(struct tcp *tcp)
{
	if (!may_write(tcp))
		return;
	tcp->fin_queued = true;
	tcp->state = tcp->state == TCP_ESTABLISHED ? TCP_FIN_WAIT_1 : TCP_LAST_ACK;
	tcp->more = false;
	tcp->cork_ns = 0;
	tcp_pend(tcp);
}

static void read_discard(struct tcp *tcp)
{
	tcp->read_shut = true;
	tcp->range_count = 0;
	tcp_read_done(tcp, tcp_readable(tcp));
}

int tcp_shutdown(struct tcp *tcp, bool read, bool write)
{
	if (tcp->state == TCP_CLOSED)
		return -ENOTCONN;
	if (write)
		write_shut(tcp);
	if (read)
		read_discard(tcp);
	return 0;
}

void tcp_release(struct tcp *tcp, int linger_s)
{
	struct net_stack *stack = tcp->stack;
	tcp->held = false;
	tcp->ops = NULL;
	if (tcp->state == TCP_CLOSED) {
		tcp_free(tcp);
		return;
	}
	if (tcp->state == TCP_TIME_WAIT) {
		tcp_ring_free(stack, &tcp->in);
		return;
	}
	if (linger_s == 0 || tcp_readable(tcp)) {
		tcp_send_reset(tcp);
		tcp_end(tcp, 0);
		return;
	}
	write_shut(tcp);
	tcp->keep_ns = 0;
	tcp->keepalive = false;
	tcp->lingers = linger_s > 0;
	const uint64_t wait = linger_s > 0 ? (uint32_t)linger_s * TCP_SECOND : TCP_WAIT;
	tcp->wait_ns = stack->now_ns + wait;
	tcp_settle(tcp);
}

static int set_limit(struct tcp *tcp, uint32_t *limit, uint32_t value)
{
	const uint64_t most = tcp->stack->memory_limit / 4;
	uint32_t size = value < TCP_RING_MIN ? TCP_RING_MIN : min32(value, TCP_RING_MAX);
	if (size > most)
		size = (uint32_t)most;
	*limit = size;
	return 0;
}

static int set_number(uint32_t *to, uint32_t value, uint32_t most)
{
	if (!value || value > most)
		return -EINVAL;
	*to = value;
	return 0;
}

int tcp_option_set(struct tcp *tcp, enum tcp_option option, uint32_t value)
{
	int rc = 0;
	switch (option) {
	case TCP_OPTION_NODELAY:
		tcp->nodelay = value;
		break;
	case TCP_OPTION_CORK:
		tcp->cork = value;
		if (!value)
			tcp->cork_ns = 0, tcp->more = false;
		break;
	case TCP_OPTION_KEEPALIVE:
		tcp->keepalive = value;
		break;
	case TCP_OPTION_KEEP_IDLE_S:
		rc = set_number(&tcp->keep_idle_s, value, 32767);
		break;
	case TCP_OPTION_KEEP_INTERVAL_S:
		rc = set_number(&tcp->keep_interval_s, value, 32767);
		break;
	case TCP_OPTION_KEEP_COUNT:
		rc = set_number(&tcp->keep_count, value, 127);
		break;
	case TCP_OPTION_USER_TIMEOUT_MS:
		tcp->user_timeout_ms = value;
		break;
	case TCP_OPTION_SEND_BUFFER:
		rc = set_limit(tcp, &tcp->send_limit, value);
		break;
	case TCP_OPTION_RECEIVE_BUFFER:
		rc = set_limit(tcp, &tcp->receive_limit, value);
		break;
	case TCP_OPTION_MSS:
		if (value < 88 || value > 32767)
			return -EINVAL;
		tcp->mss = (uint16_t)min32(value, tcp->mss);
		break;
	}
	if (rc || tcp->state == TCP_CLOSED || tcp->state == TCP_TIME_WAIT)
		return rc;
	tcp->keep_ns = 0;
	if (tcp->keepalive)
		tcp_keep_restart(tcp);
	tcp_settle(tcp);
	tcp_pend(tcp); /* NODELAY and CORK may let something go */
	return 0;
}

uint32_t tcp_option_get(const struct tcp *tcp, enum tcp_option option)
{
	switch (option) {
	case TCP_OPTION_NODELAY:
		return tcp->nodelay;
	case TCP_OPTION_CORK:
		return tcp->cork;
	case TCP_OPTION_KEEPALIVE:
		return tcp->keepalive;
	case TCP_OPTION_KEEP_IDLE_S:
		return tcp->keep_idle_s;
	case TCP_OPTION_KEEP_INTERVAL_S:
		return tcp->keep_interval_s;
	case TCP_OPTION_KEEP_COUNT:
		return tcp->keep_count;
	case TCP_OPTION_USER_TIMEOUT_MS:
		return tcp->user_timeout_ms;
	case TCP_OPTION_SEND_BUFFER:
		return tcp->send_limit;
	case TCP_OPTION_RECEIVE_BUFFER:
		return tcp->receive_limit;
	case TCP_OPTION_MSS:
		return tcp->mss;
	}
	return 0;
}

struct tcp_endpoint tcp_local(const struct tcp *tcp)
{
	return (struct tcp_endpoint){tcp->local_address, tcp->local_port};
}

struct tcp_endpoint tcp_peer(const struct tcp *tcp)
{
	return (struct tcp_endpoint){tcp->peer_address, tcp->peer_port};
}

struct tcp_status tcp_status(const struct tcp *tcp)
{
	return (struct tcp_status){
		.state = tcp->state,
		.rtt_us = tcp->rtt_us,
		.rttvar_us = tcp->rttvar_us,
		.rto_us = tcp->rto_us,
		.mss = tcp_payload_max(tcp),
		.window_bytes = tcp->send_window,
		.congestion_bytes = tcp->cwnd,
		.retransmits = tcp->retransmits,
	};
}

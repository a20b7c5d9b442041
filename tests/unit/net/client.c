/* client.c: see client.h. */
#include "tests/unit/net/client.h"

#define TIMEOUT (250 * MS)

struct parcel {
	struct parcel *next;
	uint64_t at_ns;
	bool to_stack;
	size_t size;
	uint8_t bytes[];
};

uint8_t stream_byte(uint64_t key, size_t at)
{
	const uint64_t x = (at >> 3) * 0x9e3779b97f4a7c15u + key;
	return (uint8_t)((x ^ x >> 29) >> (at & 7) * 8);
}

static unsigned chance(struct link *link, unsigned below)
{
	link->random_state =
		link->random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((link->random_state >> 33) % below);
}

static void put(struct link *link, bool to_stack, const uint8_t *bytes, size_t size)
{
	if ((link->large && size > link->large) ||
	    chance(link, 1000) < link->loss_permille) {
		link->dropped++;
		return;
	}
	const unsigned copies = chance(link, 1000) < link->duplicate_permille ? 2 : 1;
	for (unsigned i = 0; i < copies; i++) {
		struct parcel *p = malloc(sizeof(*p) + size);
		p->at_ns = link->lan->now_ns + link->delay_ns;
		if (chance(link, 1000) < link->reorder_permille)
			p->at_ns += link->jitter_ns * chance(link, 1000) / 1000;
		p->to_stack = to_stack;
		p->size = size;
		memcpy(p->bytes, bytes, size);
		struct parcel **at = &link->parcels;
		while (*at && (*at)->at_ns <= p->at_ns)
			at = &(*at)->next;
		p->next = *at;
		*at = p;
	}
}

static unsigned blocks(const struct client *c, uint32_t out[4][2])
{
	unsigned count = 0;
	for (size_t at = c->receive_next - c->irs - 1; at < c->top && count < 3; at++) {
		if (!c->have[at])
			continue;
		out[count][0] = c->irs + 1 + (uint32_t)at;
		while (at < c->top && c->have[at])
			at++;
		out[count++][1] = c->irs + 1 + (uint32_t)at;
	}
	return count;
}

static void emit(struct client *c, struct link *link, uint8_t flags, uint32_t seq,
		 size_t size)
{
	uint8_t data[1460], frame[2048];
	const size_t first = seq - c->iss - 1;
	for (size_t i = 0; i < size; i++)
		data[i] = stream_byte(c->key, first + i);
	const size_t unread = c->receive_next - c->irs - 1 - c->read;
	const size_t window = c->buffer > unread ? c->buffer - unread : 0;
	struct lan_segment s = {
		.source = LAN_CLIENT,
		.destination = LAN_SERVER,
		.source_port = c->port,
		.destination_port = LAN_PORT,
		.seq = seq,
		.ack = c->receive_next,
		.flags = flags,
		.stamped = c->stamps,
		.stamp = (uint32_t)(c->lan->now_ns / MS),
		.echo = c->echo,
		.data = data,
		.size = size,
	};
	if (flags & SYN) {
		s.ack = 0;
		s.mss = c->mss;
		s.scaled = c->stamps;
		s.scale = 4;
		s.sack_permitted = c->sack;
		s.window = 65535;
	} else {
		const size_t wire = c->stamps ? window >> 4 : window;
		s.window = (uint16_t)(wire > 65535 ? 65535 : wire);
		if (c->sack && c->established)
			s.sack_count = (uint8_t)blocks(c, s.sack);
	}
	put(link, true, frame, lan_build(frame, &s));
}

/* As much as windows allow, from next on. */
static void pump(struct client *c, struct link *link)
{
	const uint32_t end = c->iss + 1 + (uint32_t)c->send_total;
	const uint32_t window = c->peer_window < c->cwnd ? c->peer_window : c->cwnd;
	while (c->established && !c->failed && seq_lt(c->next, end + 1)) {
		const uint32_t room = c->una + window - c->next;
		if ((int32_t)room <= 0)
			break;
		if (c->next == end) {
			emit(c, link, FIN | ACK, c->next++, 0);
			c->fin_sent = true;
		} else {
			const uint32_t mss = c->mss - (c->stamps ? 12u : 0);
			uint32_t size = end - c->next < mss ? end - c->next : mss;
			size = size < room ? size : room;
			emit(c, link, ACK | PSH, c->next, size);
			c->next += size;
		}
		if (seq_lt(c->most, c->next))
			c->most = c->next;
		if (!c->timer_ns)
			c->timer_ns = c->lan->now_ns + TIMEOUT;
	}
	if (c->established && !c->peer_window && c->una == c->next && !c->timer_ns &&
	    c->next != end + 1)
		c->timer_ns = c->lan->now_ns + TIMEOUT;
}

void client_open(struct client *c, struct link *link, uint16_t port, size_t send_total,
		 size_t receive_total)
{
	const bool sack = c->sack, stamps = c->stamps;
	const size_t buffer = c->buffer;
	*c = (struct client){.lan = link->lan,
			     .port = port,
			     .mss = 1460,
			     .sack = sack,
			     .stamps = stamps,
			     .buffer = buffer ? buffer : 60000,
			     .iss = 0xfffff000u + port,
			     .key = port,
			     .send_total = send_total,
			     .receive_total = receive_total,
			     .cwnd = 14600};
	c->received = calloc(1, receive_total + 1);
	c->have = calloc(1, receive_total + 1);
	c->una = c->next = c->most = c->iss;
	link->client = c;
	emit(c, link, SYN, c->iss, 0);
	c->timer_ns = c->lan->now_ns + TIMEOUT;
}

void client_close(struct client *c)
{
	free(c->received);
	free(c->have);
}

static void timeout(struct client *c, struct link *link)
{
	c->timer_ns = c->lan->now_ns + (TIMEOUT << (c->tries < 5 ? c->tries : 5));
	if (++c->tries > 40)
		c->failed = true;
	if (!c->established) {
		emit(c, link, SYN, c->iss, 0);
		return;
	}
	if (!c->peer_window && c->una == c->next &&
	    c->una != c->iss + 1 + c->send_total) {
		emit(c, link, ACK, c->una, 1); /* a window probe of one byte */
		return;
	}
	if (c->una == c->most) {
		c->timer_ns = 0;
		return;
	}
	c->next = c->una;
	c->cwnd = c->mss;
	pump(c, link);
}

static void take_ack(struct client *c, struct link *link, const struct lan_segment *s)
{
	const uint32_t window = (uint32_t)s->window << (c->stamps ? c->scale : 0);
	assert_true(seq_le(s->ack, c->most));
	if (seq_lt(s->ack, c->una))
		return;
	if (s->ack != c->una) {
		c->cwnd = c->cwnd + (s->ack - c->una) < 1000000
				  ? c->cwnd + (s->ack - c->una)
				  : 1000000;
		c->una = s->ack;
		if (seq_lt(c->next, c->una))
			c->next = c->una;
		c->dup = 0;
		c->tries = 0;
		c->timer_ns = c->una == c->most ? 0 : c->lan->now_ns + TIMEOUT;
	} else if (c->una != c->most && !s->size && window == c->peer_window &&
		   ++c->dup == 3) {
		const uint32_t next = c->next;
		c->next = c->una;
		c->cwnd = c->cwnd / 2 > 2920 ? c->cwnd / 2 : 2920;
		const uint32_t cwnd = c->cwnd;
		c->cwnd = c->mss;
		pump(c, link); /* the first alone */
		c->cwnd = cwnd;
		c->next = seq_lt(c->next, next) ? next : c->next;
	}
	if (c->peer_window == 0 && window)
		c->timer_ns = c->una == c->most ? 0 : c->lan->now_ns + TIMEOUT;
	c->peer_window = window;
	c->fin_acked = c->fin_sent && c->una == c->iss + 2 + (uint32_t)c->send_total;
}

static void take_data(struct client *c, struct link *link, const struct lan_segment *s)
{
	const size_t at = s->seq - c->irs - 1;
	for (size_t i = 0; i < s->size; i++) {
		if (seq_lt(s->seq + (uint32_t)i, c->receive_next))
			continue;
		assert_true(at + i < c->receive_total);
		c->received[at + i] = ((const uint8_t *)s->data)[i];
		c->have[at + i] = 1;
		if (c->top <= at + i)
			c->top = at + i + 1;
	}
	size_t done = c->receive_next - c->irs - 1;
	while (!c->fin_received && done < c->receive_total && c->have[done])
		done++;
	if (!c->fin_received)
		c->receive_next = c->irs + 1 + (uint32_t)done;
	if (s->flags & FIN && s->seq + s->size == c->receive_next && !c->fin_received) {
		assert_int_equal(done, c->receive_total);
		c->receive_next++;
		c->fin_received = true;
	}
	if (s->size || s->flags & FIN || seq_lt(s->seq, c->receive_next))
		emit(c, link, ACK, c->next, 0);
}

static void client_input(struct client *c, struct link *link, const struct lan_frame *f)
{
	struct lan_segment s;
	if (!lan_parse(f, &s) || s.destination_port != c->port)
		return;
	if (s.flags & RST) {
		c->failed = true;
		return;
	}
	if (s.flags & SYN) {
		if (!c->established) {
			c->irs = s.seq;
			c->receive_next = s.seq + 1;
			c->una = c->next = c->most = s.ack;
			c->scale = s.scale;
			c->stamps = s.stamped;
			c->peer_window = s.window;
			c->established = true;
			c->timer_ns = 0;
			c->tries = 0;
		}
		c->echo = s.stamp;
		emit(c, link, ACK, c->next, 0);
		pump(c, link);
		return;
	}
	if (!c->established)
		return;
	if (seq_le(s.seq, c->receive_next))
		c->echo = s.stamp;
	take_ack(c, link, &s);
	take_data(c, link, &s);
	pump(c, link);
}

static void deliver(struct link *link, struct parcel *p)
{
	if (p->to_stack) {
		net_input(&link->lan->stack, p->bytes, p->size, false);
		net_flush(&link->lan->stack);
		return;
	}
	struct lan_frame *f = malloc(sizeof(*f) + p->size);
	*f = (struct lan_frame){.size = p->size};
	memcpy(f->bytes, p->bytes, p->size);
	client_input(link->client, link, f);
	free(f);
}

void link_close(struct link *link)
{
	while (link->parcels) {
		struct parcel *p = link->parcels;
		link->parcels = p->next;
		free(p);
	}
}

static void collect(struct link *link)
{
	for (struct lan_frame *f; (f = lan_take(link->lan)); free(f))
		put(link, false, f->bytes, f->size);
}

bool link_step(struct link *link)
{
	struct lan *lan = link->lan;
	struct client *c = link->client;
	collect(link); /* what users of the stack have sent since */
	uint64_t at = lan->wake_ns;
	if (c->timer_ns && c->timer_ns < at)
		at = c->timer_ns;
	if (link->parcels && link->parcels->at_ns < at)
		at = link->parcels->at_ns;
	if (at == UINT64_MAX)
		return false;
	if (at > lan->now_ns)
		lan->now_ns = at;
	if (link->parcels && link->parcels->at_ns <= at) {
		struct parcel *p = link->parcels;
		link->parcels = p->next;
		deliver(link, p);
		free(p);
	}
	if (lan->wake_ns <= at)
		lan_wait(lan, 0);
	if (c->timer_ns && c->timer_ns <= at)
		timeout(c, link);
	collect(link);
	return true;
}

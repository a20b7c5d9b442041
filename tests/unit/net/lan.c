/* lan.c: see lan.h. */
#include "tests/unit/net/lan.h"

static const uint8_t server_mac[6] = {2, 0, 0, 0, 0, 2},
		     client_mac[6] = {2, 0, 0, 0, 0, 1};

static uint64_t now_ns(void *context)
{
	return ((struct lan *)context)->now_ns;
}

static int transmit(void *context, const struct netdev_frame *frame)
{
	struct lan *lan = context;
	if (lan->transmit_full)
		return -105; /* ENOBUFS */
	lan->sent++;
	if (lan->discard)
		return 0;
	const size_t size = frame->header_size + frame->payload_size;
	struct lan_frame *f = malloc(sizeof(*f) + size);
	f->next = NULL;
	f->size = size;
	f->checksum_left = frame->checksum;
	f->segment_size = frame->segment_size;
	memcpy(f->bytes, frame->header, frame->header_size);
	if (frame->payload_size)
		memcpy(f->bytes + frame->header_size, frame->payload,
		       frame->payload_size);
	if (frame->checksum) {
		uint8_t *at = f->bytes + frame->checksum_start;
		const uint64_t sum = checksum_add(0, at, size - frame->checksum_start);
		put16(at + frame->checksum_offset, (uint16_t)~checksum_fold(sum));
	}
	*(lan->last ? &lan->last->next : &lan->first) = f;
	lan->last = f;
	return 0;
}

static void *allocate(void *context, size_t size)
{
	struct lan *lan = context;
	if (lan->allocate_fails)
		return NULL;
	lan->allocations++;
	void *memory = malloc(size);
	memset(memory, 0xa5, size);
	return memory;
}

static void release(void *context, void *memory)
{
	((struct lan *)context)->allocations--;
	free(memory);
}

static void random_bytes(void *context, void *out, size_t size)
{
	struct lan *lan = context;
	for (size_t i = 0; i < size; i++) {
		lan->random_state =
			lan->random_state * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)out)[i] = (uint8_t)(lan->random_state >> 56);
	}
}

static void wake_at(void *context, uint64_t deadline_ns)
{
	((struct lan *)context)->wake_ns = deadline_ns;
}

static void address(void *context)
{
	((struct lan *)context)->address_changes++;
}

static const struct net_env env = {
	.now_ns = now_ns,
	.transmit = transmit,
	.allocate = allocate,
	.release = release,
	.random = random_bytes,
	.wake_at = wake_at,
	.address = address,
};

void lan_open(struct lan *lan, uint32_t features, uint64_t memory_limit)
{
	memset(lan, 0, sizeof(*lan));
	lan->now_ns = 1000 * SECOND;
	lan->wake_ns = UINT64_MAX;
	lan->random_state = 42;
	assert_int_equal(net_stack_init(&lan->stack, &env, lan, server_mac, 1500,
					features, memory_limit),
			 0);
	net_address_set(&lan->stack, LAN_SERVER, 0xffffff00, LAN_CLIENT);
	lan_drop_all(lan);
}

void lan_close(struct lan *lan)
{
	if (lan->listener)
		tcp_unlisten(lan->listener);
	net_stack_destroy(&lan->stack);
	lan_drop_all(lan);
	assert_int_equal(lan->allocations, 0);
	assert_int_equal(lan->stack.memory_used, 0);
	assert_int_equal(lan->stack.connection_count, 0);
	assert_int_equal(lan->stack.wheel_count, 0);
	assert_null(lan->stack.pending);
}

static void on_acceptable(void *user)
{
	((struct lan *)user)->acceptable++;
}

static void on_event(void *user, unsigned events)
{
	((struct lan *)user)->events |= events;
}

static const struct tcp_user_ops user_ops = {.acceptable = on_acceptable,
					     .event = on_event};

void lan_listen(struct lan *lan, uint32_t backlog)
{
	const struct tcp_endpoint any = {0, LAN_PORT};
	assert_int_equal(
		tcp_listen(&lan->stack, any, backlog, &user_ops, lan, &lan->listener), 0);
}

struct tcp *lan_accept(struct lan *lan)
{
	return tcp_accept(lan->listener, &user_ops, lan);
}

void lan_wait(struct lan *lan, uint64_t ns)
{
	const uint64_t end = lan->now_ns + ns;
	while (lan->wake_ns <= end) {
		if (lan->wake_ns > lan->now_ns)
			lan->now_ns = lan->wake_ns;
		lan->wake_ns = UINT64_MAX;
		net_timers(&lan->stack);
	}
	lan->now_ns = end;
}

struct lan_frame *lan_take(struct lan *lan)
{
	struct lan_frame *f = lan->first;
	if (f) {
		lan->first = f->next;
		if (!lan->first)
			lan->last = NULL;
	}
	return f;
}

void lan_drop_all(struct lan *lan)
{
	for (struct lan_frame *f; (f = lan_take(lan));)
		free(f);
}

static void parse_options(struct lan_segment *out, const uint8_t *p, size_t size)
{
	for (size_t at = 0; at < size && p[at];) {
		if (p[at] == 1) {
			at++;
			continue;
		}
		assert_true(at + 1 < size && p[at + 1] >= 2 && at + p[at + 1] <= size);
		switch (p[at]) {
		case 2:
			out->mss = get16(p + at + 2);
			break;
		case 3:
			out->scaled = true;
			out->scale = p[at + 2];
			break;
		case 4:
			out->sack_permitted = true;
			break;
		case 5:
			for (size_t b = 2; b + 8 <= p[at + 1]; b += 8) {
				out->sack[out->sack_count][0] = get32(p + at + b);
				out->sack[out->sack_count++][1] = get32(p + at + b + 4);
			}
			break;
		case 8:
			out->stamped = true;
			out->stamp = get32(p + at + 2);
			out->echo = get32(p + at + 6);
			break;
		default:
			fail_msg("option %u", p[at]);
		}
		at += p[at + 1];
	}
}

bool lan_parse(const struct lan_frame *frame, struct lan_segment *out)
{
	const uint8_t *ip = frame->bytes + ETH_HEADER, *tcp = ip + IP_HEADER;
	memset(out, 0, sizeof(*out));
	if (get16(frame->bytes + 12) != ETH_IPV4 || ip[9] != 6)
		return false;
	assert_int_equal(get16(ip + 2), frame->size - ETH_HEADER);
	assert_int_equal(checksum_fold(checksum_add(0, ip, IP_HEADER)), 0xffff);
	out->source = get32(ip + 12);
	out->destination = get32(ip + 16);
	const uint32_t size = (uint32_t)(frame->size - ETH_HEADER - IP_HEADER);
	const uint64_t pseudo = checksum_pseudo(out->source, out->destination, 6, size);
	assert_int_equal(checksum_fold(checksum_add(pseudo, tcp, size)), 0xffff);
	out->source_port = get16(tcp);
	out->destination_port = get16(tcp + 2);
	out->seq = get32(tcp + 4);
	out->ack = get32(tcp + 8);
	out->flags = tcp[13];
	out->window = get16(tcp + 14);
	const size_t head = (size_t)(tcp[12] >> 4) * 4;
	parse_options(out, tcp + 20, head - 20);
	out->data = tcp + head;
	out->size = size - head;
	return true;
}

static uint8_t *put_options(uint8_t *p, const struct lan_segment *s)
{
	if (s->mss) {
		*p++ = 2;
		*p++ = 4;
		put16(p, s->mss);
		p += 2;
	}
	if (s->sack_permitted) {
		memcpy(p, "\1\1\4\2", 4);
		p += 4;
	}
	if (s->scaled) {
		memcpy(p, "\1\3\3", 3);
		p[3] = s->scale;
		p += 4;
	}
	if (s->stamped) {
		memcpy(p, "\1\1\10\12", 4);
		put32(p + 4, s->stamp);
		put32(p + 8, s->echo);
		p += 12;
	}
	if (s->sack_count) {
		memcpy(p, "\1\1\5", 3);
		p[3] = (uint8_t)(2 + 8 * s->sack_count);
		p += 4;
		for (unsigned i = 0; i < s->sack_count; i++, p += 8) {
			put32(p, s->sack[i][0]);
			put32(p + 4, s->sack[i][1]);
		}
	}
	return p;
}

size_t lan_build(uint8_t *frame, const struct lan_segment *s)
{
	uint8_t *ip = frame + ETH_HEADER, *tcp = ip + IP_HEADER;
	memset(frame, 0, ETH_HEADER + IP_HEADER + 20);
	memcpy(frame, server_mac, 6);
	memcpy(frame + 6, client_mac, 6);
	put16(frame + 12, ETH_IPV4);
	uint8_t *data = put_options(tcp + 20, s);
	if (s->size)
		memcpy(data, s->data, s->size);
	const uint32_t head = (uint32_t)(data - tcp), size = head + (uint32_t)s->size;
	ip[0] = 0x45;
	put16(ip + 2, IP_HEADER + size);
	ip[8] = 64;
	ip[9] = 6;
	put32(ip + 12, s->source);
	put32(ip + 16, s->destination);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, IP_HEADER)));
	put16(tcp, s->source_port);
	put16(tcp + 2, s->destination_port);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[12] = (uint8_t)(head << 2);
	tcp[13] = s->flags;
	put16(tcp + 14, s->window);
	const uint64_t pseudo = checksum_pseudo(s->source, s->destination, 6, size);
	put16(tcp + 16, (uint16_t)~checksum_fold(checksum_add(pseudo, tcp, size)));
	return ETH_HEADER + IP_HEADER + size;
}

void lan_send(struct lan *lan, const struct lan_segment *s)
{
	uint8_t frame[2048];
	assert_true(s->size <= 1600);
	const size_t size = lan_build(frame, s);
	/* As large as it is, so that the sanitizer sees reads beyond it. */
	uint8_t *exact = malloc(size);
	memcpy(exact, frame, size);
	net_input(&lan->stack, exact, size, false);
	free(exact);
	net_flush(&lan->stack);
}

struct lan_segment lan_expect(struct lan *lan)
{
	static uint8_t data[LAN_FRAME_MAX];
	struct lan_segment s;
	struct lan_frame *f = lan_take(lan);
	assert_non_null(f);
	assert_true(lan_parse(f, &s));
	memcpy(data, s.data, s.size);
	s.data = data;
	free(f);
	return s;
}

void lan_expect_silence(struct lan *lan)
{
	assert_null(lan->first);
}

void lan_peer_send(struct lan_peer *peer, uint8_t flags, const void *data, size_t size)
{
	const struct lan_segment s = {
		.source = LAN_CLIENT,
		.destination = LAN_SERVER,
		.source_port = peer->port,
		.destination_port = LAN_PORT,
		.seq = peer->seq,
		.ack = peer->ack,
		.flags = flags,
		.window = peer->window,
		.stamped = peer->stamps,
		.stamp = peer->stamp,
		.echo = peer->echo,
		.data = data,
		.size = size,
	};
	peer->seq += (uint32_t)size + (flags & FIN ? 1 : 0);
	lan_send(peer->lan, &s);
}

struct lan_segment lan_peer_expect(struct lan_peer *peer)
{
	const struct lan_segment s = lan_expect(peer->lan);
	const uint32_t end = s.seq + (uint32_t)s.size + (s.flags & FIN ? 1 : 0);
	if (seq_lt(peer->ack, end))
		peer->ack = end;
	if (s.stamped)
		peer->echo = s.stamp;
	return s;
}

struct tcp *lan_connect(struct lan *lan, struct lan_peer *peer, uint16_t port,
			const char *options)
{
	const bool sack = strchr(options, 'k'), stamps = sack || strchr(options, 's');
	*peer = (struct lan_peer){.lan = lan,
				  .port = port,
				  .seq = 1000000u * port,
				  .window = 65000,
				  .stamps = stamps,
				  .sack = sack,
				  .stamp = 7000};
	const struct lan_segment syn = {
		.source = LAN_CLIENT,
		.destination = LAN_SERVER,
		.source_port = port,
		.destination_port = LAN_PORT,
		.seq = peer->seq++,
		.flags = SYN,
		.window = 65000,
		.mss = 1460,
		.stamped = stamps,
		.stamp = peer->stamp,
		.scaled = stamps,
		.sack_permitted = sack,
	};
	lan_send(lan, &syn);
	const struct lan_segment answer = lan_expect(lan);
	assert_int_equal(answer.flags, SYN | ACK);
	assert_int_equal(answer.ack, peer->seq);
	peer->ack = answer.seq + 1;
	peer->echo = answer.stamp;
	peer->scale = answer.scaled ? answer.scale : 0;
	lan_peer_send(peer, ACK, NULL, 0);
	return lan->listener ? lan_accept(lan) : NULL;
}

void lan_write(struct tcp *tcp, const void *data, size_t size)
{
	const uint8_t *from = data;
	while (size) {
		size_t room;
		void *to = tcp_write_space(tcp, &room);
		assert_true(room > 0);
		if (room > size)
			room = size;
		memcpy(to, from, room);
		tcp_write_done(tcp, room, room < size);
		from += room;
		size -= room;
	}
}

size_t lan_read(struct tcp *tcp, void *data, size_t size)
{
	size_t got = 0, run;
	const void *from;
	while (got < size && (from = tcp_read_peek(tcp, &run)) && run) {
		if (run > size - got)
			run = size - got;
		memcpy((uint8_t *)data + got, from, run);
		tcp_read_done(tcp, run);
		got += run;
	}
	return got;
}

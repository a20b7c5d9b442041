/* fuzz_tcp.c: a program of bytes drives a stack with a listener and live connections:
 * frames with arbitrary headers near or far from a connection's numbers, user calls,
 * time, full devices and missing memory. After each step what must hold is checked. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/net/tcp_internal.h"

#define LIMIT (256u << 10)
enum { USERS = 4 };

struct machine {
	struct net_stack stack;
	struct tcp_listener *listener;
	struct tcp *users[USERS];
	uint64_t now_ns, wake_ns, random_state, held;
	bool no_memory, full;
	uint8_t last[128]; /* headers of the last frame sent */
	const uint8_t *program;
	size_t left;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static uint64_t now_ns(void *context)
{
	return ((struct machine *)context)->now_ns;
}

static int transmit(void *context, const struct netdev_frame *frame)
{
	struct machine *m = context;
	uint64_t sum = 0;
	if (m->full)
		return -105;
	require(frame->header_size <= sizeof(m->last) &&
		frame->header_size + frame->payload_size <= 14 + 1500);
	memcpy(m->last, frame->header, frame->header_size);
	for (uint32_t i = 0; i < frame->payload_size; i++)
		sum += ((const uint8_t *)frame->payload)[i];
	require(sum != UINT64_MAX);
	return 0;
}

static void *allocate(void *context, size_t size)
{
	struct machine *m = context;
	uint8_t *memory = m->no_memory ? NULL : malloc(size + 16);
	if (!memory)
		return NULL;
	memcpy(memory, &size, sizeof(size));
	m->held += size;
	return memory + 16;
}

static void release(void *context, void *memory)
{
	size_t size;
	memcpy(&size, (uint8_t *)memory - 16, sizeof(size));
	((struct machine *)context)->held -= size;
	free((uint8_t *)memory - 16);
}

static void random_bytes(void *context, void *out, size_t size)
{
	struct machine *m = context;
	for (size_t i = 0; i < size; i++) {
		m->random_state = m->random_state * 6364136223846793005u + 1;
		((uint8_t *)out)[i] = (uint8_t)(m->random_state >> 56);
	}
}

static void wake_at(void *context, uint64_t deadline_ns)
{
	((struct machine *)context)->wake_ns = deadline_ns;
}

static void address(void *context)
{
	(void)context;
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

static uint8_t next(struct machine *m)
{
	if (!m->left)
		return 0;
	m->left--;
	return *m->program++;
}

static void check_connection(const struct tcp *t)
{
	const uint32_t flight = t->send_next - t->send_una;
	if (t->state == TCP_CLOSED)
		return;
	require(seq_le(t->send_una, t->send_next));
	require(seq_le(t->send_next, tcp_send_end(t)));
	require(t->queued <= t->out.size || !t->queued);
	require(seq_le(t->read_next, t->receive_next));
	require(seq_le(t->receive_next, t->announced + 1));
	require(t->in.size <= 2 * t->receive_limit + 65536);
	require(tcp_pipe(t) <= 2 * flight + 2u * t->mss);
	require(t->cwnd >= t->mss || t->mss < 64 || t->cwnd > 0);
	for (uint32_t i = 0; i < t->range_count; i++) {
		require(seq_lt(t->receive_next, t->ranges[i].start));
		require(seq_lt(t->ranges[i].start, t->ranges[i].end));
		require(t->ranges[i].end - t->read_next <= t->in.size);
	}
	for (uint32_t i = 0; i < t->sacked_count; i++) {
		require(seq_lt(t->sacked[i].start, t->sacked[i].end));
		require(seq_le(i ? t->sacked[i - 1].end : t->send_una,
			       t->sacked[i].start));
		require(seq_le(t->sacked[i].end, t->send_next));
	}
	if (flight && t->state != TCP_TIME_WAIT)
		require(t->rto_ns != 0 && t->wheel_link);
}

static void check(struct machine *m)
{
	uint32_t count = 0, waiting = 0, pending = 0, linked = 0;
	require(m->held == m->stack.memory_used && m->held <= LIMIT);
	for (uint32_t i = 0; i <= m->stack.table_mask; i++) {
		for (struct tcp *t = m->stack.table[i]; t; t = t->hash_next, count++) {
			check_connection(t);
			waiting += t->waiting;
			linked += t->wheel_link != NULL;
		}
	}
	require(count == m->stack.connection_count && waiting == m->stack.wait_count);
	require(linked == m->stack.wheel_count);
	for (const struct tcp *t = m->stack.pending; t; t = t->pending_next)
		require(t->pending && ++pending <= count);
}

/* Bit by bit of the program: how far each field lies from what the stack expects. */
static void send_frame(struct machine *m, const struct tcp *near)
{
	uint8_t frame[14 + 20 + 60 + 2048] = {2, 0, 0, 0, 0, 2, 2,   0,
					      0, 0, 0, 1, 8, 0, 0x45};
	uint8_t *ip = frame + 14, *tcp = ip + 20;
	const uint8_t shape = next(m), flags = next(m);
	const uint32_t options = shape & 1 ? next(m) % 11 * 4u : 0;
	uint32_t size = shape & 2 ? next(m) * (shape & 4 ? 8u : 1u) : 0;
	uint32_t seq = near ? near->receive_next : next(m),
		 ack = near ? near->send_next : next(m);
	if (shape & 8)
		seq += (uint32_t)(int8_t)next(m) * (shape & 16 ? 700u : 1u);
	if (shape & 32)
		ack += (uint32_t)(int8_t)next(m) * (shape & 16 ? 700u : 1u);
	if (!near && flags & 32) { /* completes the handshake of the last SYN */
		ack = get32(m->last + 38) + 1;
		seq = get32(m->last + 42);
	}
	for (uint32_t i = 0; i < options; i++)
		tcp[20 + i] = next(m);
	if (near && near->stamps && shape & 64 && options >= 12) {
		memcpy(tcp + 20, "\1\1\10\12", 4);
		put32(tcp + 24, near->stamp_recent + next(m));
		put32(tcp + 28, (uint32_t)(m->now_ns / 1000000) + near->stamp_offset);
	}
	if (near && near->sack && shape & 64 && options >= 32) {
		memcpy(tcp + 32, "\1\1\5\22", 4);
		for (uint32_t i = 0; i < 2; i++) {
			const uint32_t start = near->send_una + next(m) * 100u;
			put32(tcp + 36 + 8 * i, start);
			put32(tcp + 40 + 8 * i, start + next(m) * 100u);
		}
	}
	memset(tcp + 20 + options, shape, size);
	size += 20 + options;
	put16(ip + 2, 20 + size);
	ip[9] = 6;
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0x0a000002);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, 20)));
	put16(tcp, near ? near->peer_port : 1 + (next(m) & 7u));
	put16(tcp + 2, 80);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	tcp[12] = (uint8_t)((20 + options) << 2);
	tcp[13] = flags & 31;
	put16(tcp + 14, shape & 128 ? next(m) * 64u : 65535);
	uint8_t *exact = malloc(34 + size);
	memcpy(exact, frame, 34 + size);
	net_input(&m->stack, exact, 34 + size, true);
	free(exact);
}

static void use(struct machine *m, uint8_t what, struct tcp **user)
{
	struct tcp *t = *user;
	size_t run;
	if (!t) {
		*user = tcp_accept(m->listener, NULL, NULL);
		return;
	}
	switch (what & 7) {
	case 0:
		tcp_release(t, (int)(next(m) % 4) - 1);
		*user = NULL;
		break;
	case 1:
		tcp_shutdown(t, next(m) & 1, true);
		break;
	case 2:
	case 3:
		if (tcp_read_peek(t, &run))
			tcp_read_done(t, run < next(m) ? run : run / 2 + 1);
		break;
	case 4:
		tcp_option_set(t, (enum tcp_option)(next(m) % 10), next(m) * 16u);
		break;
	default: {
		uint8_t *to = tcp_write_space(t, &run);
		if (to) {
			memset(to, 'w', run);
			tcp_write_done(t, what & 64 ? run : run / 3, what & 128);
		}
	}
	}
	if (*user)
		tcp_state_events(*user);
}

static void step(struct machine *m)
{
	const uint8_t what = next(m);
	struct tcp **user = &m->users[what >> 3 & 3];
	switch (what & 7) {
	case 0:
	case 1:
	case 2:
		send_frame(m, *user);
		break;
	case 3:
		send_frame(m, NULL);
		break;
	case 4:
		use(m, next(m), user);
		break;
	case 5:
		m->now_ns += (uint64_t)next(m) * next(m) * 3000000;
		if (m->wake_ns <= m->now_ns) {
			m->wake_ns = UINT64_MAX;
			net_timers(&m->stack);
		}
		break;
	case 6:
		m->no_memory = what & 8;
		m->full = what & 16;
		break;
	default:
		net_flush(&m->stack);
	}
	check(m);
}

/* Three of the users begin with a connection: the fuzzer need not find the way. */
static void connect(struct machine *m, uint16_t port, bool stamps)
{
	uint8_t frame[14 + 20 + 20 + 20] = {2, 0, 0, 0, 0, 2, 2,   0,
					    0, 0, 0, 1, 8, 0, 0x45};
	uint8_t *ip = frame + 14, *tcp = ip + 20;
	const uint32_t options = stamps ? 20 : 0;
	put16(ip + 2, 40 + options);
	ip[9] = 6;
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0x0a000002);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, 20)));
	put16(tcp, port);
	put16(tcp + 2, 80);
	put32(tcp + 4, 0xffffff00);
	tcp[12] = (uint8_t)((20 + options) << 2);
	tcp[13] = TCP_SYN;
	put16(tcp + 14, 60000);
	if (stamps)
		memcpy(tcp + 20, "\4\2\10\12\0\0\0\1\0\0\0\0\1\3\3\4\2\4\5\264", 20);
	net_input(&m->stack, frame, 54 + options, true);
	put32(tcp + 4, 0xffffff01);
	put32(tcp + 8, get32(m->last + 38) + 1);
	tcp[13] = TCP_ACK;
	if (stamps)
		memcpy(tcp + 28, m->last + 62, 4);
	if (stamps)
		memset(tcp + 36, 1, 4);
	net_input(&m->stack, frame, 54 + options, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
	struct machine m = {.now_ns = 1000000000000,
			    .wake_ns = UINT64_MAX,
			    .program = data,
			    .left = size};
	if (net_stack_init(&m.stack, &env, &m, mac, 1500, 0, LIMIT))
		abort();
	net_address_set(&m.stack, 0x0a000002, 0xffffff00, 0x0a000001);
	if (tcp_listen(&m.stack, (struct tcp_endpoint){0, 80}, 3, NULL, NULL,
		       &m.listener))
		abort();
	for (uint16_t i = 0; i < 3; i++) {
		connect(&m, 1 + i, i != 2);
		m.users[i] = tcp_accept(m.listener, NULL, NULL);
		require(m.users[i]);
		check(&m);
	}
	require(m.users[0]->sack && m.users[0]->scaled && !m.users[2]->sack);
	while (m.left)
		step(&m);
	for (unsigned i = 0; i < USERS; i++) {
		if (m.users[i])
			tcp_release(m.users[i], -1);
	}
	m.full = m.no_memory = false;
	/* Whatever happened, all ends within the time that TCP allows it. */
	for (unsigned i = 0; i < 2000 && m.wake_ns != UINT64_MAX; i++) {
		m.now_ns = m.wake_ns > m.now_ns ? m.wake_ns : m.now_ns;
		m.wake_ns = UINT64_MAX;
		net_timers(&m.stack);
		check(&m);
	}
	tcp_unlisten(m.listener);
	require(m.stack.connection_count == 0);
	net_stack_destroy(&m.stack);
	require(m.held == 0);
	return 0;
}

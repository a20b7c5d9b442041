/* net_stack.c: how fast the network stack is by itself, without a device: connections a
 * second (connect, 100 bytes of request, 1 KiB of answer, close) and megabytes a second
 * in both directions, checksums computed. The peer's frames are made by hand and cost
 * little. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shim/net/tcp.h"
#include "shim/net/wire.h"

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };
enum { CONNECTIONS = 200000, MEGABYTES = 100, MSS = 1460 };

struct bench {
	struct net_stack stack;
	struct tcp_listener *listener;
	/* What the stack sent last, and how far. */
	uint32_t seq, end, ack;
	uint32_t unacknowledged;
	uint64_t bytes;
};

static uint64_t now_ns(void *context)
{
	struct timespec t;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int transmit(void *context, const struct netdev_frame *frame)
{
	static uint8_t device[2048];
	struct bench *b = context;
	const uint8_t *tcp = (const uint8_t *)frame->header + ETH_HEADER + IP_HEADER;
	memcpy(device, frame->header, frame->header_size);
	if (frame->payload_size)
		memcpy(device + frame->header_size, frame->payload, frame->payload_size);
	b->seq = get32(tcp + 4);
	b->ack = get32(tcp + 8);
	b->end = b->seq + frame->payload_size + (tcp[13] & (SYN | FIN) ? 1 : 0);
	b->bytes += frame->payload_size;
	b->unacknowledged++;
	return 0;
}

static void *allocate(void *context, size_t size)
{
	(void)context;
	return malloc(size);
}

static void release(void *context, void *memory)
{
	(void)context;
	free(memory);
}

static void random_bytes(void *context, void *out, size_t size)
{
	(void)context;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)out)[i] = (uint8_t)rand();
}

static void wake_at(void *context, uint64_t deadline_ns)
{
	(void)context;
	(void)deadline_ns;
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

static void input(struct bench *b, uint16_t port, uint8_t flags, uint32_t seq,
		  uint32_t ack, const void *data, uint32_t size)
{
	static uint8_t frame[2048] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};
	uint8_t *ip = frame + ETH_HEADER, *tcp = ip + IP_HEADER;
	put16(ip + 2, 40 + size);
	ip[8] = 64;
	ip[9] = 6;
	put16(ip + 10, 0);
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0x0a000002);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, 20)));
	put16(tcp, port);
	put16(tcp + 2, 80);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	tcp[12] = 0x50;
	tcp[13] = flags;
	put16(tcp + 14, 65535);
	put16(tcp + 16, 0);
	if (size)
		memcpy(tcp + 20, data, size);
	const uint64_t pseudo = checksum_pseudo(0x0a000001, 0x0a000002, 6, 20 + size);
	put16(tcp + 16, (uint16_t)~checksum_fold(checksum_add(pseudo, tcp, 20 + size)));
	net_input(&b->stack, frame, 54 + size, false);
	net_flush(&b->stack);
}

static struct tcp *connect_peer(struct bench *b, uint16_t port, uint32_t seq,
				uint32_t size)
{
	static const uint8_t request[MSS];
	input(b, port, SYN, seq, 0, NULL, 0);
	input(b, port, ACK | PSH, seq + 1, b->end, request, size);
	struct tcp *tcp = tcp_accept(b->listener, NULL, NULL);
	if (!tcp)
		abort();
	return tcp;
}

static double seconds_since(uint64_t start_ns)
{
	return (double)(now_ns(NULL) - start_ns) / 1e9;
}

static double connections(struct bench *b)
{
	size_t run;
	const uint64_t start = now_ns(NULL);
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		const uint16_t port = (uint16_t)(1024 + i % 20000);
		const uint32_t seq = i * 100003u;
		struct tcp *tcp = connect_peer(b, port, seq, 100);
		tcp_read_peek(tcp, &run);
		tcp_read_done(tcp, run);
		memset(tcp_write_space(tcp, &run), 'x', 1024);
		tcp_write_done(tcp, 1024, false);
		tcp_release(tcp, -1);
		net_flush(&b->stack);
		input(b, port, ACK | FIN, seq + 101, b->end, NULL, 0);
		if (!(i & 63))
			net_timers(&b->stack);
	}
	return CONNECTIONS / seconds_since(start);
}

static double sending(struct bench *b)
{
	struct tcp *tcp = connect_peer(b, 1, 1000, 1);
	size_t run, left = (size_t)MEGABYTES << 20;
	const uint64_t start = now_ns(NULL);
	while (left || tcp_unsent(tcp)) {
		uint8_t *to = left ? tcp_write_space(tcp, &run) : NULL;
		if (to) {
			run = run < left ? run : left;
			memset(to, 'x', run);
			tcp_write_done(tcp, run, left > run);
			left -= run;
		}
		net_flush(&b->stack);
		input(b, 1, ACK, 1002, b->end, NULL, 0); /* one for each flight */
	}
	const double seconds = seconds_since(start);
	tcp_release(tcp, 0);
	return MEGABYTES / seconds;
}

static double receiving(struct bench *b)
{
	static const uint8_t data[MSS];
	static uint8_t sink[65536];
	struct tcp *tcp = connect_peer(b, 2, 1000, 1);
	uint32_t seq = 1002;
	size_t run;
	const uint64_t start = now_ns(NULL);
	for (size_t left = (size_t)MEGABYTES << 20; left >= MSS;
	     left -= MSS, seq += MSS) {
		input(b, 2, ACK, seq, b->end, data, MSS);
		for (const void *from; (from = tcp_read_peek(tcp, &run)) && run;) {
			run = run < sizeof(sink) ? run : sizeof(sink);
			memcpy(sink, from, run);
			tcp_read_done(tcp, run);
		}
		net_flush(&b->stack);
	}
	if (b->ack + 4 * MSS - seq > 8 * MSS)
		abort(); /* it was not taken */
	const double seconds = seconds_since(start);
	tcp_release(tcp, 0);
	return MEGABYTES / seconds;
}

int main(void)
{
	static struct bench b;
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
	if (net_stack_init(&b.stack, &env, &b, mac, 1500, 0, 64 << 20))
		return 1;
	net_address_set(&b.stack, 0x0a000002, 0xffffff00, 0x0a000001);
	if (tcp_listen(&b.stack, (struct tcp_endpoint){0, 80}, 64, NULL, NULL,
		       &b.listener))
		return 1;
	printf("connections/s %.0f\n", connections(&b));
	printf("sending MB/s %.0f\n", sending(&b));
	printf("receiving MB/s %.0f\n", receiving(&b));
	return 0;
}

/* lan.h: a stack under test on a wire in memory: a fake clock, frames kept as they come
 * out, and the means to make frames by hand. Each test program has one. */
#ifndef TESTS_UNIT_NET_LAN_H
#define TESTS_UNIT_NET_LAN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shim/net/tcp.h"
#include "shim/net/wire.h"

#define LAN_SERVER    0x0a000002u /* 10.0.0.2: the stack */
#define LAN_CLIENT    0x0a000001u /* 10.0.0.1 */
#define LAN_PORT      80
#define LAN_FRAME_MAX 66000u
#define MS            1000000ull
#define SECOND        (1000 * MS)

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct lan_frame {
	struct lan_frame *next;
	size_t size;
	bool checksum_left; /* to the device */
	uint16_t segment_size;
	uint8_t bytes[];
};

struct lan {
	struct net_stack stack;
	uint64_t now_ns, wake_ns;
	struct lan_frame *first, *last; /* sent by the stack, oldest first */
	size_t sent;
	size_t allocations, allocated_most;
	uint64_t random_state;
	bool allocate_fails, transmit_full, discard;
	unsigned address_changes;
	/* A listener's user. */
	unsigned acceptable, events;
	struct tcp_listener *listener;
};

/* What a segment says, as read from a frame or to be made into one. */
struct lan_segment {
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window, mss;
	bool stamped, sack_permitted, scaled;
	uint8_t scale, sack_count;
	uint32_t stamp, echo, sack[4][2];
	const void *data;
	size_t size;
};

void lan_open(struct lan *lan, uint32_t features, uint64_t memory_limit);
void lan_close(struct lan *lan); /* checks that all memory came back */
void lan_listen(struct lan *lan, uint32_t backlog);
struct tcp *lan_accept(struct lan *lan);
/* The clock goes on, timers run when they are due. */
void lan_wait(struct lan *lan, uint64_t ns);
struct lan_frame *lan_take(struct lan *lan); /* the caller frees it; NULL: none */
void lan_drop_all(struct lan *lan);
/* Reads a frame, checking its checksums; false: not TCP. */
bool lan_parse(const struct lan_frame *frame, struct lan_segment *out);
size_t lan_build(uint8_t *frame, const struct lan_segment *segment);
void lan_send(struct lan *lan, const struct lan_segment *segment); /* input and flush */
/* The next segment that the stack sent; fails the test without one. Its data lives until
 * the next call. */
struct lan_segment lan_expect(struct lan *lan);
void lan_expect_silence(struct lan *lan);

/* A peer made by hand: next numbers and options of a connection. */
struct lan_peer {
	struct lan *lan;
	uint16_t port;
	uint32_t seq, ack; /* that its next segment carries */
	uint16_t window;
	bool stamps, sack;
	uint32_t stamp, echo;
	uint8_t scale; /* of the stack's windows */
};
/* options: "s" stamps and scaling, "k" SACK too. Leaves the connection established. */
struct tcp *lan_connect(struct lan *lan, struct lan_peer *peer, uint16_t port,
			const char *options);
void lan_peer_send(struct lan_peer *peer, uint8_t flags, const void *data, size_t size);
/* Takes the next segment and acknowledges it in peer's numbers, without sending. */
struct lan_segment lan_peer_expect(struct lan_peer *peer);
void lan_write(struct tcp *tcp, const void *data, size_t size);
size_t lan_read(struct tcp *tcp, void *data, size_t size);

#endif

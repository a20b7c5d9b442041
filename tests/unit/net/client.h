/* client.h: a small TCP that opens connections, for tests alone, and a link between it
 * and the stack that delays, loses, repeats and reorders. */
#ifndef TESTS_UNIT_NET_CLIENT_H
#define TESTS_UNIT_NET_CLIENT_H

#include "tests/unit/net/lan.h"

struct client {
	struct lan *lan;
	uint16_t port, mss;
	bool sack, stamps; /* offered */
	uint8_t scale;     /* of the stack's windows */
	bool established, failed, fin_sent, fin_acked, fin_received;
	uint32_t iss, una, next, most; /* most: highest ever sent */
	uint32_t irs, receive_next;
	uint32_t peer_window, echo;
	uint32_t cwnd, dup;
	uint64_t timer_ns, zero_ns;
	uint8_t tries;
	uint64_t key;
	size_t send_total, receive_total;
	uint8_t *received, *have; /* bytes, and which of them are there */
	size_t top;               /* highest byte that is there */
	size_t read;              /* taken by the reader, who may be slow */
	size_t buffer;            /* its receive window */
};

struct link {
	struct lan *lan;
	struct client *client;
	uint64_t delay_ns, jitter_ns;
	unsigned loss_permille, duplicate_permille, reorder_permille;
	uint32_t large; /* frames above that vanish; 0: none */
	uint64_t random_state, dropped;
	struct parcel *parcels;
};

/* Byte at of a stream that has a key. */
uint8_t stream_byte(uint64_t key, size_t at);
void client_open(struct client *client, struct link *link, uint16_t port,
		 size_t send_total, size_t receive_total);
void client_close(struct client *client);
void link_close(struct link *link);
/* One event; false: nothing will ever happen. */
bool link_step(struct link *link);

#endif

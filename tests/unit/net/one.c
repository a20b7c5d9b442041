/* one.c: a stack with one accepted connection. */
#include "tests/unit/net/one.h"

void one_open(struct one *one, const char *options)
{
	lan_open(&one->lan, 0, 4 << 20);
	lan_listen(&one->lan, 8);
	one->tcp = lan_connect(&one->lan, &one->peer, 40000, options);
	assert_non_null(one->tcp);
}

void one_close(struct one *one)
{
	if (one->tcp)
		tcp_release(one->tcp, 0);
	lan_close(&one->lan);
}

void one_write(struct one *one, const void *data, size_t size)
{
	lan_write(one->tcp, data, size);
	net_flush(&one->lan.stack);
}

uint8_t one_state(const struct one *one)
{
	return tcp_status(one->tcp).state;
}

void one_send_at(struct one *one, uint8_t flags, uint32_t seq, uint32_t ack,
		 const void *data, size_t size)
{
	struct lan_peer peer = one->peer;
	peer.seq = seq;
	peer.ack = ack;
	lan_peer_send(&peer, flags, data, size);
}

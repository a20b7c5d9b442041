/* test_tcp_handshake.c: connections come about without half-open state. */
#include "tests/unit/net/lan.h"

static void a_request_is_answered_and_the_connection_closed(void **state)
{
	struct lan lan;
	struct lan_peer peer;
	char text[8] = "";
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	struct tcp *tcp = lan_connect(&lan, &peer, 40000, "k");
	assert_non_null(tcp);
	lan_peer_send(&peer, ACK | PSH, "hello", 5);
	assert_int_equal(lan_read(tcp, text, 8), 5);
	assert_string_equal(text, "hello");
	lan_write(tcp, "world", 5);
	net_flush(&lan.stack);
	struct lan_segment s = lan_peer_expect(&peer);
	assert_int_equal(s.size, 5);
	assert_memory_equal(s.data, "world", 5);
	assert_int_equal(s.ack, peer.seq);
	tcp_release(tcp, -1);
	net_flush(&lan.stack);
	s = lan_peer_expect(&peer);
	assert_int_equal(s.flags, FIN | ACK);
	lan_peer_send(&peer, FIN | ACK, NULL, 0);
	s = lan_peer_expect(&peer);
	assert_int_equal(s.ack, peer.seq);
	assert_int_equal(lan.stack.wait_count, 1);
	lan_wait(&lan, 61 * SECOND);
	assert_int_equal(lan.stack.connection_count, 0);
	lan_close(&lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered_and_the_connection_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

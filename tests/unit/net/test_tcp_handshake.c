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

static struct lan_segment syn(uint16_t port, uint32_t seq)
{
	return (struct lan_segment){.source = LAN_CLIENT,
				    .destination = LAN_SERVER,
				    .source_port = port,
				    .destination_port = LAN_PORT,
				    .seq = seq,
				    .flags = SYN,
				    .window = 1000,
				    .mss = 1460};
}

static void a_flood_of_syns_takes_no_memory(void **state)
{
	struct lan lan;
	struct lan_peer peer;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	const uint64_t before = lan.stack.memory_used;
	lan.discard = true;
	for (uint32_t i = 0; i < 100000; i++) {
		struct lan_segment s = syn((uint16_t)(1 + i % 65000), i * 77777);
		s.source = LAN_CLIENT + 10 + i / 1000;
		lan_send(&lan, &s);
	}
	lan.discard = false;
	assert_true(lan.stack.counters.tcp_cookies_sent > 99000);
	assert_int_equal(lan.stack.memory_used, before);
	assert_int_equal(lan.stack.connection_count, 0);
	struct tcp *tcp = lan_connect(&lan, &peer, 40000, "k");
	assert_non_null(tcp); /* it still serves */
	tcp_release(tcp, 0);
	lan_close(&lan);
}

static void initial_numbers_differ_by_endpoint_and_time(void **state)
{
	struct lan lan;
	uint32_t seen[3];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	for (unsigned i = 0; i < 3; i++) {
		struct lan_segment s = syn(i == 1 ? 40001 : 40000, 5);
		if (i == 2)
			lan_wait(&lan, 64 * SECOND);
		lan_send(&lan, &s);
		seen[i] = lan_expect(&lan).seq;
	}
	assert_int_not_equal(seen[0] & 0xffffff, seen[1] & 0xffffff);
	assert_int_not_equal(seen[0] & 0xffffff, seen[2] & 0xffffff);
	assert_int_equal((seen[2] >> 27) - (seen[0] >> 27),
			 1); /* RFC 6528: it moves on */
	lan_close(&lan);
}

/* The segment that completes a handshake begun by syn, after a while. */
static struct lan_segment completing(struct lan *lan, struct lan_segment s,
				     uint64_t wait_ns)
{
	lan_send(lan, &s);
	const struct lan_segment answer = lan_expect(lan);
	lan_wait(lan, wait_ns);
	s.flags = ACK;
	s.mss = 0;
	s.seq++;
	s.ack = answer.seq + 1;
	return s;
}

static void a_handshake_may_take_a_minute_and_not_three(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	struct lan_segment s = completing(&lan, syn(1, 5), 60 * SECOND);
	lan_send(&lan, &s);
	assert_true(tcp_acceptable(lan.listener));
	s = completing(&lan, syn(2, 5), 180 * SECOND);
	lan_send(&lan, &s);
	assert_int_equal(lan.stack.counters.tcp_accepted, 1);
	assert_int_equal(lan_expect(&lan).flags, RST);
	lan_close(&lan);
}

static void a_forged_acknowledgement_opens_nothing(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	const struct lan_segment good = completing(&lan, syn(1, 5), 0);
	lan.discard = true;
	for (unsigned bit = 0; bit < 32; bit++) {
		struct lan_segment s = good;
		s.ack ^= 1u << bit;
		lan_send(&lan, &s);
		s = good;
		s.seq ^= 1u << bit;
		lan_send(&lan, &s);
	}
	assert_false(tcp_acceptable(lan.listener));
	lan_send(&lan, &good);
	assert_true(tcp_acceptable(lan.listener));
	lan_close(&lan);
}

static void data_with_the_completing_segment_is_taken(void **state)
{
	struct lan lan;
	char text[8] = "";
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	struct lan_segment s = completing(&lan, syn(1, 5), 0);
	s.data = "GET";
	s.size = 3;
	s.flags |= FIN;
	lan_send(&lan, &s);
	struct tcp *tcp = lan_accept(&lan);
	assert_non_null(tcp);
	assert_int_equal(lan_read(tcp, text, 8), 3);
	assert_string_equal(text, "GET");
	assert_true(tcp_state_events(tcp) & TCP_PEER_CLOSED);
	assert_int_equal(lan_expect(&lan).ack, s.seq + 4);
	tcp_release(tcp, -1);
	lan_close(&lan);
}

static void bytes_that_overtake_the_first_ones_are_not_taken_for_them(void **state)
{
	struct lan lan;
	char text[8] = "";
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	struct lan_segment s = completing(&lan, syn(1, 5), 0);
	s.data = "abcdef";
	s.size = 3;
	struct lan_segment second = s;
	second.seq += 3;
	second.data = "def";
	lan_send(&lan, &second);
	assert_false(tcp_acceptable(lan.listener));
	lan_expect_silence(&lan); /* no reset: the first will be sent again */
	s.size = 6;
	lan_send(&lan, &s);
	struct tcp *tcp = lan_accept(&lan);
	assert_int_equal(lan_read(tcp, text, 8), 6);
	assert_string_equal(text, "abcdef");
	tcp_release(tcp, -1);
	lan_close(&lan);
}

static void bytes_of_a_connection_that_is_no_more_are_answered_with_a_reset(void **state)
{
	struct lan lan;
	struct lan_peer peer;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	for (uint16_t port = 1; port < 20; port++) {
		struct tcp *tcp = lan_connect(&lan, &peer, port, "");
		static char text[9000];
		lan_write(tcp, text, sizeof(text));
		net_flush(&lan.stack);
		while (lan.first)
			lan_peer_expect(&peer);
		tcp_release(tcp, 0);
		lan_drop_all(&lan); /* the reset is lost */
		lan_peer_send(&peer, ACK, "hello", 5);
		assert_int_equal(lan_expect(&lan).flags, RST);
	}
	lan_close(&lan);
}

static void a_full_backlog_drops_and_the_peer_may_try_again(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 1);
	const struct lan_segment a = completing(&lan, syn(1, 5), 0),
				 b = completing(&lan, syn(2, 5), 0);
	lan_send(&lan, &a);
	lan_send(&lan, &b);
	assert_int_equal(lan.stack.counters.tcp_backlog_full, 1);
	lan_expect_silence(&lan);
	tcp_release(lan_accept(&lan), 0);
	lan_drop_all(&lan);
	lan_send(&lan, &b);
	assert_true(tcp_acceptable(lan.listener));
	lan_close(&lan);
}

static void options_are_agreed_only_with_timestamps(void **state)
{
	static const struct {
		bool stamped, scaled, sack;
	} offers[] = {{0, 1, 1}, {1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}};
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++) {
		struct lan_segment s = syn((uint16_t)(100 + i), 5);
		s.stamped = offers[i].stamped;
		s.stamp = 4711;
		s.scaled = offers[i].scaled;
		s.scale = 9;
		s.sack_permitted = offers[i].sack;
		lan_send(&lan, &s);
		const struct lan_segment answer = lan_expect(&lan);
		assert_int_equal(answer.mss, 1460);
		assert_int_equal(answer.stamped, offers[i].stamped);
		assert_int_equal(answer.scaled, offers[i].stamped && offers[i].scaled);
		assert_int_equal(answer.sack_permitted,
				 offers[i].stamped && offers[i].sack);
		if (answer.stamped)
			assert_int_equal(answer.echo, 4711);
		s = (struct lan_segment){.source = LAN_CLIENT,
					 .destination = LAN_SERVER,
					 .source_port = s.source_port,
					 .destination_port = LAN_PORT,
					 .seq = 6,
					 .ack = answer.seq + 1,
					 .flags = ACK,
					 .window = 100,
					 .stamped = offers[i].stamped,
					 .stamp = 4712,
					 .echo = answer.stamp};
		lan_send(&lan, &s);
		struct tcp *tcp = lan_accept(&lan);
		assert_non_null(tcp);
		assert_int_equal(tcp_status(tcp).window_bytes,
				 answer.scaled ? 100 << 9 : 100);
		tcp_release(tcp, 0);
		lan_drop_all(&lan);
	}
	lan_close(&lan);
}

static void segments_are_no_larger_than_the_peer_allows(void **state)
{
	static const uint16_t announced[] = {0, 64, 536, 1000, 1460, 9000};
	struct lan lan;
	static char text[4000];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	for (size_t i = 0; i < sizeof(announced) / sizeof(*announced); i++) {
		struct lan_segment s = syn((uint16_t)(100 + i), 5);
		s.mss = announced[i];
		s.window = 60000;
		s = completing(&lan, s, 0);
		lan_send(&lan, &s);
		struct tcp *tcp = lan_accept(&lan);
		lan_write(tcp, text, sizeof(text));
		net_flush(&lan.stack);
		/* RFC 9293, 3.7.1; and our own link carries 1460. */
		const uint32_t most =
			announced[i] ? announced[i] < 1460 ? announced[i] : 1460 : 536;
		assert_in_range(lan_expect(&lan).size, most / 2, most);
		tcp_release(tcp, 0);
		lan_drop_all(&lan);
	}
	lan_close(&lan);
}

static void a_port_in_time_wait_can_be_used_again_at_once(void **state)
{
	struct lan lan;
	struct lan_peer peer;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	for (unsigned i = 0; i < 500; i++) {
		lan_wait(&lan, MS);
		struct tcp *tcp = lan_connect(&lan, &peer, 40000, i & 1 ? "k" : "");
		assert_non_null(tcp);
		lan_peer_send(&peer, ACK, "x", 1);
		lan_write(tcp, "y", 1);
		tcp_release(tcp, -1); /* unread: a reset, and the port is free */
		lan_drop_all(&lan);
		tcp = lan_connect(&lan, &peer, 40001, "k");
		assert_non_null(tcp);
		tcp_release(tcp, -1);
		net_flush(&lan.stack);
		lan_peer_expect(&peer);
		lan_peer_send(&peer, FIN | ACK, NULL, 0);
		lan_peer_expect(&peer);
		assert_int_equal(lan.stack.wait_count, 1);
	}
	assert_int_equal(lan.stack.counters.tcp_accepted, 1000);
	lan_close(&lan);
}

static void a_syn_leaves_time_wait_as_it_was_until_the_handshake_is_proved(void **state)
{
	struct lan lan;
	struct lan_peer peer;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	tcp_release(lan_connect(&lan, &peer, 40000, ""), -1);
	net_flush(&lan.stack);
	lan_peer_expect(&peer);
	lan_peer_send(&peer, FIN | ACK, NULL, 0);
	lan_peer_expect(&peer);
	struct lan_segment s = syn(40000, 99);
	lan_send(&lan, &s);
	assert_int_equal(lan_expect(&lan).flags, SYN | ACK);
	peer.seq--;
	lan_peer_send(&peer, FIN | ACK, NULL, 0); /* the old one's last word again */
	assert_int_equal(lan_expect(&lan).ack, peer.seq);
	assert_int_equal(lan.stack.wait_count, 1);
	lan_close(&lan);
}

static void time_wait_is_bounded(void **state)
{
	struct lan lan;
	struct lan_peer peer;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	for (uint16_t port = 1; port < 3000; port++) {
		tcp_release(lan_connect(&lan, &peer, port, ""), -1);
		net_flush(&lan.stack);
		lan_peer_expect(&peer);
		lan_peer_send(&peer, FIN | ACK, NULL, 0);
		lan_peer_expect(&peer);
	}
	assert_true(lan.stack.wait_count < 200);
	assert_true(lan.stack.memory_used < 1 << 18);
	lan_close(&lan);
}

/* Those of the ports from first down to last, which is all. */
static void expect_syns_answered(struct lan *lan, uint16_t first, uint16_t last)
{
	for (uint16_t port = first; port >= last; port--) {
		struct lan_segment s = lan_expect(lan);
		assert_int_equal(s.flags, SYN | ACK);
		assert_int_equal(s.destination_port, port);
		assert_int_equal(s.ack, 1000u + port + 1);
	}
	lan_expect_silence(lan);
}

static void syns_before_the_lease_are_answered_with_it(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	net_address_set(&lan.stack, 0, 0, 0);
	lan_listen(&lan, 8);
	for (uint16_t port = 1; port <= NET_EARLY_FRAMES + 2; port++) {
		struct lan_segment s = syn(port, 1000u + port);
		lan_send(&lan, &s);
		s.flags = ACK; /* is not kept */
		lan_send(&lan, &s);
	}
	struct lan_segment other = syn(500, 1);
	other.destination = LAN_SERVER + 1;
	lan_send(&lan, &other);
	lan_expect_silence(&lan);
	/* Three SYNs too many, and the ACKs. */
	assert_int_equal(lan.stack.counters.rx_dropped, 3 + NET_EARLY_FRAMES + 2);
	net_address_set(&lan.stack, LAN_SERVER, 0xffffff00, LAN_CLIENT);
	free(lan_take(&lan)); /* the announcement */
	expect_syns_answered(&lan, NET_EARLY_FRAMES + 2, 4);
	net_address_set(&lan.stack, 0, 0, 0);
	net_address_set(&lan.stack, LAN_SERVER, 0xffffff00, LAN_CLIENT);
	free(lan_take(&lan));
	lan_expect_silence(&lan); /* once each */
	lan_close(&lan);
}

static void syns_before_anybody_listens_are_answered_when_somebody_does(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	for (uint16_t port = 1; port <= 3; port++) {
		struct lan_segment s = syn(port, 1000u + port);
		lan_send(&lan, &s);
	}
	lan_expect_silence(&lan);
	lan_listen(&lan, 8);
	expect_syns_answered(&lan, 3, 1);
	lan_close(&lan);
}

static void a_closed_port_answers_with_a_reset(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	tcp_unlisten(lan.listener);
	lan.listener = NULL;
	struct lan_segment s = syn(1, 5);
	lan_send(&lan, &s);
	s = lan_expect(&lan);
	assert_int_equal(s.flags, RST | ACK); /* RFC 9293, 3.10.7.1 */
	assert_int_equal(s.seq, 0);
	assert_int_equal(s.ack, 6);
	s = syn(1, 5);
	s.flags = ACK;
	s.ack = 777;
	lan_send(&lan, &s);
	s = lan_expect(&lan);
	assert_int_equal(s.flags, RST);
	assert_int_equal(s.seq, 777);
	s = syn(1, 5);
	s.flags = RST;
	lan_send(&lan, &s);
	lan_expect_silence(&lan);
	lan_close(&lan);
}

static void without_memory_a_handshake_is_dropped(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	const struct lan_segment s = completing(&lan, syn(1, 5), 0);
	lan.allocate_fails = true;
	lan_send(&lan, &s);
	assert_int_equal(lan.stack.counters.tcp_no_memory, 1);
	lan.allocate_fails = false;
	lan_send(&lan, &s);
	assert_true(tcp_acceptable(lan.listener));
	lan_close(&lan);
}

static void buffers_leave_room_for_connections(void **state)
{
	struct lan lan;
	struct lan_peer peer;
	struct tcp *all[200];
	static char text[1460];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	lan.discard = false;
	for (uint16_t i = 0; i < 200; i++) {
		all[i] = lan_connect(&lan, &peer, (uint16_t)(1000 + i), "");
		assert_non_null(all[i]); /* however much the others hold */
		for (unsigned k = 0; k < 40; k++)
			lan_peer_send(&peer, ACK, text, 1460); /* nobody reads */
		lan_drop_all(&lan);
		assert_true(lan.stack.memory_used < 1 << 20);
	}
	size_t held = 0;
	for (uint16_t i = 0; i < 200; i++) {
		held += tcp_readable(all[i]);
		tcp_release(all[i], -1);
	}
	assert_true(held > 400 << 10);
	lan_close(&lan);
}

static void an_idle_connection_holds_no_buffers(void **state)
{
	struct lan lan;
	struct lan_peer peer;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 8);
	const uint64_t before = lan.stack.memory_used;
	struct tcp *tcp = lan_connect(&lan, &peer, 1, "k");
	const uint64_t idle = lan.stack.memory_used - before;
	assert_true(idle < 1024);
	char text[8];
	lan_peer_send(&peer, ACK, "hello", 5);
	assert_int_equal(lan_read(tcp, text, 8), 5);
	lan_write(tcp, "hello", 5);
	net_flush(&lan.stack);
	lan_peer_expect(&peer);
	lan_peer_send(&peer, ACK, NULL, 0);
	lan_wait(&lan, 3 * SECOND);
	assert_int_equal(lan.stack.memory_used - before, idle);
	tcp_release(tcp, -1);
	lan_close(&lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered_and_the_connection_closed),
		cmocka_unit_test(a_flood_of_syns_takes_no_memory),
		cmocka_unit_test(initial_numbers_differ_by_endpoint_and_time),
		cmocka_unit_test(a_handshake_may_take_a_minute_and_not_three),
		cmocka_unit_test(a_forged_acknowledgement_opens_nothing),
		cmocka_unit_test(data_with_the_completing_segment_is_taken),
		cmocka_unit_test(
			bytes_that_overtake_the_first_ones_are_not_taken_for_them),
		cmocka_unit_test(
			bytes_of_a_connection_that_is_no_more_are_answered_with_a_reset),
		cmocka_unit_test(a_full_backlog_drops_and_the_peer_may_try_again),
		cmocka_unit_test(options_are_agreed_only_with_timestamps),
		cmocka_unit_test(segments_are_no_larger_than_the_peer_allows),
		cmocka_unit_test(a_port_in_time_wait_can_be_used_again_at_once),
		cmocka_unit_test(
			a_syn_leaves_time_wait_as_it_was_until_the_handshake_is_proved),
		cmocka_unit_test(time_wait_is_bounded),
		cmocka_unit_test(syns_before_the_lease_are_answered_with_it),
		cmocka_unit_test(
			syns_before_anybody_listens_are_answered_when_somebody_does),
		cmocka_unit_test(a_closed_port_answers_with_a_reset),
		cmocka_unit_test(without_memory_a_handshake_is_dropped),
		cmocka_unit_test(buffers_leave_room_for_connections),
		cmocka_unit_test(an_idle_connection_holds_no_buffers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

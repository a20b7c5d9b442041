/* test_tcp_sending.c: when segments are sent, and sent again (RFC 1122, 5681, 6298,
 * 6675). */
#include <errno.h>

#include "tests/unit/net/one.h"

static void two_segments_are_acknowledged_at_once_and_one_later(void **state)
{
	struct one one;
	static char text[1460];
	(void)state;
	one_open(&one, "");
	lan_peer_send(&one.peer, ACK, text, 1460);
	lan_expect_silence(&one.lan);
	lan_peer_send(&one.peer, ACK, text, 1460);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq);
	lan_peer_send(&one.peer, ACK, text, 10);
	lan_wait(&one.lan, 30 * MS);
	lan_expect_silence(&one.lan);
	lan_wait(&one.lan, 100 * MS);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq);
	lan_peer_send(&one.peer, ACK, text, 10);
	one_write(&one, "x", 1); /* goes with the answer */
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq);
	lan_wait(&one.lan, 100 * MS);
	lan_expect_silence(&one.lan);
	one_close(&one);
}

static void reading_tells_no_window_that_a_peer_without_scaling_cannot_see(void **state)
{
	struct one one;
	static char text[70];
	(void)state;
	one_open(&one, "");
	tcp_option_set(one.tcp, TCP_OPTION_RECEIVE_BUFFER, 262144);
	for (unsigned i = 0; i < 4; i++) {
		lan_peer_send(&one.peer, ACK, text, sizeof(text));
		lan_read(one.tcp, text, sizeof(text));
		net_flush(&one.lan.stack);
		lan_expect_silence(&one.lan);
		one_write(&one, "x", 1);
		assert_int_equal(lan_peer_expect(&one.peer).ack, one.peer.seq);
	}
	one_close(&one);
}

static void a_small_segment_waits_for_the_one_before_unless_nodelay(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	one_write(&one, "a", 1);
	assert_int_equal(lan_peer_expect(&one.peer).size, 1);
	one_write(&one, "b", 1);
	one_write(&one, "c", 1);
	lan_expect_silence(&one.lan); /* Nagle: RFC 9293, 3.7.4 */
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(lan_peer_expect(&one.peer).size, 2);
	tcp_option_set(one.tcp, TCP_OPTION_NODELAY, 1);
	one_write(&one, "d", 1);
	assert_int_equal(lan_peer_expect(&one.peer).size, 1);
	one_close(&one);
}

static void a_cork_holds_less_than_a_segment_for_a_fifth_of_a_second(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	tcp_option_set(one.tcp, TCP_OPTION_CORK, 1);
	one_write(&one, "a", 1);
	lan_expect_silence(&one.lan);
	tcp_option_set(one.tcp, TCP_OPTION_CORK, 0);
	net_flush(&one.lan.stack);
	assert_int_equal(lan_peer_expect(&one.peer).size, 1);
	lan_peer_send(&one.peer, ACK, NULL, 0);
	memcpy(tcp_write_space(one.tcp, &(size_t){0}), "b", 1);
	tcp_write_done(one.tcp, 1, true); /* MSG_MORE */
	net_flush(&one.lan.stack);
	lan_expect_silence(&one.lan);
	lan_wait(&one.lan, 250 * MS);
	assert_int_equal(lan_peer_expect(&one.peer).size, 1);
	one_close(&one);
}

static void a_zero_window_is_probed_until_it_opens(void **state)
{
	struct one one;
	static char text[3000];
	(void)state;
	one_open(&one, "");
	one.peer.window = 0;
	lan_peer_send(&one.peer, ACK, NULL, 0);
	one_write(&one, text, sizeof(text));
	lan_expect_silence(&one.lan);
	unsigned probes = 0;
	for (unsigned i = 0; i < 20; i++) { /* for ever: RFC 9293, 3.8.6.1 */
		lan_wait(&one.lan, 61 * SECOND);
		while (one.lan.first) {
			assert_int_equal(lan_expect(&one.lan).seq, one.peer.ack - 1);
			probes++;
			lan_peer_send(&one.peer, ACK, NULL, 0);
		}
	}
	assert_true(probes >= 20);
	assert_int_equal(one_state(&one), 1);
	one.peer.window = 65000;
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(lan_peer_expect(&one.peer).size, 1460);
	one_close(&one);
}

static void small_windows_are_not_filled_with_small_segments(void **state)
{
	struct one one;
	static char text[3000];
	(void)state;
	one_open(&one, "");
	one.peer.window = 0;
	lan_peer_send(&one.peer, ACK, NULL, 0);
	one_write(&one, text, sizeof(text));
	one.peer.window =
		100; /* far less than half of the largest: RFC 9293, 3.8.6.2.1 */
	lan_peer_send(&one.peer, ACK, NULL, 0);
	lan_expect_silence(&one.lan);
	lan_wait(&one.lan, 2 * SECOND); /* but not for ever */
	assert_int_equal(lan_peer_expect(&one.peer).size, 100);
	one_close(&one);
}

static void our_window_closes_and_opens_in_steps(void **state)
{
	struct one one;
	static char text[1460], all[70000];
	(void)state;
	one_open(&one, "");
	tcp_option_set(one.tcp, TCP_OPTION_RECEIVE_BUFFER, 65536);
	struct lan_segment s = {.window = 1};
	for (unsigned i = 0; i < 60 && s.window; i++) {
		lan_peer_send(&one.peer, ACK, text, 1460);
		while (one.lan.first)
			s = lan_expect(&one.lan);
	}
	assert_in_range(s.window, 0, 1460);
	lan_read(one.tcp, all, 1000);
	net_flush(&one.lan.stack);
	lan_expect_silence(&one.lan); /* RFC 9293, 3.8.6.2.2 */
	lan_read(one.tcp, all, 10000);
	net_flush(&one.lan.stack);
	assert_in_range(lan_expect(&one.lan).window, 2920, 13000);
	one_close(&one);
}

static void bytes_beyond_the_window_are_not_taken(void **state)
{
	struct one one;
	static char text[1460];
	(void)state;
	one_open(&one, "");
	one.lan.discard = true;
	for (unsigned i = 0; i < 1000; i++)
		lan_peer_send(&one.peer, ACK, text, 1460);
	assert_true(tcp_readable(one.tcp) <= one.lan.stack.buffer_limit);
	assert_true(tcp_readable(one.tcp) >= 60000);
	one_close(&one);
}

static void lost_segments_are_sent_again_with_doubled_patience(void **state)
{
	struct one one;
	uint64_t last = 0, gap = 0;
	(void)state;
	one_open(&one, "");
	one_write(&one, "a", 1);
	const uint32_t seq = lan_expect(&one.lan).seq;
	last = one.lan.now_ns;
	for (unsigned i = 0; i < 5; i++) {
		while (!one.lan.first)
			lan_wait(&one.lan, 10 * MS);
		assert_int_equal(lan_expect(&one.lan).seq, seq);
		const uint64_t now = one.lan.now_ns - last;
		if (i == 0)
			assert_in_range(now, SECOND,
					SECOND + 30 * MS); /* RFC 6298, 2.1 */
		else
			assert_in_range(now, 2 * gap - 50 * MS,
					2 * gap + 50 * MS); /* 5.5 */
		gap = now;
		last = one.lan.now_ns;
	}
	lan_wait(&one.lan, 3600 * SECOND);
	assert_int_equal(one_state(&one), 7);
	assert_int_equal(tcp_error_take(one.tcp), ETIMEDOUT);
	one_close(&one);
}

static void three_duplicates_bring_the_lost_segment_back_at_once(void **state)
{
	struct one one;
	static char text[14600];
	(void)state;
	one_open(&one, "");
	one_write(&one, text, sizeof(text));
	const uint32_t seq = lan_expect(&one.lan).seq;
	lan_drop_all(&one.lan);
	for (unsigned i = 0; i < 2; i++)
		lan_peer_send(&one.peer, ACK, NULL, 0);
	lan_expect_silence(&one.lan);
	lan_peer_send(&one.peer, ACK, NULL, 0); /* RFC 5681, 3.2 */
	struct lan_segment s = lan_expect(&one.lan);
	assert_int_equal(s.seq, seq);
	assert_int_equal(s.size, 1460);
	lan_expect_silence(&one.lan);
	one.peer.ack = seq + 4380; /* partial: the next hole at once, RFC 6582 */
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(lan_expect(&one.lan).seq, seq + 4380);
	one_close(&one);
}

static void selective_acknowledgements_spare_what_has_arrived(void **state)
{
	struct one one;
	static char text[14480];
	(void)state;
	one_open(&one, "k");
	one_write(&one, text, sizeof(text)); /* ten segments of 1448 */
	const uint32_t seq = lan_expect(&one.lan).seq;
	lan_drop_all(&one.lan);
	struct lan_segment s = {
		.source = LAN_CLIENT,
		.destination = LAN_SERVER,
		.source_port = 40000,
		.destination_port = LAN_PORT,
		.seq = one.peer.seq,
		.ack = seq,
		.flags = ACK,
		.window = 65000,
		.stamped = true,
		.stamp = one.peer.stamp,
		.echo = one.peer.echo,
		.sack_count = 2, /* the first and the third are lost */
		.sack = {{seq + 3 * 1448, seq + 10 * 1448}, {seq + 1448, seq + 2 * 1448}},
	};
	lan_send(&one.lan, &s);
	assert_int_equal(lan_expect(&one.lan).seq, seq);
	const struct lan_segment third = lan_expect(&one.lan);
	assert_int_equal(third.seq, seq + 2 * 1448);
	assert_int_equal(third.size, 1448);
	lan_expect_silence(&one.lan);
	one_close(&one);
}

static void the_first_flight_is_ten_segments(void **state)
{
	struct one one;
	static char text[60000];
	(void)state;
	one_open(&one, "");
	one_write(&one, text, sizeof(text));
	size_t flight = 0;
	while (one.lan.first)
		flight += lan_expect(&one.lan).size;
	assert_int_equal(flight, 14600); /* RFC 6928 */
	one_close(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_segments_are_acknowledged_at_once_and_one_later),
		cmocka_unit_test(
			reading_tells_no_window_that_a_peer_without_scaling_cannot_see),
		cmocka_unit_test(a_small_segment_waits_for_the_one_before_unless_nodelay),
		cmocka_unit_test(
			a_cork_holds_less_than_a_segment_for_a_fifth_of_a_second),
		cmocka_unit_test(a_zero_window_is_probed_until_it_opens),
		cmocka_unit_test(small_windows_are_not_filled_with_small_segments),
		cmocka_unit_test(our_window_closes_and_opens_in_steps),
		cmocka_unit_test(bytes_beyond_the_window_are_not_taken),
		cmocka_unit_test(lost_segments_are_sent_again_with_doubled_patience),
		cmocka_unit_test(three_duplicates_bring_the_lost_segment_back_at_once),
		cmocka_unit_test(selective_acknowledgements_spare_what_has_arrived),
		cmocka_unit_test(the_first_flight_is_ten_segments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_tcp_rules.c: rules of RFC 9293 and its companions, segment by segment. */
#include <errno.h>

#include "tests/unit/net/lan.h"

/* A stack with one accepted connection. */
struct one {
	struct lan lan;
	struct lan_peer peer;
	struct tcp *tcp;
};

static void open_one(struct one *one, const char *options)
{
	lan_open(&one->lan, 0, 4 << 20);
	lan_listen(&one->lan, 8);
	one->tcp = lan_connect(&one->lan, &one->peer, 40000, options);
	assert_non_null(one->tcp);
}

static void close_one(struct one *one)
{
	if (one->tcp)
		tcp_release(one->tcp, 0);
	lan_close(&one->lan);
}

static void write_flush(struct one *one, const void *data, size_t size)
{
	lan_write(one->tcp, data, size);
	net_flush(&one->lan.stack);
}

static uint8_t status(const struct one *one)
{
	return tcp_status(one->tcp).state;
}

/* A segment with numbers of its own. */
static void send_at(struct one *one, uint8_t flags, uint32_t seq, uint32_t ack,
		    const void *data, size_t size)
{
	struct lan_peer peer = one->peer;
	peer.seq = seq;
	peer.ack = ack;
	lan_peer_send(&peer, flags, data, size);
}

static void a_reset_counts_only_at_the_very_next_number(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	const uint32_t seq = one.peer.seq;
	send_at(&one, RST, seq + 70000, 0, NULL, 0); /* outside of the window */
	lan_expect_silence(&one.lan);
	send_at(&one, RST, seq - 1, 0, NULL, 0);
	lan_expect_silence(&one.lan);
	send_at(&one, RST, seq + 1, 0, NULL, 0); /* RFC 5961, 3.2: challenged */
	assert_int_equal(lan_expect(&one.lan).flags, ACK);
	assert_int_equal(status(&one), 1);
	send_at(&one, RST, seq, 0, NULL, 0);
	lan_expect_silence(&one.lan);
	assert_int_equal(status(&one), 7);
	assert_true(one.lan.events & TCP_FAILED);
	assert_int_equal(tcp_error_take(one.tcp), ECONNRESET);
	assert_int_equal(tcp_error_take(one.tcp), 0);
	assert_true(tcp_state_events(one.tcp) & TCP_CLOSED_BOTH);
	assert_int_equal(tcp_shutdown(one.tcp, true, true), -ENOTCONN);
	close_one(&one);
}

static void a_syn_in_a_connection_is_challenged(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "k");
	send_at(&one, SYN, one.peer.seq + 10, 0, NULL, 0); /* RFC 5961, 4.2 */
	const struct lan_segment s = lan_expect(&one.lan);
	assert_int_equal(s.flags, ACK);
	assert_int_equal(s.ack, one.peer.seq);
	assert_int_equal(status(&one), 1);
	close_one(&one);
}

static void challenges_are_bounded(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	one.lan.sent = 0;
	one.lan.discard = true;
	for (unsigned i = 0; i < 5000; i++)
		send_at(&one, SYN | ACK, one.peer.seq + 10, one.peer.ack, NULL, 0);
	assert_in_range(one.lan.sent, 100, 1100);
	close_one(&one);
}

static void an_acknowledgement_of_what_was_not_sent_is_answered_and_ignored(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	send_at(&one, ACK, one.peer.seq, one.peer.ack + 1, "data", 4);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq);
	assert_int_equal(tcp_readable(one.tcp), 0);
	send_at(&one, ACK, one.peer.seq, one.peer.ack - 100000, "data",
		4); /* RFC 5961, 5.2 */
	assert_int_equal(tcp_readable(one.tcp), 0);
	close_one(&one);
}

static void old_timestamps_are_refused(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "s");
	one.peer.stamp -= 5; /* RFC 7323, 5: PAWS */
	lan_peer_send(&one.peer, ACK, "old", 3);
	assert_int_equal(tcp_readable(one.tcp), 0);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq - 3);
	close_one(&one);
}

static void bytes_out_of_order_are_kept_and_reported(void **state)
{
	struct one one;
	char text[16] = "";
	(void)state;
	open_one(&one, "k");
	const uint32_t seq = one.peer.seq, ack = one.peer.ack;
	send_at(&one, ACK, seq + 6, ack, "ghi", 3);
	struct lan_segment s = lan_expect(&one.lan); /* at once: RFC 5681, 4.2 */
	assert_int_equal(s.ack, seq);
	assert_int_equal(s.sack_count, 1);
	send_at(&one, ACK, seq + 3, ack, "d", 1);
	s = lan_expect(&one.lan);
	assert_int_equal(s.sack_count, 2);
	assert_int_equal(s.sack[0][0], seq + 3); /* the latest first: RFC 2018, 4 */
	assert_int_equal(s.sack[0][1], seq + 4);
	assert_int_equal(s.sack[1][0], seq + 6);
	send_at(&one, ACK, seq + 4, ack, "ef", 2);
	s = lan_expect(&one.lan);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0][0], seq + 3);
	assert_int_equal(s.sack[0][1], seq + 9);
	send_at(&one, ACK, seq, ack, "abcde", 5);
	s = lan_expect(&one.lan);
	assert_int_equal(s.sack_count, 0);
	assert_int_equal(s.ack, seq + 9);
	assert_int_equal(lan_read(one.tcp, text, 16), 9);
	assert_string_equal(text, "abcdefghi");
	close_one(&one);
}

static void what_is_out_of_order_is_bounded(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "k");
	one.lan.discard = true;
	for (uint32_t i = 0; i < 1000; i++)
		send_at(&one, ACK, one.peer.seq + 2 * i + 1, one.peer.ack, "x", 1);
	one.lan.discard = false;
	char zeros[100] = "";
	send_at(&one, ACK, one.peer.seq, one.peer.ack, zeros, 1);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq + 2);
	assert_true(one.lan.stack.memory_used < 64 << 10);
	close_one(&one);
}

static void a_fin_out_of_order_waits_for_the_bytes_before_it(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	const uint32_t seq = one.peer.seq;
	send_at(&one, ACK | FIN, seq + 3, one.peer.ack, "def", 3);
	assert_int_equal(lan_expect(&one.lan).ack, seq);
	lan_drop_all(&one.lan);
	send_at(&one, ACK, seq, one.peer.ack, "abc", 3);
	assert_int_equal(lan_expect(&one.lan).ack, seq + 7);
	assert_int_equal(status(&one), 8);
	assert_int_equal(tcp_readable(one.tcp), 6);
	close_one(&one);
}

static void two_segments_are_acknowledged_at_once_and_one_later(void **state)
{
	struct one one;
	static char text[1460];
	(void)state;
	open_one(&one, "");
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
	write_flush(&one, "x", 1); /* goes with the answer */
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq);
	lan_wait(&one.lan, 100 * MS);
	lan_expect_silence(&one.lan);
	close_one(&one);
}

static void a_small_segment_waits_for_the_one_before_unless_nodelay(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	write_flush(&one, "a", 1);
	assert_int_equal(lan_peer_expect(&one.peer).size, 1);
	write_flush(&one, "b", 1);
	write_flush(&one, "c", 1);
	lan_expect_silence(&one.lan); /* Nagle: RFC 9293, 3.7.4 */
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(lan_peer_expect(&one.peer).size, 2);
	tcp_option_set(one.tcp, TCP_OPTION_NODELAY, 1);
	write_flush(&one, "d", 1);
	assert_int_equal(lan_peer_expect(&one.peer).size, 1);
	close_one(&one);
}

static void a_cork_holds_less_than_a_segment_for_a_fifth_of_a_second(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	tcp_option_set(one.tcp, TCP_OPTION_CORK, 1);
	write_flush(&one, "a", 1);
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
	close_one(&one);
}

static void a_zero_window_is_probed_until_it_opens(void **state)
{
	struct one one;
	static char text[3000];
	(void)state;
	open_one(&one, "");
	one.peer.window = 0;
	lan_peer_send(&one.peer, ACK, NULL, 0);
	write_flush(&one, text, sizeof(text));
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
	assert_int_equal(status(&one), 1);
	one.peer.window = 65000;
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(lan_peer_expect(&one.peer).size, 1460);
	close_one(&one);
}

static void small_windows_are_not_filled_with_small_segments(void **state)
{
	struct one one;
	static char text[3000];
	(void)state;
	open_one(&one, "");
	one.peer.window = 0;
	lan_peer_send(&one.peer, ACK, NULL, 0);
	write_flush(&one, text, sizeof(text));
	one.peer.window =
		100; /* far less than half of the largest: RFC 9293, 3.8.6.2.1 */
	lan_peer_send(&one.peer, ACK, NULL, 0);
	lan_expect_silence(&one.lan);
	lan_wait(&one.lan, 2 * SECOND); /* but not for ever */
	assert_int_equal(lan_peer_expect(&one.peer).size, 100);
	close_one(&one);
}

static void our_window_closes_and_opens_in_steps(void **state)
{
	struct one one;
	static char text[1460], all[70000];
	(void)state;
	open_one(&one, "");
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
	close_one(&one);
}

static void bytes_beyond_the_window_are_not_taken(void **state)
{
	struct one one;
	static char text[1460];
	(void)state;
	open_one(&one, "");
	one.lan.discard = true;
	for (unsigned i = 0; i < 1000; i++)
		lan_peer_send(&one.peer, ACK, text, 1460);
	assert_true(tcp_readable(one.tcp) <= one.lan.stack.buffer_limit);
	assert_true(tcp_readable(one.tcp) >= 60000);
	close_one(&one);
}

static void lost_segments_are_sent_again_with_doubled_patience(void **state)
{
	struct one one;
	uint64_t last = 0, gap = 0;
	(void)state;
	open_one(&one, "");
	write_flush(&one, "a", 1);
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
	assert_int_equal(status(&one), 7);
	assert_int_equal(tcp_error_take(one.tcp), ETIMEDOUT);
	close_one(&one);
}

static void three_duplicates_bring_the_lost_segment_back_at_once(void **state)
{
	struct one one;
	static char text[14600];
	(void)state;
	open_one(&one, "");
	write_flush(&one, text, sizeof(text));
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
	close_one(&one);
}

static void selective_acknowledgements_spare_what_has_arrived(void **state)
{
	struct one one;
	static char text[14480];
	(void)state;
	open_one(&one, "k");
	write_flush(&one, text, sizeof(text)); /* ten segments of 1448 */
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
	close_one(&one);
}

static void the_first_flight_is_ten_segments(void **state)
{
	struct one one;
	static char text[60000];
	(void)state;
	open_one(&one, "");
	write_flush(&one, text, sizeof(text));
	size_t flight = 0;
	while (one.lan.first)
		flight += lan_expect(&one.lan).size;
	assert_int_equal(flight, 14600); /* RFC 6928 */
	close_one(&one);
}

static void either_side_may_close_first(void **state)
{
	struct one one;
	char text[8];
	(void)state;
	open_one(&one, "");
	lan_peer_send(&one.peer, FIN | ACK, NULL, 0);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq);
	assert_int_equal(status(&one), 8);
	write_flush(&one, "still", 5); /* half-closed: we may go on */
	assert_int_equal(lan_peer_expect(&one.peer).size, 5);
	tcp_shutdown(one.tcp, false, true);
	net_flush(&one.lan.stack);
	assert_int_equal(lan_peer_expect(&one.peer).flags & FIN, FIN);
	assert_int_equal(status(&one), 9);
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(status(&one), 7);
	assert_int_equal(tcp_error_take(one.tcp), 0);
	close_one(&one);

	open_one(&one, "");
	tcp_shutdown(one.tcp, false, true);
	net_flush(&one.lan.stack);
	lan_peer_expect(&one.peer);
	assert_int_equal(status(&one), 4);
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(status(&one), 5);
	lan_peer_send(&one.peer, ACK, "still", 5);
	assert_int_equal(lan_read(one.tcp, text, 8), 5);
	lan_peer_send(&one.peer, FIN | ACK, NULL, 0);
	assert_int_equal(status(&one), 6);
	assert_true(tcp_state_events(one.tcp) & TCP_CLOSED_BOTH);
	lan_wait(&one.lan, 61 * SECOND);
	assert_int_equal(status(&one), 7);
	close_one(&one);
}

static void both_sides_may_close_at_once(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	tcp_shutdown(one.tcp, false, true);
	net_flush(&one.lan.stack);
	const uint32_t ack = one.peer.ack;
	send_at(&one, FIN | ACK, one.peer.seq, ack, NULL, 0);
	assert_int_equal(status(&one), 11);
	send_at(&one, ACK, one.peer.seq + 1, ack + 1, NULL, 0);
	assert_int_equal(status(&one), 6);
	close_one(&one);
}

static void a_lost_fin_is_sent_again(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	lan_write(one.tcp, "bye", 3);
	tcp_release(one.tcp, -1);
	one.tcp = NULL;
	net_flush(&one.lan.stack);
	assert_int_equal(lan_expect(&one.lan).flags & FIN, FIN);
	lan_wait(&one.lan, 1500 * MS);
	const struct lan_segment s = lan_peer_expect(&one.peer);
	assert_int_equal(s.flags & FIN, FIN);
	assert_int_equal(s.size, 3);
	lan_peer_send(&one.peer, FIN | ACK, NULL, 0);
	assert_int_equal(one.lan.stack.wait_count, 1);
	close_one(&one);
}

static void release_with_unread_bytes_or_no_linger_resets(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	lan_peer_send(&one.peer, ACK, "unread", 6);
	tcp_release(one.tcp, -1); /* RFC 2525, 2.17 */
	one.tcp = NULL;
	assert_int_equal(lan_expect(&one.lan).flags & RST, RST);
	assert_int_equal(one.lan.stack.connection_count, 0);
	close_one(&one);
	open_one(&one, "");
	tcp_release(one.tcp, 0);
	one.tcp = NULL;
	assert_int_equal(lan_expect(&one.lan).flags & RST, RST);
	close_one(&one);
}

static void bytes_for_nobody_are_answered_with_a_reset(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	tcp_release(one.tcp, -1);
	one.tcp = NULL;
	net_flush(&one.lan.stack);
	lan_peer_expect(&one.peer);
	lan_peer_send(&one.peer, ACK, "hello?", 6);
	assert_int_equal(lan_expect(&one.lan).flags & RST, RST);
	assert_int_equal(one.lan.stack.connection_count, 0);
	close_one(&one);
}

static void a_peer_that_never_closes_is_left_after_a_minute(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	tcp_release(one.tcp, -1);
	one.tcp = NULL;
	net_flush(&one.lan.stack);
	lan_peer_expect(&one.peer);
	lan_peer_send(&one.peer, ACK, NULL, 0);
	lan_wait(&one.lan, 50 * SECOND);
	assert_int_equal(one.lan.stack.connection_count, 1);
	lan_wait(&one.lan, 11 * SECOND);
	assert_int_equal(one.lan.stack.connection_count, 0);
	close_one(&one);
}

static void a_reset_ends_every_state(void **state)
{
	struct one one;
	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		open_one(&one, "k");
		if (kind == 1 || kind == 5)
			lan_peer_send(&one.peer, FIN | ACK, NULL, 0); /* CLOSE-WAIT */
		if (kind >= 2)
			tcp_shutdown(one.tcp, false, true); /* FIN-WAIT-1, LAST-ACK */
		net_flush(&one.lan.stack);
		if (kind == 3) {
			one.peer.ack++; /* FIN-WAIT-2 */
			lan_peer_send(&one.peer, ACK, NULL, 0);
		} else if (kind == 4) {
			lan_peer_send(&one.peer, FIN | ACK, NULL, 0); /* CLOSING */
		}
		static const uint8_t states[] = {1, 8, 4, 5, 11, 9};
		assert_int_equal(status(&one), states[kind]);
		lan_peer_send(&one.peer, RST, NULL, 0);
		assert_int_equal(status(&one), 7);
		assert_int_not_equal(tcp_error_take(one.tcp), 0);
		assert_int_equal(one.lan.stack.connection_count, 0);
		close_one(&one);
	}
}

static void keep_alive_finds_the_dead_and_spares_the_living(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	tcp_option_set(one.tcp, TCP_OPTION_KEEPALIVE, 1);
	tcp_option_set(one.tcp, TCP_OPTION_KEEP_IDLE_S, 10);
	tcp_option_set(one.tcp, TCP_OPTION_KEEP_INTERVAL_S, 5);
	tcp_option_set(one.tcp, TCP_OPTION_KEEP_COUNT, 3);
	for (unsigned i = 0; i < 5; i++) {
		lan_wait(&one.lan, 11 * SECOND);
		assert_int_equal(lan_expect(&one.lan).seq, one.peer.ack - 1);
		lan_peer_send(&one.peer, ACK, NULL, 0);
	}
	lan_wait(&one.lan, 24 * SECOND);
	assert_int_equal(status(&one), 1);
	lan_wait(&one.lan, 4 * SECOND);
	assert_int_equal(tcp_error_take(one.tcp), ETIMEDOUT);
	close_one(&one);
}

static void a_user_timeout_ends_waiting(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	tcp_option_set(one.tcp, TCP_OPTION_USER_TIMEOUT_MS, 5000);
	write_flush(&one, "a", 1);
	lan_wait(&one.lan, 4 * SECOND);
	assert_int_equal(status(&one), 1);
	lan_wait(&one.lan, 6 * SECOND);
	assert_int_equal(tcp_error_take(one.tcp), ETIMEDOUT);
	close_one(&one);
}

static void a_full_device_delays_and_loses_nothing(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	one.lan.transmit_full = true;
	write_flush(&one, "abc", 3);
	one.lan.transmit_full = false;
	net_flush(&one.lan.stack);
	assert_int_equal(lan_expect(&one.lan).size, 3);
	close_one(&one);
}

static void the_device_may_compute_checksums_and_cut_segments(void **state)
{
	struct one one;
	static char text[14600];
	(void)state;
	lan_open(&one.lan, NETDEV_TX_CHECKSUM | NETDEV_TSO, 4 << 20);
	lan_listen(&one.lan, 8);
	one.tcp = lan_connect(&one.lan, &one.peer, 40000, "");
	write_flush(&one, text, sizeof(text));
	assert_true(one.lan.first->checksum_left);
	size_t all = 0;
	unsigned frames = 0;
	while (one.lan.first) {
		const uint16_t cut = one.lan.first->segment_size;
		const size_t size = lan_expect(&one.lan).size; /* lan.c checks the sum */
		assert_true(size <= 1460 || cut == 1460);
		all += size;
		frames++;
	}
	assert_int_equal(all, 14600);
	assert_true(frames < 5);
	close_one(&one);
}

static void a_bad_checksum_is_dropped_unless_the_device_vouches(void **state)
{
	struct one one;
	uint8_t frame[128];
	(void)state;
	open_one(&one, "");
	const struct lan_segment s = {.source = LAN_CLIENT,
				      .destination = LAN_SERVER,
				      .source_port = 40000,
				      .destination_port = LAN_PORT,
				      .seq = one.peer.seq,
				      .ack = one.peer.ack,
				      .flags = ACK,
				      .window = 65000,
				      .data = "x",
				      .size = 1};
	const size_t size = lan_build(frame, &s);
	frame[size - 1] ^= 1;
	net_input(&one.lan.stack, frame, size, false);
	assert_int_equal(tcp_readable(one.tcp), 0);
	assert_int_equal(one.lan.stack.counters.rx_bad_checksum, 1);
	net_input(&one.lan.stack, frame, size, true);
	assert_int_equal(tcp_readable(one.tcp), 1);
	close_one(&one);
}

static void one_port_has_one_listener(void **state)
{
	struct lan lan;
	struct tcp_listener *other;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan_listen(&lan, 1);
	assert_int_equal(tcp_listen(&lan.stack,
				    (struct tcp_endpoint){LAN_SERVER, LAN_PORT}, 1, NULL,
				    NULL, &other),
			 -EADDRINUSE);
	assert_int_equal(tcp_listen(&lan.stack, (struct tcp_endpoint){LAN_SERVER, 81}, 1,
				    NULL, NULL, &other),
			 0);
	assert_int_equal(tcp_listen(&lan.stack, (struct tcp_endpoint){LAN_SERVER + 1, 81},
				    1, NULL, NULL, &(struct tcp_listener *){0}),
			 0);
	tcp_unlisten(lan.stack.listeners);
	tcp_unlisten(other);
	lan_close(&lan);
}

static void losing_the_address_ends_connections(void **state)
{
	struct one one;
	(void)state;
	open_one(&one, "");
	net_address_set(&one.lan.stack, 0, 0, 0);
	assert_int_equal(status(&one), 7);
	assert_int_equal(tcp_error_take(one.tcp), ECONNABORTED);
	close_one(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_counts_only_at_the_very_next_number),
		cmocka_unit_test(a_syn_in_a_connection_is_challenged),
		cmocka_unit_test(challenges_are_bounded),
		cmocka_unit_test(
			an_acknowledgement_of_what_was_not_sent_is_answered_and_ignored),
		cmocka_unit_test(old_timestamps_are_refused),
		cmocka_unit_test(bytes_out_of_order_are_kept_and_reported),
		cmocka_unit_test(what_is_out_of_order_is_bounded),
		cmocka_unit_test(a_fin_out_of_order_waits_for_the_bytes_before_it),
		cmocka_unit_test(two_segments_are_acknowledged_at_once_and_one_later),
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
		cmocka_unit_test(either_side_may_close_first),
		cmocka_unit_test(both_sides_may_close_at_once),
		cmocka_unit_test(a_lost_fin_is_sent_again),
		cmocka_unit_test(release_with_unread_bytes_or_no_linger_resets),
		cmocka_unit_test(bytes_for_nobody_are_answered_with_a_reset),
		cmocka_unit_test(a_peer_that_never_closes_is_left_after_a_minute),
		cmocka_unit_test(a_reset_ends_every_state),
		cmocka_unit_test(keep_alive_finds_the_dead_and_spares_the_living),
		cmocka_unit_test(a_user_timeout_ends_waiting),
		cmocka_unit_test(a_full_device_delays_and_loses_nothing),
		cmocka_unit_test(the_device_may_compute_checksums_and_cut_segments),
		cmocka_unit_test(a_bad_checksum_is_dropped_unless_the_device_vouches),
		cmocka_unit_test(one_port_has_one_listener),
		cmocka_unit_test(losing_the_address_ends_connections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

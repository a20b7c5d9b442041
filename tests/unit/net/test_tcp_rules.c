/* test_tcp_rules.c: what is accepted: resets, acknowledgements, order (RFC 9293, 5961,
 * 7323). */
#include <errno.h>

#include "tests/unit/net/one.h"

static void a_reset_counts_only_at_the_very_next_number(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	const uint32_t seq = one.peer.seq;
	one_send_at(&one, RST, seq + 70000, 0, NULL, 0); /* outside of the window */
	lan_expect_silence(&one.lan);
	one_send_at(&one, RST, seq - 1, 0, NULL, 0);
	lan_expect_silence(&one.lan);
	one_send_at(&one, RST, seq + 1, 0, NULL, 0); /* RFC 5961, 3.2: challenged */
	assert_int_equal(lan_expect(&one.lan).flags, ACK);
	assert_int_equal(one_state(&one), 1);
	one_send_at(&one, RST, seq, 0, NULL, 0);
	lan_expect_silence(&one.lan);
	assert_int_equal(one_state(&one), 7);
	assert_true(one.lan.events & TCP_FAILED);
	assert_int_equal(tcp_error_take(one.tcp), ECONNRESET);
	assert_int_equal(tcp_error_take(one.tcp), 0);
	assert_true(tcp_state_events(one.tcp) & TCP_CLOSED_BOTH);
	assert_int_equal(tcp_shutdown(one.tcp, true, true), -ENOTCONN);
	one_close(&one);
}

static void a_syn_in_a_connection_is_challenged(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "k");
	one_send_at(&one, SYN, one.peer.seq + 10, 0, NULL, 0); /* RFC 5961, 4.2 */
	const struct lan_segment s = lan_expect(&one.lan);
	assert_int_equal(s.flags, ACK);
	assert_int_equal(s.ack, one.peer.seq);
	assert_int_equal(one_state(&one), 1);
	one_close(&one);
}

static void challenges_are_bounded(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	one.lan.sent = 0;
	one.lan.discard = true;
	for (unsigned i = 0; i < 5000; i++)
		one_send_at(&one, SYN | ACK, one.peer.seq + 10, one.peer.ack, NULL, 0);
	assert_in_range(one.lan.sent, 100, 1100);
	one_close(&one);
}

static void an_acknowledgement_of_what_was_not_sent_is_answered_and_ignored(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	one_send_at(&one, ACK, one.peer.seq, one.peer.ack + 1, "data", 4);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq);
	assert_int_equal(tcp_readable(one.tcp), 0);
	one_send_at(&one, ACK, one.peer.seq, one.peer.ack - 100000, "data",
		    4); /* RFC 5961, 5.2 */
	assert_int_equal(tcp_readable(one.tcp), 0);
	one_close(&one);
}

static void old_timestamps_are_refused(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "s");
	one.peer.stamp -= 5; /* RFC 7323, 5: PAWS */
	lan_peer_send(&one.peer, ACK, "old", 3);
	assert_int_equal(tcp_readable(one.tcp), 0);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq - 3);
	one_close(&one);
}

static void bytes_out_of_order_are_kept_and_reported(void **state)
{
	struct one one;
	char text[16] = "";
	(void)state;
	one_open(&one, "k");
	const uint32_t seq = one.peer.seq, ack = one.peer.ack;
	one_send_at(&one, ACK, seq + 6, ack, "ghi", 3);
	struct lan_segment s = lan_expect(&one.lan); /* at once: RFC 5681, 4.2 */
	assert_int_equal(s.ack, seq);
	assert_int_equal(s.sack_count, 1);
	one_send_at(&one, ACK, seq + 3, ack, "d", 1);
	s = lan_expect(&one.lan);
	assert_int_equal(s.sack_count, 2);
	assert_int_equal(s.sack[0][0], seq + 3); /* the latest first: RFC 2018, 4 */
	assert_int_equal(s.sack[0][1], seq + 4);
	assert_int_equal(s.sack[1][0], seq + 6);
	one_send_at(&one, ACK, seq + 4, ack, "ef", 2);
	s = lan_expect(&one.lan);
	assert_int_equal(s.sack_count, 1);
	assert_int_equal(s.sack[0][0], seq + 3);
	assert_int_equal(s.sack[0][1], seq + 9);
	one_send_at(&one, ACK, seq, ack, "abcde", 5);
	s = lan_expect(&one.lan);
	assert_int_equal(s.sack_count, 0);
	assert_int_equal(s.ack, seq + 9);
	assert_int_equal(lan_read(one.tcp, text, 16), 9);
	assert_string_equal(text, "abcdefghi");
	one_close(&one);
}

static void what_is_out_of_order_is_bounded(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "k");
	one.lan.discard = true;
	for (uint32_t i = 0; i < 1000; i++)
		one_send_at(&one, ACK, one.peer.seq + 2 * i + 1, one.peer.ack, "x", 1);
	one.lan.discard = false;
	char zeros[100] = "";
	one_send_at(&one, ACK, one.peer.seq, one.peer.ack, zeros, 1);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq + 2);
	assert_true(one.lan.stack.memory_used < 64 << 10);
	one_close(&one);
}

static void a_fin_out_of_order_waits_for_the_bytes_before_it(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	const uint32_t seq = one.peer.seq;
	one_send_at(&one, ACK | FIN, seq + 3, one.peer.ack, "def", 3);
	assert_int_equal(lan_expect(&one.lan).ack, seq);
	lan_drop_all(&one.lan);
	one_send_at(&one, ACK, seq, one.peer.ack, "abc", 3);
	assert_int_equal(lan_expect(&one.lan).ack, seq + 7);
	assert_int_equal(one_state(&one), 8);
	assert_int_equal(tcp_readable(one.tcp), 6);
	one_close(&one);
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

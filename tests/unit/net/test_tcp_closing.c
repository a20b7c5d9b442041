/* test_tcp_closing.c: how connections end. */
#include <errno.h>

#include "tests/unit/net/one.h"

static void either_side_may_close_first(void **state)
{
	struct one one;
	char text[8];
	(void)state;
	one_open(&one, "");
	lan_peer_send(&one.peer, FIN | ACK, NULL, 0);
	assert_int_equal(lan_expect(&one.lan).ack, one.peer.seq);
	assert_int_equal(one_state(&one), 8);
	one_write(&one, "still", 5); /* half-closed: we may go on */
	assert_int_equal(lan_peer_expect(&one.peer).size, 5);
	tcp_shutdown(one.tcp, false, true);
	net_flush(&one.lan.stack);
	assert_int_equal(lan_peer_expect(&one.peer).flags & FIN, FIN);
	assert_int_equal(one_state(&one), 9);
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(one_state(&one), 7);
	assert_int_equal(tcp_error_take(one.tcp), 0);
	one_close(&one);

	one_open(&one, "");
	tcp_shutdown(one.tcp, false, true);
	net_flush(&one.lan.stack);
	lan_peer_expect(&one.peer);
	assert_int_equal(one_state(&one), 4);
	lan_peer_send(&one.peer, ACK, NULL, 0);
	assert_int_equal(one_state(&one), 5);
	lan_peer_send(&one.peer, ACK, "still", 5);
	assert_int_equal(lan_read(one.tcp, text, 8), 5);
	lan_peer_send(&one.peer, FIN | ACK, NULL, 0);
	assert_int_equal(one_state(&one), 6);
	assert_true(tcp_state_events(one.tcp) & TCP_CLOSED_BOTH);
	lan_wait(&one.lan, 61 * SECOND);
	assert_int_equal(one_state(&one), 7);
	one_close(&one);
}

static void both_sides_may_close_at_once(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	tcp_shutdown(one.tcp, false, true);
	net_flush(&one.lan.stack);
	const uint32_t ack = one.peer.ack;
	one_send_at(&one, FIN | ACK, one.peer.seq, ack, NULL, 0);
	assert_int_equal(one_state(&one), 11);
	one_send_at(&one, ACK, one.peer.seq + 1, ack + 1, NULL, 0);
	assert_int_equal(one_state(&one), 6);
	one_close(&one);
}

static void a_lost_fin_is_sent_again(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
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
	one_close(&one);
}

static void release_with_unread_bytes_or_no_linger_resets(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	lan_peer_send(&one.peer, ACK, "unread", 6);
	tcp_release(one.tcp, -1); /* RFC 2525, 2.17 */
	one.tcp = NULL;
	assert_int_equal(lan_expect(&one.lan).flags & RST, RST);
	assert_int_equal(one.lan.stack.connection_count, 0);
	one_close(&one);
	one_open(&one, "");
	tcp_release(one.tcp, 0);
	one.tcp = NULL;
	assert_int_equal(lan_expect(&one.lan).flags & RST, RST);
	one_close(&one);
}

static void bytes_for_nobody_are_answered_with_a_reset(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	tcp_release(one.tcp, -1);
	one.tcp = NULL;
	net_flush(&one.lan.stack);
	lan_peer_expect(&one.peer);
	lan_peer_send(&one.peer, ACK, "hello?", 6);
	assert_int_equal(lan_expect(&one.lan).flags & RST, RST);
	assert_int_equal(one.lan.stack.connection_count, 0);
	one_close(&one);
}

static void a_peer_that_never_closes_is_left_after_a_minute(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	tcp_release(one.tcp, -1);
	one.tcp = NULL;
	net_flush(&one.lan.stack);
	lan_peer_expect(&one.peer);
	lan_peer_send(&one.peer, ACK, NULL, 0);
	lan_wait(&one.lan, 50 * SECOND);
	assert_int_equal(one.lan.stack.connection_count, 1);
	lan_wait(&one.lan, 11 * SECOND);
	assert_int_equal(one.lan.stack.connection_count, 0);
	one_close(&one);
}

static void a_reset_ends_every_state(void **state)
{
	struct one one;
	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		one_open(&one, "k");
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
		assert_int_equal(one_state(&one), states[kind]);
		lan_peer_send(&one.peer, RST, NULL, 0);
		assert_int_equal(one_state(&one), 7);
		assert_int_not_equal(tcp_error_take(one.tcp), 0);
		assert_int_equal(one.lan.stack.connection_count, 0);
		one_close(&one);
	}
}

static void keep_alive_finds_the_dead_and_spares_the_living(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
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
	assert_int_equal(one_state(&one), 1);
	lan_wait(&one.lan, 4 * SECOND);
	assert_int_equal(tcp_error_take(one.tcp), ETIMEDOUT);
	one_close(&one);
}

static void a_user_timeout_ends_waiting(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	tcp_option_set(one.tcp, TCP_OPTION_USER_TIMEOUT_MS, 5000);
	one_write(&one, "a", 1);
	lan_wait(&one.lan, 4 * SECOND);
	assert_int_equal(one_state(&one), 1);
	lan_wait(&one.lan, 6 * SECOND);
	assert_int_equal(tcp_error_take(one.tcp), ETIMEDOUT);
	one_close(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_side_may_close_first),
		cmocka_unit_test(both_sides_may_close_at_once),
		cmocka_unit_test(a_lost_fin_is_sent_again),
		cmocka_unit_test(release_with_unread_bytes_or_no_linger_resets),
		cmocka_unit_test(bytes_for_nobody_are_answered_with_a_reset),
		cmocka_unit_test(a_peer_that_never_closes_is_left_after_a_minute),
		cmocka_unit_test(a_reset_ends_every_state),
		cmocka_unit_test(keep_alive_finds_the_dead_and_spares_the_living),
		cmocka_unit_test(a_user_timeout_ends_waiting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

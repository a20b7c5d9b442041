/* test_tcp_device.c: TCP and what is below it: the device, its offloads, ports, the
 * address. */
#include <errno.h>

#include "tests/unit/net/one.h"

static void a_full_device_delays_and_loses_nothing(void **state)
{
	struct one one;
	(void)state;
	one_open(&one, "");
	one.lan.transmit_full = true;
	one_write(&one, "abc", 3);
	one.lan.transmit_full = false;
	net_flush(&one.lan.stack);
	assert_int_equal(lan_expect(&one.lan).size, 3);
	one_close(&one);
}

static void the_device_may_compute_checksums_and_cut_segments(void **state)
{
	struct one one;
	static char text[14600];
	(void)state;
	lan_open(&one.lan, NETDEV_TX_CHECKSUM | NETDEV_TSO, 4 << 20);
	lan_listen(&one.lan, 8);
	one.tcp = lan_connect(&one.lan, &one.peer, 40000, "");
	one_write(&one, text, sizeof(text));
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
	one_close(&one);
}

static void a_bad_checksum_is_dropped_unless_the_device_vouches(void **state)
{
	struct one one;
	uint8_t frame[128];
	(void)state;
	one_open(&one, "");
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
	one_close(&one);
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
	one_open(&one, "");
	net_address_set(&one.lan.stack, 0, 0, 0);
	assert_int_equal(one_state(&one), 7);
	assert_int_equal(tcp_error_take(one.tcp), ECONNABORTED);
	one_close(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_device_delays_and_loses_nothing),
		cmocka_unit_test(the_device_may_compute_checksums_and_cut_segments),
		cmocka_unit_test(a_bad_checksum_is_dropped_unless_the_device_vouches),
		cmocka_unit_test(one_port_has_one_listener),
		cmocka_unit_test(losing_the_address_ends_connections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

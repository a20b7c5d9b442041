/* test_net_dhcp.c: an address is got, kept, renewed and given up, whatever servers say.
 */
#include "tests/unit/net/lan.h"

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, DHCP_ACK, NAK };
#define SERVER_ID LAN_CLIENT
#define LEASE     1000u

struct request {
	uint8_t type, mac[6];
	uint32_t xid, requested, server, source, destination, client;
};

static const uint8_t *option(const uint8_t *message, size_t size, uint8_t code)
{
	for (size_t at = 240; at < size && message[at] != 255;) {
		if (message[at] == code)
			return message + at + 2;
		at += message[at] ? message[at + 1] + 2u : 1;
	}
	return NULL;
}

/* The next frame is a request of the client's. */
static struct request expect_request(struct lan *lan)
{
	struct lan_frame *f = lan_take(lan);
	assert_non_null(f);
	const uint8_t *ip = f->bytes + 14, *udp = ip + 20, *message = udp + 8;
	assert_int_equal(ip[9], 17);
	assert_int_equal(get16(udp), 68);
	assert_int_equal(get16(udp + 2), 67);
	const uint32_t size = get16(udp + 4);
	const uint64_t pseudo = checksum_pseudo(get32(ip + 12), get32(ip + 16), 17, size);
	assert_int_equal(checksum_fold(checksum_add(pseudo, udp, size)), 0xffff);
	struct request r = {.xid = get32(message + 4),
			    .source = get32(ip + 12),
			    .destination = get32(ip + 16),
			    .client = get32(message + 12)};
	memcpy(r.mac, f->bytes, 6);
	r.type = *option(message, size - 8, 53);
	const uint8_t *p = option(message, size - 8, 50);
	r.requested = p ? get32(p) : 0;
	p = option(message, size - 8, 54);
	r.server = p ? get32(p) : 0;
	free(f);
	return r;
}

static void send_answer(struct lan *lan, uint32_t xid, uint32_t address,
			const uint8_t *options, size_t size)
{
	uint8_t *frame = calloc(1, 14 + 28 + 240 + size), *ip = frame + 14,
		*udp = ip + 20;
	uint8_t *message = udp + 8;
	const uint32_t length = (uint32_t)(8 + 240 + size);
	memset(frame, 255, 6);
	memcpy(frame + 6, "\2\0\0\0\0\1\10", 7);
	ip[0] = 0x45;
	put16(ip + 2, 20 + length);
	ip[9] = 17;
	put32(ip + 12, SERVER_ID);
	put32(ip + 16, 0xffffffff);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, 20)));
	put16(udp, 67);
	put16(udp + 2, 68);
	put16(udp + 4, length);
	memcpy(message, "\2\1\6", 3);
	put32(message + 4, xid);
	put32(message + 16, address);
	memcpy(message + 28, "\2\0\0\0\0\2", 6);
	put32(message + 236, 0x63825363);
	memcpy(message + 240, options, size);
	net_input(&lan->stack, frame, 14 + 20 + length, false);
	net_flush(&lan->stack);
	free(frame);
}

static void answer(struct lan *lan, uint32_t xid, uint8_t type, uint32_t address,
		   uint32_t lease)
{
	uint8_t o[64] = {53,  1,   type, 54, 4, 0, 0, 0, 0, 1,  4, 255,
			 255, 255, 0,    3,  4, 0, 0, 0, 0, 51, 4};
	put32(o + 5, SERVER_ID);
	put32(o + 17, LAN_CLIENT);
	put32(o + 23, lease);
	o[27] = 255;
	send_answer(lan, xid, address, o, 28);
}

static void open_bound(struct lan *lan, uint32_t lease)
{
	lan_open(lan, 0, 1 << 20);
	net_address_set(&lan->stack, 0, 0, 0);
	net_dhcp_start(&lan->stack);
	struct request r = expect_request(lan);
	assert_int_equal(r.type, DISCOVER);
	assert_int_equal(r.source, 0);
	assert_int_equal(r.destination, 0xffffffff);
	answer(lan, r.xid, OFFER, LAN_SERVER + 7, lease);
	r = expect_request(lan);
	assert_int_equal(r.type, REQUEST);
	assert_int_equal(r.requested, LAN_SERVER + 7);
	assert_int_equal(r.server, SERVER_ID);
	answer(lan, r.xid, DHCP_ACK, LAN_SERVER + 7, lease);
	assert_int_equal(lan->stack.address, LAN_SERVER + 7);
	assert_int_equal(lan->stack.netmask, 0xffffff00);
	assert_int_equal(lan->stack.gateway, LAN_CLIENT);
	lan_drop_all(lan); /* the announcement */
}

static void an_address_is_offered_requested_and_taken(void **state)
{
	struct lan lan;
	(void)state;
	open_bound(&lan, LEASE);
	lan_close(&lan);
}

static void a_lease_is_renewed_at_half_of_its_time(void **state)
{
	struct lan lan;
	(void)state;
	open_bound(&lan, LEASE);
	for (unsigned i = 0; i < 3; i++) {
		lan_wait(&lan, (LEASE / 2 - 4) * SECOND);
		lan_expect_silence(&lan);
		lan_wait(&lan, 5 * SECOND);
		const struct request r = expect_request(&lan);
		assert_int_equal(r.type, REQUEST);
		assert_int_equal(r.destination, SERVER_ID); /* RFC 2131, 4.3.2: unicast */
		assert_int_equal(r.client, LAN_SERVER + 7);
		assert_int_equal(r.server, 0);
		assert_int_equal(r.requested, 0);
		answer(&lan, r.xid, DHCP_ACK, LAN_SERVER + 7, LEASE);
		lan_expect_silence(&lan);
		assert_int_equal(lan.stack.dhcp.state, DHCP_BOUND);
	}
	lan_close(&lan);
}

static void without_an_answer_all_servers_are_asked_and_the_address_given_up(void **state)
{
	struct lan lan;
	bool rebinding = false;
	(void)state;
	open_bound(&lan, LEASE);
	for (unsigned s = 0; s < LEASE + 2; s++) {
		lan_wait(&lan, SECOND);
		while (lan.first && lan.stack.address) {
			const struct request r = expect_request(&lan);
			const bool all = r.destination == 0xffffffff;
			assert_true(s < LEASE * 7 / 8 - 1 ? !all
							  : all || s < LEASE * 7 / 8 + 2);
			rebinding |= all;
		}
	}
	assert_true(rebinding);
	assert_int_equal(lan.stack.address, 0);
	assert_int_equal(expect_request(&lan).type, DISCOVER);
	lan_close(&lan);
}

static void a_refusal_means_to_begin_again(void **state)
{
	struct lan lan;
	(void)state;
	open_bound(&lan, LEASE);
	lan_wait(&lan, (LEASE / 2 + 1) * SECOND);
	const struct request r = expect_request(&lan);
	answer(&lan, r.xid, NAK, 0, 0);
	assert_int_equal(lan.stack.address, 0);
	assert_int_equal(expect_request(&lan).type, DISCOVER);
	lan_close(&lan);
}

static void requests_are_repeated_less_and_less_often(void **state)
{
	struct lan lan;
	uint64_t last = 0;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	net_address_set(&lan.stack, 0, 0, 0);
	net_dhcp_start(&lan.stack);
	expect_request(&lan);
	last = lan.now_ns;
	for (unsigned i = 0; i < 8; i++) {
		while (!lan.first)
			lan_wait(&lan, SECOND / 10);
		expect_request(&lan);
		const uint64_t gap = lan.now_ns - last,
			       expected = i ? (2 * SECOND) << (i > 5 ? 5 : i) : 0;
		if (i) /* RFC 2131, 4.1: 4, 8, 16, 32, 64 s give or take one */
			assert_in_range(gap, expected - SECOND - SECOND / 5,
					expected + SECOND + SECOND / 5);
		last = lan.now_ns;
	}
	lan_close(&lan);
}

static void answers_that_are_not_for_us_are_ignored(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	net_address_set(&lan.stack, 0, 0, 0);
	net_dhcp_start(&lan.stack);
	const struct request r = expect_request(&lan);
	answer(&lan, r.xid + 1, OFFER, LAN_SERVER, LEASE);
	answer(&lan, r.xid, DHCP_ACK, LAN_SERVER, LEASE); /* nothing was requested */
	static const uint32_t impossible[] = {0, 0x7f000001, 0xe0000001, 0xffffffff};
	for (unsigned i = 0; i < 4; i++)
		answer(&lan, r.xid, OFFER, impossible[i], LEASE);
	lan_expect_silence(&lan);
	assert_int_equal(lan.stack.dhcp.state, DHCP_SELECTING);
	lan_close(&lan);
}

static void options_that_lie_about_their_size_do_no_harm(void **state)
{
	static const struct {
		uint8_t bytes[16];
		size_t size;
	} bad[] = {
		{{53}, 1},    {{53, 1}, 2},         {{53, 255, 2}, 3},
		{{53, 0}, 2}, {{51, 4, 0, 0}, 4},   {{0, 0, 0, 0}, 4},
		{{255}, 1},   {{52, 1, 3, 255}, 4}, {{54, 3, 1, 2, 3, 53, 1}, 7},
	};
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	net_address_set(&lan.stack, 0, 0, 0);
	net_dhcp_start(&lan.stack);
	const struct request r = expect_request(&lan);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		send_answer(&lan, r.xid, LAN_SERVER, bad[i].bytes, bad[i].size);
	lan_expect_silence(&lan);
	answer(&lan, r.xid, OFFER, LAN_SERVER, LEASE);
	assert_int_equal(expect_request(&lan).type, REQUEST);
	lan_close(&lan);
}

static void an_endless_lease_is_never_renewed(void **state)
{
	struct lan lan;
	(void)state;
	open_bound(&lan, UINT32_MAX);
	lan_wait(&lan, 86400ull * 365 * SECOND);
	lan_expect_silence(&lan);
	lan_close(&lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_offered_requested_and_taken),
		cmocka_unit_test(a_lease_is_renewed_at_half_of_its_time),
		cmocka_unit_test(
			without_an_answer_all_servers_are_asked_and_the_address_given_up),
		cmocka_unit_test(a_refusal_means_to_begin_again),
		cmocka_unit_test(requests_are_repeated_less_and_less_often),
		cmocka_unit_test(answers_that_are_not_for_us_are_ignored),
		cmocka_unit_test(options_that_lie_about_their_size_do_no_harm),
		cmocka_unit_test(an_endless_lease_is_never_renewed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

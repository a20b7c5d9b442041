/* test_net_below_tcp.c: ARP, IPv4 and ICMP. */
#include "tests/unit/net/lan.h"

static const uint8_t server_mac[6] = {2, 0, 0, 0, 0, 2},
		     client_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};

static size_t arp(uint8_t *frame, uint16_t operation, uint32_t target)
{
	memset(frame, 0, 60);
	memcpy(frame, everyone, 6);
	memcpy(frame + 6, client_mac, 6);
	put16(frame + 12, ETH_ARP);
	memcpy(frame + 14, "\0\1\10\0\6\4", 6);
	put16(frame + 20, operation);
	memcpy(frame + 22, client_mac, 6);
	put32(frame + 28, LAN_CLIENT);
	put32(frame + 38, target);
	return 42;
}

static void a_question_for_our_address_is_answered(void **state)
{
	struct lan lan;
	uint8_t frame[60];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	net_input(&lan.stack, frame, arp(frame, 1, LAN_SERVER), false);
	struct lan_frame *f = lan_take(&lan);
	assert_non_null(f);
	assert_memory_equal(f->bytes, client_mac, 6);
	assert_int_equal(get16(f->bytes + 20), 2);
	assert_memory_equal(f->bytes + 22, server_mac, 6);
	assert_int_equal(get32(f->bytes + 28), LAN_SERVER);
	assert_int_equal(get32(f->bytes + 38), LAN_CLIENT);
	free(f);
	net_input(&lan.stack, frame, arp(frame, 1, LAN_SERVER + 1), false);
	net_input(&lan.stack, frame, arp(frame, 2, LAN_SERVER), false);
	lan_expect_silence(&lan);
	for (size_t size = 0; size < 42; size++) {
		uint8_t *cut = malloc(size + 1);
		arp(frame, 1, LAN_SERVER);
		memcpy(cut, frame, size);
		net_input(&lan.stack, cut, size, false);
		free(cut);
	}
	lan_expect_silence(&lan);
	lan_close(&lan);
}

static void a_new_address_is_announced(void **state)
{
	struct lan lan;
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	net_address_set(&lan.stack, LAN_SERVER + 5, 0xffffff00, LAN_CLIENT);
	struct lan_frame *f = lan_take(&lan);
	assert_memory_equal(f->bytes, everyone, 6);
	assert_int_equal(get32(f->bytes + 28), LAN_SERVER + 5); /* RFC 5227, 3 */
	assert_int_equal(get32(f->bytes + 38), LAN_SERVER + 5);
	free(f);
	assert_int_equal(lan.address_changes, 2);
	lan_close(&lan);
}

/* An IPv4 packet with payload of size bytes at frame + 34. */
static size_t packet(uint8_t *frame, uint8_t protocol, uint32_t source, uint32_t size)
{
	memset(frame, 0, 34);
	memcpy(frame, server_mac, 6);
	memcpy(frame + 6, client_mac, 6);
	put16(frame + 12, ETH_IPV4);
	uint8_t *ip = frame + 14;
	ip[0] = 0x45;
	put16(ip + 2, 20 + size);
	ip[8] = 64;
	ip[9] = protocol;
	put32(ip + 12, source);
	put32(ip + 16, LAN_SERVER);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, 20)));
	return 34 + size;
}

static size_t echo(uint8_t *frame, uint32_t source, uint32_t size)
{
	uint8_t *icmp = frame + 34;
	memset(icmp, 'e', size);
	memset(icmp, 0, 4);
	icmp[0] = 8;
	put16(icmp + 2, (uint16_t)~checksum_fold(checksum_add(0, icmp, size)));
	return packet(frame, 1, source, size);
}

static void an_echo_comes_back_whole(void **state)
{
	struct lan lan;
	uint8_t frame[1600];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	static const uint32_t sizes[] = {8, 9, 64, 1472, 1480};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		net_input(&lan.stack, frame, echo(frame, LAN_CLIENT, sizes[i]), false);
		struct lan_frame *f = lan_take(&lan);
		assert_non_null(f);
		assert_int_equal(f->size, 34 + sizes[i]);
		assert_int_equal(f->bytes[34], 0);
		assert_memory_equal(f->bytes + 38, frame + 38, sizes[i] - 4);
		assert_int_equal(checksum_fold(checksum_add(0, f->bytes + 34, sizes[i])),
				 0xffff);
		free(f);
	}
	lan_close(&lan);
}

static void echoes_are_answered_at_a_bounded_rate(void **state)
{
	struct lan lan;
	uint8_t frame[128];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	lan.discard = true;
	lan.sent = 0;
	for (unsigned i = 0; i < 5000; i++)
		net_input(&lan.stack, frame, echo(frame, LAN_CLIENT, 64), false);
	assert_int_equal(lan.sent, 1000);
	lan_wait(&lan, SECOND);
	net_input(&lan.stack, frame, echo(frame, LAN_CLIENT, 64), false);
	assert_int_equal(lan.sent, 1001);
	lan_close(&lan);
}

static void nobody_who_is_not_one_host_is_answered(void **state)
{
	static const uint32_t sources[] = {0,          0x7f000001, 0xe0000001,
					   0xffffffff, 0x0a0000ff, LAN_SERVER};
	struct lan lan;
	uint8_t frame[128];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		net_input(&lan.stack, frame, echo(frame, sources[i], 64), false);
	memset(frame + 34, 0, 8); /* UDP to a port that is not there */
	frame[39] = 8;
	for (size_t i = 0; i + 1 < sizeof(sources) / sizeof(*sources); i++)
		net_input(&lan.stack, frame, packet(frame, 17, sources[i], 8), false);
	const size_t size = echo(frame, LAN_CLIENT, 64);
	memcpy(frame, everyone, 6); /* RFC 1122, 3.2.2.6 */
	net_input(&lan.stack, frame, size, false);
	frame[0] = 4; /* to another host */
	net_input(&lan.stack, frame, size, false);
	lan_expect_silence(&lan);
	lan_close(&lan);
}

static void fragments_and_damaged_headers_are_dropped(void **state)
{
	struct lan lan;
	uint8_t frame[128];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	for (unsigned at = 0; at < 20; at++) {
		const size_t size = echo(frame, LAN_CLIENT, 64);
		frame[14 + at] ^= 0x10;
		net_input(&lan.stack, frame, size, false);
	}
	lan_expect_silence(&lan);
	const size_t size = echo(frame, LAN_CLIENT, 64);
	put16(frame + 20, 0x2000);
	put16(frame + 24, 0);
	put16(frame + 24, (uint16_t)~checksum_fold(checksum_add(0, frame + 14, 20)));
	net_input(&lan.stack, frame, size, false);
	lan_expect_silence(&lan);
	assert_int_equal(lan.stack.counters.rx_fragments, 1);
	lan_close(&lan);
}

static void what_is_not_there_is_reported(void **state)
{
	struct lan lan;
	uint8_t frame[128];
	(void)state;
	lan_open(&lan, 0, 1 << 20);
	memset(frame, 0, sizeof(frame));
	put16(frame + 34, 5000);
	put16(frame + 36, 5001);
	put16(frame + 38, 16);
	net_input(&lan.stack, frame, packet(frame, 17, LAN_CLIENT, 16), false);
	struct lan_frame *f = lan_take(&lan);
	assert_non_null(f);
	assert_int_equal(f->bytes[34], 3); /* RFC 792: destination unreachable, port */
	assert_int_equal(f->bytes[35], 3);
	assert_memory_equal(f->bytes + 42, frame + 14, 28);
	free(f);
	net_input(&lan.stack, frame, packet(frame, 132, LAN_CLIENT, 16), false);
	f = lan_take(&lan);
	assert_non_null(f);
	assert_int_equal(f->bytes[35], 2); /* protocol */
	free(f);
	lan_close(&lan);
}

static void siphash_and_checksum_are_as_published(void **state)
{
	static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t bytes[15];
	(void)state;
	for (uint8_t i = 0; i < 15; i++)
		bytes[i] = i;
	/* Aumasson and Bernstein, SipHash, appendix A. */
	assert_true(siphash(key, bytes, 15) == 0xa129ca6149be45e5);
	/* RFC 1071, 3: the sum of these is ddf2. */
	assert_int_equal(checksum_fold(checksum_add(0, "\0\1\xf2\3\xf4\xf5\xf6\xf7", 8)),
			 0xddf2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_for_our_address_is_answered),
		cmocka_unit_test(a_new_address_is_announced),
		cmocka_unit_test(an_echo_comes_back_whole),
		cmocka_unit_test(echoes_are_answered_at_a_bounded_rate),
		cmocka_unit_test(nobody_who_is_not_one_host_is_answered),
		cmocka_unit_test(fragments_and_damaged_headers_are_dropped),
		cmocka_unit_test(what_is_not_there_is_reported),
		cmocka_unit_test(siphash_and_checksum_are_as_published),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

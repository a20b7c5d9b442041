/* test_ena_ring.c: an ENA's descriptors and completions, bit by bit as Amazon's published
 * interface (ena_eth_io_defs.h, ena_admin_defs.h) lays them out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shim/dev/ena_ring.h"

/* Ethernet, IPv4 with DF, TCP with 12 bytes of options. */
static void tcp_frame(uint8_t frame[66])
{
	memset(frame, 0, 66);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[20] = 0x40;
	frame[23] = 6;
	frame[34 + 12] = 8 << 4;
}

static void the_phase_is_1_in_the_first_lap_and_turns_with_each(void **state)
{
	(void)state;
	struct ena_ring ring = {.size = 4, .at = 0};
	static const uint8_t phases[] = {1, 1, 1, 1, 0, 0, 0, 0, 1};
	for (unsigned i = 0; i < sizeof(phases); i++, ring.at++) {
		assert_int_equal(ena_ring_phase(&ring), phases[i]);
		assert_int_equal(ena_ring_slot(&ring), i % 4);
	}
}

static void the_phase_turns_when_the_place_itself_wraps(void **state)
{
	(void)state;
	struct ena_ring ring = {.size = 32768, .at = 65535};
	assert_int_equal(ena_ring_phase(&ring), 0);
	ring.at++;
	assert_int_equal(ena_ring_phase(&ring), 1);
	assert_int_equal(ena_ring_slot(&ring), 0);
}

static void depths_are_powers_of_two_within_both_limits(void **state)
{
	(void)state;
	assert_int_equal(ena_depth(256, 1024), 256);
	assert_int_equal(ena_depth(256, 255), 128);
	assert_int_equal(ena_depth(300, 4096), 256);
	assert_int_equal(ena_depth(256, 4), 4);
	assert_int_equal(ena_depth(256, 3), 0);
	assert_int_equal(ena_depth(256, 0), 0);
}

static void a_data_descriptor_carries_length_address_and_number(void **state)
{
	(void)state;
	struct ena_descriptor d;
	const struct ena_packet p = {
		.address = 0x123456789abc, .size = 1514, .id = 0x9ff};
	ena_tx_data(&d, &p, true, 1);
	assert_int_equal(d.word[0] & 0xffff, 1514);
	assert_int_equal(d.word[0] >> 16 & 0x3f, 0x9ff >> 10);
	assert_int_equal(d.word[0] >> 24, 1 | 1 << 2 | 1 << 3 | 1 << 4);
	assert_int_equal(d.word[1], 0x1ffu << 22);
	assert_int_equal(d.word[2], 0x56789abc);
	assert_int_equal(d.word[3], 0x1234);
}

static void a_header_in_memory_is_counted_and_sent_by_address(void **state)
{
	(void)state;
	struct ena_descriptor d;
	const struct ena_packet p = {.address = 0x1000, .size = 1514, .header_size = 96};
	ena_tx_data(&d, &p, true, 1);
	assert_int_equal(d.word[0] & 0xffff, 1514);
	assert_int_equal(d.word[2], 0x1000);
	assert_int_equal(d.word[3] >> 24, 96);
}

static void a_tcp_frame_is_summed_over_its_pseudo_header(void **state)
{
	(void)state;
	uint8_t frame[66];
	struct ena_descriptor meta, data;
	struct ena_packet p = {.size = 66};
	tcp_frame(frame);
	assert_true(ena_packet_sum(&p, frame, sizeof(frame), 34, 16));
	ena_tx_meta(&meta, &p, 1);
	ena_tx_data(&data, &p, false, 1);
	/* extended, valid, stored, meta, phase, first */
	assert_int_equal(meta.word[0],
			 1 << 14 | 1 << 20 | 1 << 21 | 1 << 23 | 1 << 24 | 1 << 26);
	assert_int_equal(meta.word[2], 20 | 14 << 8 | 8 << 16);
	/* IPv4, DF, TCP, sum, partial */
	assert_int_equal(data.word[1], 8 | 1 << 4 | 12 << 8 | 1 << 14 | 1 << 17);
	assert_int_equal(data.word[0] >> 26 & 1, 0);
}

static void a_sum_in_another_place_is_refused(void **state)
{
	(void)state;
	uint8_t frame[66];
	struct ena_packet p = {.size = 66};
	tcp_frame(frame);
	assert_false(ena_packet_sum(&p, frame, sizeof(frame), 34, 2));
	assert_false(ena_packet_sum(&p, frame, sizeof(frame), 14, 16));
	assert_false(ena_packet_sum(&p, frame, 50, 34, 16));
	frame[14] = 0x60;
	assert_false(ena_packet_sum(&p, frame, sizeof(frame), 34, 16));
	assert_false(p.checksum);
}

static void an_llq_entry_is_meta_descriptor_and_header(void **state)
{
	(void)state;
	struct ena_llq_entry entry;
	uint8_t frame[200];
	struct ena_packet p = {.address = 0x1000,
			       .size = 200,
			       .id = 3,
			       .header_size = 96,
			       .in_ring = true};
	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	memset(&entry, 0xff, sizeof(entry));
	ena_llq_fill(&entry, &p, frame, 0);
	assert_int_equal(sizeof(entry), 128);
	assert_int_equal(entry.meta.word[0] >> 24 & 1, 0);
	assert_int_equal(entry.meta.word[0] >> 26 & 1, 1);
	assert_int_equal(entry.data.word[0] & 0xffff, 200 - 96);
	assert_int_equal(entry.data.word[2], 0x1000 + 96);
	assert_int_equal(entry.data.word[3] >> 24, 96);
	assert_memory_equal(entry.header, frame, 96);
}

static void a_short_frame_is_in_its_llq_entry_alone(void **state)
{
	(void)state;
	static const uint8_t frame[60] = {1, 2, 3};
	struct ena_llq_entry entry;
	struct ena_packet p = {
		.address = 0x1000, .size = 60, .header_size = 60, .in_ring = true};
	memset(&entry, 0xff, sizeof(entry));
	ena_llq_fill(&entry, &p, frame, 1);
	assert_int_equal(entry.data.word[0] & 0xffff, 0);
	assert_int_equal(entry.data.word[2], 0);
	assert_int_equal(entry.data.word[3] >> 24, 60);
	assert_int_equal(entry.header[60], 0);
	assert_int_equal(entry.header[95], 0);
}

static void llq_modes_that_are_not_128_bytes_inline_are_left(void **state)
{
	(void)state;
	struct ena_llq_config config, offered = {.header_supported = 3,
						 .entry_supported = 7,
						 .first_supported = 6,
						 .stride_supported = 1,
						 .acceleration = 3,
						 .burst_bytes = 1024};
	assert_true(ena_llq_choose(&offered, &config));
	assert_int_equal(config.header_enabled, 1);
	assert_int_equal(config.entry_enabled, 1);
	assert_int_equal(config.first_enabled, 2);
	assert_int_equal(config.stride_enabled, 1);
	assert_int_equal(config.acceleration, 3);
	assert_int_equal(config.burst_bytes, 0);
	offered.entry_supported = 4;
	assert_false(ena_llq_choose(&offered, &config));
	offered.entry_supported = 1;
	offered.header_supported = 2;
	assert_false(ena_llq_choose(&offered, &config));
}

static void an_rss_table_has_128_entries_where_the_device_takes_them(void **state)
{
	(void)state;
	static const struct {
		struct ena_rss_table offered;
		bool usable;
		uint16_t size;
	} cases[] = {
		{{.least = 7, .most = 7}, true, 7},
		{{.least = 4, .most = 8}, true, 7},
		{{.least = 0, .most = 3}, true, 3},
		{{.least = 8, .most = 12}, true, 8},
		{{.least = 10, .most = 65535}, true, 10},
		{{.least = 11, .most = 12}, false, 0},
		{{.least = 8, .most = 6}, false, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t size;
		assert_int_equal(ena_rss_choose(&cases[i].offered, &size),
				 cases[i].usable);
		if (cases[i].usable)
			assert_int_equal(size, cases[i].size);
	}
}

static void a_receive_descriptor_is_one_whole_buffer(void **state)
{
	(void)state;
	struct ena_descriptor d;
	ena_rx_offer(&d, 0xabc000000800, 2048, 77, 1);
	assert_int_equal(d.word[0], 2048u | 0x1du << 24); /* complete, last, first */
	assert_int_equal(d.word[1], 77);
	assert_int_equal(d.word[2], 0x800);
	assert_int_equal(d.word[3], 0xabc0);
}

static void completions_are_seen_once_and_in_their_lap(void **state)
{
	(void)state;
	struct ena_tx_completion entries[4] = {{.id = 9, .flags = 1},
					       {.id = 5, .flags = 0}};
	struct ena_ring ring = {.size = 4};
	uint16_t id;
	assert_true(ena_tx_next(entries, &ring, &id));
	assert_int_equal(id, 9);
	assert_false(ena_tx_next(entries, &ring, &id));
	entries[1].flags = 1;
	assert_true(ena_tx_next(entries, &ring, &id));
	assert_int_equal(id, 5);
	entries[2].flags = entries[3].flags = 1;
	assert_true(ena_tx_next(entries, &ring, &id));
	assert_true(ena_tx_next(entries, &ring, &id));
	assert_false(ena_tx_next(entries, &ring, &id)); /* the first lap's entry 0 */
	entries[0].flags = 0;
	assert_true(ena_tx_next(entries, &ring, &id));
}

static struct ena_received received(uint32_t status, uint16_t size, uint8_t offset)
{
	struct ena_rx_completion entry = {
		.status = status | 1u << 24, .size = size, .offset = offset, .id = 3};
	struct ena_ring ring = {.size = 4};
	struct ena_received out;
	assert_true(ena_rx_next(&entry, &ring, &out));
	return out;
}

static void checksums_count_only_when_checked_and_whole(void **state)
{
	(void)state;
	const uint32_t tcp = 8 | 12 << 8 | 1 << 16, udp = 8 | 13 << 8 | 1 << 16;
	assert_true(received(tcp, 60, 0).checksum_good);
	assert_true(received(udp, 60, 0).checksum_good);
	assert_false(received(tcp & ~(1u << 16), 60, 0).checksum_good);
	assert_false(received(tcp | 1 << 14, 60, 0).checksum_good);
	assert_false(received(tcp | 1 << 15, 60, 0).checksum_good);
	assert_false(received(11 | 12 << 8 | 1 << 16, 60, 0).checksum_good);
	assert_false(received(8 | 1 << 16, 60, 0).checksum_good);
}

#define FIRST (1u << 26)
#define LAST  (1u << 27)

static enum ena_rx_verdict judge(uint32_t status, uint16_t size, uint8_t offset,
				 unsigned *pieces)
{
	struct ena_received r = received(status, size, offset);
	return ena_rx_judge(&r, 2048, pieces);
}

static void frames_in_one_buffer_are_taken(void **state)
{
	(void)state;
	unsigned pieces = 0;
	assert_int_equal(judge(FIRST | LAST, 60, 0, &pieces), ENA_RX_FRAME);
	assert_int_equal(judge(FIRST | LAST, 2048, 0, &pieces), ENA_RX_FRAME);
	assert_int_equal(judge(FIRST | LAST, 13, 0, &pieces), ENA_RX_DROP);
	assert_int_equal(pieces, 0);
}

static void frames_in_pieces_are_dropped_whole(void **state)
{
	(void)state;
	unsigned pieces = 0;
	assert_int_equal(judge(FIRST, 2048, 0, &pieces), ENA_RX_PIECE);
	assert_int_equal(judge(0, 2048, 0, &pieces), ENA_RX_PIECE);
	assert_int_equal(judge(LAST, 100, 0, &pieces), ENA_RX_DROP);
	assert_int_equal(judge(FIRST | LAST, 100, 0, &pieces), ENA_RX_FRAME);
}

static void impossible_sizes_and_orders_are_nonsense(void **state)
{
	(void)state;
	unsigned pieces = 0;
	assert_int_equal(judge(FIRST | LAST, 0, 0, &pieces), ENA_RX_NONSENSE);
	assert_int_equal(judge(FIRST | LAST, 2049, 0, &pieces), ENA_RX_NONSENSE);
	assert_int_equal(judge(FIRST | LAST, 2048, 1, &pieces), ENA_RX_NONSENSE);
	pieces = 1;
	assert_int_equal(judge(FIRST | LAST, 60, 0, &pieces), ENA_RX_NONSENSE);
	pieces = ENA_RX_PIECES_MAX;
	assert_int_equal(judge(0, 60, 0, &pieces), ENA_RX_NONSENSE);
}

static void events_are_copied_with_their_group(void **state)
{
	(void)state;
	struct ena_event entries[2] = {{.group = 4, .flags = 1}}, event;
	struct ena_ring ring = {.size = 2};
	entries[0].drops.rx_low = 7;
	assert_true(ena_event_next(entries, &ring, &event));
	assert_int_equal(event.group, ENA_EVENT_KEEP_ALIVE);
	assert_int_equal(event.word[0], 7);
	assert_false(ena_event_next(entries, &ring, &event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_phase_is_1_in_the_first_lap_and_turns_with_each),
		cmocka_unit_test(the_phase_turns_when_the_place_itself_wraps),
		cmocka_unit_test(depths_are_powers_of_two_within_both_limits),
		cmocka_unit_test(a_data_descriptor_carries_length_address_and_number),
		cmocka_unit_test(a_header_in_memory_is_counted_and_sent_by_address),
		cmocka_unit_test(a_tcp_frame_is_summed_over_its_pseudo_header),
		cmocka_unit_test(a_sum_in_another_place_is_refused),
		cmocka_unit_test(an_llq_entry_is_meta_descriptor_and_header),
		cmocka_unit_test(a_short_frame_is_in_its_llq_entry_alone),
		cmocka_unit_test(llq_modes_that_are_not_128_bytes_inline_are_left),
		cmocka_unit_test(
			an_rss_table_has_128_entries_where_the_device_takes_them),
		cmocka_unit_test(a_receive_descriptor_is_one_whole_buffer),
		cmocka_unit_test(completions_are_seen_once_and_in_their_lap),
		cmocka_unit_test(checksums_count_only_when_checked_and_whole),
		cmocka_unit_test(frames_in_one_buffer_are_taken),
		cmocka_unit_test(frames_in_pieces_are_dropped_whole),
		cmocka_unit_test(impossible_sizes_and_orders_are_nonsense),
		cmocka_unit_test(events_are_copied_with_their_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

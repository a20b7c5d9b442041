/* test_tcp_transfer.c: bytes arrive whole and in order, both ways at once, whatever the
 * network does. */
#include "tests/unit/net/client.h"

/* The server: reads and checks one stream, writes another, closes when it is through. */
struct server {
	struct tcp *tcp;
	size_t written, read, write_total, read_total;
	uint64_t key;
	bool shut, peer_closed;
};

static void serve(struct server *s, struct lan *lan)
{
	size_t run;
	const uint8_t *from;
	if (!s->tcp && !(s->tcp = lan_accept(lan)))
		return;
	while ((from = tcp_read_peek(s->tcp, &run)) && run) {
		for (size_t i = 0; i < run; i++)
			assert_int_equal(from[i], stream_byte(s->key, s->read + i));
		s->read += run;
		tcp_read_done(s->tcp, run);
	}
	for (uint8_t *to;
	     s->written < s->write_total && (to = tcp_write_space(s->tcp, &run));) {
		if (run > s->write_total - s->written)
			run = s->write_total - s->written;
		for (size_t i = 0; i < run; i++)
			to[i] = stream_byte(~s->key, s->written + i);
		s->written += run;
		tcp_write_done(s->tcp, run, false);
	}
	if (s->written == s->write_total && !s->shut) {
		tcp_shutdown(s->tcp, false, true);
		s->shut = true;
	}
	s->peer_closed = tcp_state_events(s->tcp) & TCP_PEER_CLOSED;
	net_flush(&lan->stack);
}

struct weather {
	unsigned loss, duplicate, reorder; /* per mille */
	bool stamps, sack;
	uint32_t large;
};

/* Milliseconds that it took. */
static uint64_t transfer(const struct weather *w, size_t up, size_t down)
{
	struct lan lan;
	struct link link = {.lan = &lan,
			    .delay_ns = 5 * MS,
			    .jitter_ns = 20 * MS,
			    .loss_permille = w->loss,
			    .duplicate_permille = w->duplicate,
			    .reorder_permille = w->reorder,
			    .large = w->large,
			    .random_state = w->loss * 7919u + w->reorder + up};
	struct client client = {.stamps = w->stamps, .sack = w->sack, .buffer = 300000};
	struct server server = {.write_total = down, .read_total = up, .key = 4444};
	lan_open(&lan, 0, 16 << 20);
	lan_listen(&lan, 4);
	client_open(&client, &link, 4444, up, down);
	const uint64_t start = lan.now_ns;
	while (!(client.fin_received && client.fin_acked && server.peer_closed)) {
		assert_true(link_step(&link));
		assert_false(client.failed);
		assert_true(lan.now_ns - start < 3600 * SECOND);
		serve(&server, &lan);
		if (client.established)
			client.read = client.receive_next - client.irs - 1;
		assert_true(lan.stack.memory_used <= lan.stack.memory_limit);
	}
	const uint64_t ms = (lan.now_ns - start) / MS;
	assert_int_equal(server.read, up);
	for (size_t i = 0; i < down; i++)
		assert_int_equal(client.received[i], stream_byte(~4444ull, i));
	print_message("loss %u/1000, duplicates %u, reordered %u, %s: %llu ms, %llu "
		      "retransmitted of %zu bytes\n",
		      w->loss, w->duplicate, w->reorder,
		      w->sack     ? "SACK"
		      : w->stamps ? "stamps"
				  : "plain",
		      (unsigned long long)ms,
		      (unsigned long long)lan.stack.counters.tcp_retransmits, down);
	tcp_release(server.tcp, -1);
	client_close(&client);
	link_close(&link);
	lan_close(&lan);
	return ms;
}

static void bytes_arrive_over_a_good_network(void **state)
{
	(void)state;
	transfer(&(struct weather){.sack = true, .stamps = true}, 3 << 20, 3 << 20);
	transfer(&(struct weather){.stamps = true}, 1 << 20, 1 << 20);
	transfer(&(struct weather){0}, 1 << 20, 1 << 20);
}

static void bytes_arrive_over_networks_that_lose_repeat_and_reorder(void **state)
{
	static const unsigned losses[] = {5, 10, 30, 100};
	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++) {
		for (unsigned kind = 0; kind < 3; kind++) {
			const struct weather w = {.loss = losses[i],
						  .duplicate = 20,
						  .reorder = 50,
						  .stamps = kind > 0,
						  .sack = kind > 1};
			transfer(&w, 1 << 20, 1 << 20);
		}
	}
}

static void one_percent_loss_leaves_more_than_a_megabyte_a_second(void **state)
{
	const struct weather w = {.loss = 10, .stamps = true, .sack = true};
	(void)state;
	assert_true(transfer(&w, 0, 4 << 20) < 4000);
}

static void a_path_that_swallows_large_packets_is_survived(void **state)
{
	(void)state;
	transfer(&(struct weather){.stamps = true, .sack = true, .large = 1400}, 0,
		 1 << 20);
	transfer(&(struct weather){.large = 600}, 0, 1 << 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_arrive_over_a_good_network),
		cmocka_unit_test(bytes_arrive_over_networks_that_lose_repeat_and_reorder),
		cmocka_unit_test(one_percent_loss_leaves_more_than_a_megabyte_a_second),
		cmocka_unit_test(a_path_that_swallows_large_packets_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* fuzz_ena.c: an ENA that completes, returns and reports anything: what the driver takes
 * from its rings stays within them, and a frame within its buffer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/dev/ena_ring.h"

#define DEPTH  8u
#define BUFFER 2048u

static void receive(const uint8_t *data)
{
	struct ena_rx_completion entries[DEPTH];
	struct ena_ring ring = {.size = DEPTH};
	struct ena_received received;
	unsigned pieces = 0, count = 0;
	memcpy(entries, data, sizeof(entries));
	while (ena_rx_next(entries, &ring, &received)) {
		enum ena_rx_verdict verdict = ena_rx_judge(&received, BUFFER, &pieces);
		if (++count > DEPTH || pieces > ENA_RX_PIECES_MAX)
			abort();
		if (verdict == ENA_RX_FRAME &&
		    (received.size < 14 || received.offset + received.size > BUFFER))
			abort();
		if (verdict == ENA_RX_NONSENSE)
			break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ena_event events[DEPTH], event;
	struct ena_tx_completion sent[DEPTH];
	struct ena_ring ring = {.size = DEPTH};
	struct ena_llq_config config;
	unsigned count = 0;
	uint16_t id;
	if (size < sizeof(events))
		return 0;
	receive(data);
	memcpy(sent, data, sizeof(sent));
	while (ena_tx_next(sent, &ring, &id))
		if (++count > DEPTH)
			abort();
	ring.at = 0;
	count = 0;
	memcpy(events, data, sizeof(events));
	while (ena_event_next(events, &ring, &event))
		if (++count > DEPTH)
			abort();
	(void)ena_llq_choose((const struct ena_llq_config *)(const void *)events,
			     &config);
	uint16_t rss_size;
	if (ena_rss_choose((const struct ena_rss_table *)(const void *)events,
			   &rss_size) &&
	    rss_size > ENA_RSS_MOST)
		abort();

	struct ena_packet p = {.size = (uint32_t)size - 8};
	uint8_t *header =
		malloc(size - 8); /* of its own, so that reads past it are seen */
	memcpy(header, data + 8, size - 8);
	if (ena_packet_sum(&p, header, p.size, (uint32_t)data[0], (uint32_t)data[1]) &&
	    (p.l3_offset + p.l3_size + 8u > p.size || p.l4_words > 15))
		abort();
	free(header);
	return 0;
}

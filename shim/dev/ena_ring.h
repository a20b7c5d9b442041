/* ena_ring.h: what an ENA's rings hold: descriptors made, completions and events read and
 * judged. Pure: over memory that the caller owns. What a device writes is input. */
#ifndef SHIM_DEV_ENA_RING_H
#define SHIM_DEV_ENA_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/dev/ena_regs.h"

/* A place in a ring. Each lap has a phase, 1 in the first, which the writer puts into an
 * entry: so the reader tells a new one from that of the lap before. */
struct ena_ring {
	uint16_t size; /* a power of two up to 32768 */
	uint16_t at;   /* free-running, wraps */
};

static inline uint16_t ena_ring_slot(const struct ena_ring *ring)
{
	return ring->at & (uint16_t)(ring->size - 1);
}

static inline uint32_t ena_ring_phase(const struct ena_ring *ring)
{
	return !(ring->at & ring->size);
}

/* The entries of a ring: a power of two, at most wanted and what the device allows; 0:
 * fewer than a ring can work with. */
#define ENA_DEPTH_LEAST 4u
uint16_t ena_depth(uint32_t wanted, uint32_t most);

/* A frame to send. */
struct ena_packet {
	uint64_t address; /* of its bytes, all of them */
	uint32_t size;
	uint16_t id;
	uint8_t header_size; /* first bytes, which the device parses */
	bool in_ring;        /* they go into the ring, not by address */
	bool checksum, dont_fragment;
	uint8_t l3_offset, l3_size, l4_words;
	uint32_t l4; /* ENA_TX_TCP or ENA_TX_UDP */
};

/* Lets the device sum the frame's TCP or UDP part over the pseudo-header's sum that its
 * checksum field holds; false: header, of the given size, is not such a frame's. */
bool ena_packet_sum(struct ena_packet *p, const uint8_t *header, uint32_t size,
		    uint32_t checksum_start, uint32_t checksum_offset);

void ena_tx_meta(struct ena_descriptor *d, const struct ena_packet *p, uint32_t phase);
void ena_tx_data(struct ena_descriptor *d, const struct ena_packet *p, bool first,
		 uint32_t phase);

/* An entry of a low latency queue: meta descriptor, descriptor, header. */
#define ENA_LLQ_ENTRY_SIZE 128u
#define ENA_LLQ_HEADER     96u
struct ena_llq_entry {
	struct ena_descriptor meta, data;
	uint8_t header[ENA_LLQ_HEADER];
};
_Static_assert(sizeof(struct ena_llq_entry) == ENA_LLQ_ENTRY_SIZE, "ENA LLQ");
void ena_llq_fill(struct ena_llq_entry *entry, const struct ena_packet *p,
		  const uint8_t *frame, uint32_t phase);
/* What of the offered modes is used, in config for a SET; false: none that we know. */
bool ena_llq_choose(const struct ena_llq_config *offered, struct ena_llq_config *config);

/* How large (a logarithm) a table is of those that the device takes; false: each is
 * larger than ENA_RSS_MOST. */
#define ENA_RSS_MOST 10u
bool ena_rss_choose(const struct ena_rss_table *offered, uint16_t *size);

void ena_rx_offer(struct ena_descriptor *d, uint64_t address, uint16_t size, uint16_t id,
		  uint32_t phase);

/* The next entry the device wrote, false: none. */
bool ena_tx_next(const volatile struct ena_tx_completion *entries, struct ena_ring *ring,
		 uint16_t *id);
bool ena_event_next(const volatile struct ena_event *entries, struct ena_ring *ring,
		    struct ena_event *event);

struct ena_received {
	uint32_t offset, size;
	uint16_t id;
	bool first, last, checksum_good;
};
bool ena_rx_next(const volatile struct ena_rx_completion *entries, struct ena_ring *ring,
		 struct ena_received *received);

/* Frames longer than a buffer come in pieces; we announce an MTU that needs none, so
 * they are dropped. pieces counts those of the frame under way, 0 at first. */
enum ena_rx_verdict { ENA_RX_FRAME, ENA_RX_DROP, ENA_RX_PIECE, ENA_RX_NONSENSE };
#define ENA_RX_PIECES_MAX 32u
enum ena_rx_verdict ena_rx_judge(const struct ena_received *received,
				 uint32_t buffer_size, unsigned *pieces);

#endif

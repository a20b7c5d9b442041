/* ena_ring.c: descriptors, completions and events of an ENA. Pure. */
#include "shim/dev/ena_ring.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

#define ETHERNET_SIZE     14u
#define IPV4_LEAST        20u
#define TCP_LEAST         20u
#define TCP_SUM_AT        16u
#define UDP_SUM_AT        6u
#define UDP_WORDS         2u
#define IPV4_DF           0x40u
#define ID_LOW_BITS       10u
#define ADDRESS_HIGH_MASK 0xffffu
#define RSS_USUAL         7u

/* The rest of an entry is read after its phase; x86 keeps loads in order. */
static inline void compiler_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

uint16_t ena_depth(uint32_t wanted, uint32_t most)
{
	uint32_t depth = 32768;
	while (depth > wanted || depth > most)
		depth /= 2;
	return depth < ENA_DEPTH_LEAST ? 0 : (uint16_t)depth;
}

bool ena_packet_sum(struct ena_packet *p, const uint8_t *header, uint32_t size,
		    uint32_t checksum_start, uint32_t checksum_offset)
{
	const uint32_t l3 = ETHERNET_SIZE;
	if (checksum_start < l3 + IPV4_LEAST || checksum_start > l3 + 60 ||
	    size < checksum_start + 8 || header[l3] >> 4 != 4)
		return false;
	p->l3_offset = (uint8_t)l3;
	p->l3_size = (uint8_t)(checksum_start - l3);
	p->dont_fragment = header[l3 + 6] & IPV4_DF;
	if (checksum_offset == UDP_SUM_AT) {
		p->l4 = ENA_TX_UDP;
		p->l4_words = UDP_WORDS;
	} else if (checksum_offset == TCP_SUM_AT && size >= checksum_start + TCP_LEAST) {
		p->l4 = ENA_TX_TCP;
		p->l4_words = header[checksum_start + 12] >> 4;
	} else {
		return false;
	}
	p->checksum = true;
	return true;
}

void ena_tx_meta(struct ena_descriptor *d, const struct ena_packet *p, uint32_t phase)
{
	d->word[0] = (uint32_t)ENA_TX_META | ENA_TX_EXTENDED_VALID | ENA_TX_EXTENDED |
		     ENA_TX_META_STORE | ENA_TX_FIRST | phase << ENA_TX_PHASE_SHIFT;
	d->word[1] = 0;
	d->word[2] = p->l3_size | (uint32_t)p->l3_offset << ENA_META_L3_OFFSET_SHIFT |
		     (uint32_t)p->l4_words << ENA_META_L4_WORDS_SHIFT;
	d->word[3] = 0;
}

void ena_tx_data(struct ena_descriptor *d, const struct ena_packet *p, bool first,
		 uint32_t phase)
{
	uint32_t skip = p->in_ring ? p->header_size : 0, size = p->size - skip;
	uint64_t address = p->address + skip;
	if (!size)
		address = 0;
	d->word[0] = size | (uint32_t)p->id >> ID_LOW_BITS << ENA_TX_ID_HIGH_SHIFT |
		     phase << ENA_TX_PHASE_SHIFT | (first ? (uint32_t)ENA_TX_FIRST : 0) |
		     ENA_TX_LAST | ENA_TX_COMPLETE;
	d->word[1] = (uint32_t)p->id << ENA_TX_ID_LOW_SHIFT;
	if (p->checksum)
		d->word[1] |= (uint32_t)ENA_TX_IPV4 | p->l4 | ENA_TX_L4_CHECKSUM |
			      ENA_TX_L4_PARTIAL;
	if (p->dont_fragment)
		d->word[1] |= ENA_TX_DONT_FRAGMENT;
	d->word[2] = (uint32_t)address;
	d->word[3] = (uint32_t)(address >> 32 & ADDRESS_HIGH_MASK) |
		     (uint32_t)p->header_size << ENA_TX_HEADER_SHIFT;
}

void ena_llq_fill(struct ena_llq_entry *entry, const struct ena_packet *p,
		  const uint8_t *frame, uint32_t phase)
{
	ena_tx_meta(&entry->meta, p, phase);
	ena_tx_data(&entry->data, p, false, phase);
	memcpy(entry->header, frame, p->header_size);
	memset(entry->header + p->header_size, 0, ENA_LLQ_HEADER - p->header_size);
}

bool ena_llq_choose(const struct ena_llq_config *offered, struct ena_llq_config *config)
{
	memset(config, 0, sizeof(*config));
	if (!(offered->header_supported & ENA_LLQ_INLINE) ||
	    !(offered->entry_supported & ENA_LLQ_ENTRY_128) ||
	    !(offered->first_supported & ENA_LLQ_TWO_FIRST))
		return false;
	config->header_enabled = ENA_LLQ_INLINE;
	config->entry_enabled = ENA_LLQ_ENTRY_128;
	config->first_enabled = ENA_LLQ_TWO_FIRST;
	/* No packet of ours goes on past its first entry, so either stride will do. */
	config->stride_enabled = offered->stride_supported & ENA_LLQ_MANY_STRIDE
					 ? ENA_LLQ_MANY_STRIDE
					 : ENA_LLQ_ONE_STRIDE;
	config->acceleration =
		offered->acceleration & (ENA_LLQ_NO_META_CACHE | ENA_LLQ_LIMITED_BURST);
	return true;
}

/* 128 entries where they are allowed: what other drivers ask for. */
bool ena_rss_choose(const struct ena_rss_table *offered, uint16_t *size)
{
	*size = RSS_USUAL;
	if (*size > offered->most)
		*size = offered->most;
	if (*size < offered->least)
		*size = offered->least;
	return offered->least <= offered->most && *size <= ENA_RSS_MOST;
}

void ena_rx_offer(struct ena_descriptor *d, uint64_t address, uint16_t size, uint16_t id,
		  uint32_t phase)
{
	d->word[0] = size | phase << ENA_RX_PHASE_SHIFT | ENA_RX_FIRST | ENA_RX_LAST |
		     ENA_RX_COMPLETE;
	d->word[1] = id;
	d->word[2] = (uint32_t)address;
	d->word[3] = (uint32_t)(address >> 32 & ADDRESS_HIGH_MASK);
}

bool ena_tx_next(const volatile struct ena_tx_completion *entries, struct ena_ring *ring,
		 uint16_t *id)
{
	const volatile struct ena_tx_completion *entry = &entries[ena_ring_slot(ring)];
	if ((entry->flags & ENA_PHASE) != ena_ring_phase(ring))
		return false;
	compiler_barrier();
	*id = entry->id;
	ring->at++;
	return true;
}

bool ena_event_next(const volatile struct ena_event *entries, struct ena_ring *ring,
		    struct ena_event *event)
{
	const volatile struct ena_event *entry = &entries[ena_ring_slot(ring)];
	if ((entry->flags & ENA_PHASE) != ena_ring_phase(ring))
		return false;
	compiler_barrier();
	*event = *entry;
	ring->at++;
	return true;
}

/* The device vouches for the L4 checksum of IPv4 packets that are whole. */
static bool checksum_good(uint32_t status)
{
	uint32_t l4 = status >> ENA_RXC_L4_SHIFT & ENA_RXC_L4_MASK;
	return (status & ENA_RXC_L3_MASK) == ENA_RXC_L3_IPV4 &&
	       (l4 == ENA_RXC_L4_TCP || l4 == ENA_RXC_L4_UDP) &&
	       status & ENA_RXC_L4_CHECKED &&
	       !(status & (ENA_RXC_L4_ERROR | ENA_RXC_FRAGMENT));
}

bool ena_rx_next(const volatile struct ena_rx_completion *entries, struct ena_ring *ring,
		 struct ena_received *received)
{
	const volatile struct ena_rx_completion *entry = &entries[ena_ring_slot(ring)];
	uint32_t status = entry->status;
	if ((status >> ENA_RXC_PHASE_SHIFT & 1) != ena_ring_phase(ring))
		return false;
	compiler_barrier();
	*received = (struct ena_received){
		.offset = entry->offset,
		.size = entry->size,
		.id = entry->id,
		.first = status & ENA_RXC_FIRST,
		.last = status & ENA_RXC_LAST,
		.checksum_good = checksum_good(status),
	};
	ring->at++;
	return true;
}

enum ena_rx_verdict ena_rx_judge(const struct ena_received *received,
				 uint32_t buffer_size, unsigned *pieces)
{
	if (!received->size || received->offset + received->size > buffer_size ||
	    (received->first && *pieces) || *pieces == ENA_RX_PIECES_MAX)
		return ENA_RX_NONSENSE;
	if (!received->last) {
		++*pieces;
		return ENA_RX_PIECE;
	}
	bool whole = !*pieces && received->size >= ETHERNET_SIZE;
	*pieces = 0;
	return whole ? ENA_RX_FRAME : ENA_RX_DROP;
}

/* ena_io.c: frames through an ENA's one pair of queues.
 *
 * Every free receive buffer is the device's, so its ring is always full. Frames to send
 * are copied; their numbers come back in any order. Where the transmit ring is an LLQ, a
 * frame is one entry of 128 bytes, written whole through write-combining memory. */
#include "shim/dev/barrier.h"
#include "shim/dev/ena_device.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"

#define UNMASK        (1u << 30) /* without delays: the stack's batches are enough */
#define TX_SLOTS_MOST 2u

/* Write-combining stores are seen before the doorbell. */
static inline void store_barrier(void)
{
	__asm__ volatile("sfence" : : : "memory");
}

static void *page_make(void)
{
	struct page *page = page_alloc(&kernel_account, 0, true);
	return page ? page_va(page) : NULL;
}

int ena_queue_make(struct ena_queue *q)
{
	/* After a reset there are the buffers from before, so no more entries either. */
	uint16_t depth =
		ena_depth(q->pool.count ? q->pool.count + 1u : q->wanted, q->limit);
	if (!depth)
		return -ENOSPC;
	_Static_assert(NIC_BUFFERS_MAX * sizeof(struct ena_descriptor) <= PAGE_SIZE &&
			       NIC_BUFFERS_MAX * sizeof(struct ena_rx_completion) <=
				       PAGE_SIZE,
		       "a ring fits a page");
	if (!q->descriptors)
		q->descriptors = page_make();
	if (!q->completions)
		q->completions = page_make();
	if (!q->descriptors || !q->completions)
		return -ENOMEM;
	/* One entry stays empty, or a full ring would look like an empty one. */
	uint32_t size = q->direction == ENA_RECEIVE ? ENA_RX_BUFFER : ENA_TX_BUFFER;
	if (!q->pool.count && nic_pool_make(&q->pool, (uint16_t)(depth - 1), size) < 0) {
		nic_pool_free(&q->pool);
		return -ENOMEM;
	}
	memset((void *)q->completions, 0, PAGE_SIZE);
	memset(q->descriptors, 0, PAGE_SIZE);
	q->sq = q->cq = (struct ena_ring){.size = depth};
	q->told = 0;
	return 0;
}

void ena_queue_free(struct ena_queue *q)
{
	nic_pool_free(&q->pool);
	if (q->descriptors)
		page_put(page_of_va(q->descriptors));
	if (q->completions)
		page_put(page_of_va((const void *)q->completions));
}

static void queue_tell(struct ena_queue *q)
{
	if (q->told == q->sq.at)
		return;
	store_barrier();
	q->told = q->sq.at;
	*q->doorbell = q->sq.at;
}

static void rx_fill(struct ena_queue *rx)
{
	while ((uint16_t)(rx->pool.count - rx->pool.free_count) < rx->sq.size - 1) {
		uint16_t id = nic_pool_take(&rx->pool);
		if (id == NIC_NONE)
			break;
		ena_rx_offer(&rx->descriptors[ena_ring_slot(&rx->sq)],
			     virt_to_phys(nic_pool_buffer(&rx->pool, id)), ENA_RX_BUFFER,
			     id, ena_ring_phase(&rx->sq));
		rx->sq.at++;
	}
	queue_tell(rx);
}

void ena_io_start(struct ena *ena)
{
	nic_pool_return_all(&ena->rx.pool);
	nic_pool_return_all(&ena->tx.pool);
	ena->tx_used = 0;
	ena->rx_pieces = 0;
	rx_fill(&ena->rx);
	*ena->rx.unmask = UNMASK;
}

static void tx_reclaim(struct ena *ena)
{
	uint16_t id;
	for (unsigned n = 0; n < ena->tx.cq.size; n++) {
		if (!ena_tx_next(ena->tx.completions, &ena->tx.cq, &id))
			return;
		if (!nic_pool_return(&ena->tx.pool, id)) {
			ena_fail(ena, ENA_REASON_TX_ID,
				 "completes a frame that it was not given");
			return;
		}
		ena->tx_used = (uint16_t)(ena->tx_used - ena->tx_slots[id]);
		ena->tx_completed++;
	}
}

static uint16_t tx_room(const struct ena *ena)
{
	return (uint16_t)(ena->tx.sq.size - 1 - ena->tx_used);
}

/* Is there room for so many entries? If not, the device is asked to say when it has sent
 * something: else it need not, and what it sent is seen when there is other work. */
static bool tx_room_made(struct ena *ena, unsigned wanted)
{
	if (ena->state == ENA_RUNNING && tx_room(ena) < wanted)
		tx_reclaim(ena);
	if (ena->state == ENA_RUNNING && tx_room(ena) < wanted) {
		*ena->tx.unmask = UNMASK;
		full_barrier(); /* ask first, then look */
		tx_reclaim(ena);
	}
	return ena->state == ENA_RUNNING && tx_room(ena) >= wanted;
}

static void tx_resume(struct ena *ena)
{
	tx_reclaim(ena);
	if (!ena->stalled || !tx_room_made(ena, ena->tx.sq.size / 4 + TX_SLOTS_MOST))
		return;
	ena->stalled = false;
	netdev_tx_ready(&ena->netdev);
}

/* Takes one completion; false: there is none, or the device failed. */
static bool rx_take(struct ena *ena)
{
	struct ena_received received;
	struct ena_queue *rx = &ena->rx;
	if (!ena_rx_next(rx->completions, &rx->cq, &received))
		return false;
	if (!nic_pool_return(&rx->pool, received.id)) {
		ena_fail(ena, ENA_REASON_RX_ID, "returns a buffer that it was not given");
		return false;
	}
	/* Nobody takes the buffer from the pool before rx_fill. */
	const uint8_t *buffer = nic_pool_buffer(&rx->pool, received.id);
	switch (ena_rx_judge(&received, ENA_RX_BUFFER, &ena->rx_pieces)) {
	case ENA_RX_FRAME:
		nic_receive(&ena->netdev, buffer + received.offset, received.size,
			    received.checksum_good);
		return true;
	case ENA_RX_DROP:
		ena->netdev.drops++;
		return true;
	case ENA_RX_PIECE:
		return true;
	default:
		ena_fail(ena, ENA_REASON_GENERIC, "receives frames of impossible sizes");
		return false;
	}
}

static bool poll(struct netdev *dev, unsigned budget)
{
	struct ena *ena = dev->driver;
	struct ena_queue *rx = &ena->rx;
	if (ena->state != ENA_RUNNING)
		return false;
	tx_resume(ena);
	unsigned n = 0;
	while (n < budget && ena->state == ENA_RUNNING && rx_take(ena))
		n++;
	if (ena->state != ENA_RUNNING)
		return false;
	rx_fill(rx);
	if (rx->cq_head && n)
		*rx->cq_head = rx->cq.at;
	if (ena->tx.cq_head)
		*ena->tx.cq_head = ena->tx.cq.at;
	if (n == budget)
		return true;
	*rx->unmask = UNMASK;
	full_barrier(); /* ask first, then look */
	struct ena_ring ahead = rx->cq;
	struct ena_received received;
	return ena_rx_next(rx->completions, &ahead, &received);
}

static void llq_write(struct ena *ena, const struct ena_packet *p, const uint8_t *frame)
{
	union {
		struct ena_llq_entry entry;
		uint64_t word[ENA_LLQ_ENTRY_SIZE / 8];
	} line;
	struct ena_queue *tx = &ena->tx;
	ena_llq_fill(&line.entry, p, frame, ena_ring_phase(&tx->sq));
	volatile uint64_t *to = ena->llq_entries +
				(size_t)ena_ring_slot(&tx->sq) * (ENA_LLQ_ENTRY_SIZE / 8);
	for (size_t i = 0; i < ENA_LLQ_ENTRY_SIZE / 8; i++)
		to[i] = line.word[i];
	tx->sq.at++;
	if (ena->burst && (uint16_t)(tx->sq.at - tx->told) >= ena->burst)
		queue_tell(tx);
}

static void ring_write(struct ena_queue *tx, const struct ena_packet *p)
{
	if (p->checksum) {
		ena_tx_meta(&tx->descriptors[ena_ring_slot(&tx->sq)], p,
			    ena_ring_phase(&tx->sq));
		tx->sq.at++;
	}
	ena_tx_data(&tx->descriptors[ena_ring_slot(&tx->sq)], p, !p->checksum,
		    ena_ring_phase(&tx->sq));
	tx->sq.at++;
}

static int transmit(struct netdev *dev, const struct netdev_frame *frame)
{
	struct ena *ena = dev->driver;
	uint32_t payload = frame->payload ? frame->payload_size : 0;
	struct ena_packet p = {.size = frame->header_size + payload};
	if (p.size > ENA_TX_BUFFER || frame->segment_size ||
	    (frame->checksum &&
	     !ena_packet_sum(&p, frame->header, frame->header_size, frame->checksum_start,
			     frame->checksum_offset))) {
		dev->drops++;
		return -EMSGSIZE;
	}
	if (!tx_room_made(ena, TX_SLOTS_MOST)) {
		ena->stalled = true;
		return -ENOBUFS;
	}
	p.id = nic_pool_take(&ena->tx.pool); /* a frame has an entry at least */
	uint8_t *bytes = nic_pool_buffer(&ena->tx.pool, p.id);
	memcpy(bytes, frame->header, frame->header_size);
	if (payload)
		memcpy(bytes + frame->header_size, frame->payload, payload);
	p.address = virt_to_phys(bytes);
	p.header_size = (uint8_t)(p.size < ena->header_most ? p.size : ena->header_most);
	p.in_ring = ena->llq;
	if (ena->llq) {
		llq_write(ena, &p, bytes);
	} else {
		ring_write(&ena->tx, &p);
	}
	ena->tx_slots[p.id] = !ena->llq && p.checksum ? 2 : 1;
	ena->tx_used = (uint16_t)(ena->tx_used + ena->tx_slots[p.id]);
	dev->tx_packets++;
	dev->tx_bytes += p.size;
	return 0;
}

static void flush(struct netdev *dev)
{
	struct ena *ena = dev->driver;
	if (ena->state == ENA_RUNNING)
		queue_tell(&ena->tx);
}

/* Without arrived and silence: an idle CPU halts. The device does not know what has been
 * taken while its vector was masked and interrupts for it once it is unmasked, so to look
 * for frames saved no interrupt, and a request then cost more, not less. */
const struct netdev_ops ena_netdev_ops = {
	.name = "ena", .transmit = transmit, .flush = flush, .poll = poll};

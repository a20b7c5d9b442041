/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * transmit.c: packets from the ring, in memory or in the device, to the network. */
#include "qemu/osdep.h"

#include "device.h"

static void tx_complete(EnaState *s, struct queue *q, uint16_t id)
{
	struct ring *r = &q->cq;
	uint8_t entry[8] = {0};
	if (s->bad_tx_id) {
		s->bad_tx_id = false;
		id = 0x3ff;
	}
	stw_le_p(entry, id);
	entry[3] = phase(r);
	pci_dma_write(&s->parent, slot(r, 8), entry, 8);
	r->at++;
}

static void held_flush(EnaState *s, struct queue *q)
{
	if (!q->held_count)
		return;
	while (q->held_count)
		tx_complete(s, q, q->held[--q->held_count]);
	interrupt_io(s, q);
}

void tx_flush_held(void *state)
{
	EnaState *s = state;
	for (unsigned n = TX; n < QUEUES; n += 2)
		held_flush(s, &s->queue[n]);
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint64_t sum_of(const uint8_t *p, size_t size)
{
	uint64_t sum = 0;
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += lduw_be_p(p + i);
	return size & 1 ? sum + (p[size - 1] << 8) : sum;
}

static void tx_checksum(EnaState *s, uint8_t *frame, size_t size, uint32_t control,
			const uint8_t *meta)
{
	unsigned l3 = meta[9], l4 = l3 + meta[8];
	unsigned at = l4 + ((control >> 8 & 31) == 12 ? 16 : 6);
	if (!(control & 1 << 14))
		return;
	if (!(control & 1 << 17) || (control & 15) != 8 || l3 != 14 || at + 2 > size ||
	    !(meta[1] & 1 << 6))
		return violation(s, "checksum wanted in a way that is not offered");
	if (meta[8] != (frame[14] & 15) * 4)
		return violation(s, "wrong IP header length in the meta descriptor");
	if ((control >> 4 & 1) != (frame[20] >> 6 & 1))
		return violation(s, "DF bit and descriptor differ");
	stw_be_p(frame + at, (uint16_t)~fold(sum_of(frame + l4, size - l4)));
}

/* The descriptors of a packet, one after the other. An entry of an LLQ holds two and a
 * header first, then up to eight. */
struct reader {
	uint8_t entry[128], header[96];
	unsigned left, at;
	uint32_t phase;
	bool begun;
};

static bool descriptor_next(EnaState *s, struct queue *q, struct reader *r, uint8_t d[16])
{
	if (!r->left) {
		if (q->sq.at == q->tail)
			return false;
		if (q->llq)
			memcpy(r->entry,
			       (uint8_t *)memory_region_get_ram_ptr(&s->window) +
				       llq_offset(q) + q->sq.at % q->sq.depth * LLQ_ENTRY,
			       LLQ_ENTRY);
		else
			pci_dma_read(&s->parent, slot(&q->sq, 16), r->entry, 16);
		if (!r->begun)
			memcpy(r->header, r->entry + 32, sizeof(r->header));
		r->left = !q->llq ? 1 : r->begun ? 8 : 2;
		r->begun = true;
		r->phase = phase(&q->sq);
		r->at = 0;
		q->sq.at++;
	}
	memcpy(d, r->entry + 16 * r->at++, 16);
	r->left--;
	if ((d[3] & 1) != r->phase)
		return violation(s, "wrong phase in a transmit descriptor"), false;
	return true;
}

/* Sends one packet from the ring; false: no whole one is there. */
static bool tx_packet(EnaState *s, struct queue *q)
{
	struct reader r = {.begun = false};
	uint8_t d[16], meta[16], frame[FRAME_MOST];
	memcpy(meta, q->meta, 16);
	if (!descriptor_next(s, q, &r, d))
		return false;
	if (!(d[3] & 4))
		return violation(s, "first descriptor without its bit"), false;
	if (d[2] & 0x80) {
		memcpy(meta, d, 16);
		if (d[2] & 0x20)
			memcpy(q->meta, d, 16);
		if (!descriptor_next(s, q, &r, d))
			return violation(s, "meta descriptor alone"), false;
	} else if (q->llq) {
		return violation(s, "no meta descriptor first"), false;
	}
	uint32_t control = ldl_le_p(d + 4);
	uint16_t id = (uint16_t)(control >> 22 | (d[2] & 0x3f) << 10);
	size_t size =
		q->llq ? d[15] : 0; /* else it is only told how long the header is */
	if (!(d[3] & 16) || d[15] > 96 || (q->llq && !size))
		return violation(s, "no completion wanted, or a header of a wrong size"),
		       false;
	memcpy(frame, r.header, size);
	for (;;) {
		unsigned length = lduw_le_p(d);
		if (size + length > sizeof(frame))
			return violation(s, "packet too long"), false;
		pci_dma_read(&s->parent, address_of(d + 8), frame + size, length);
		size += length;
		if (d[3] & 8)
			break;
		if (!descriptor_next(s, q, &r, d))
			return violation(s, "packet without an end"), false;
	}
	tx_checksum(s, frame, size, control, meta);
	qemu_send_packet(qemu_get_queue(s->nic), frame, size);
	if (s->shuffled) {
		q->held[q->held_count++] = id;
		if (q->held_count == HELD_MOST)
			held_flush(s, q);
		else
			timer_mod(s->soon, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + 1);
	} else {
		tx_complete(s, q, id);
	}
	return true;
}

void tx_doorbell(EnaState *s, struct queue *q, uint32_t tail)
{
	if ((uint16_t)(tail - q->sq.at) >= q->sq.depth)
		return violation(s, "transmit doorbell too far");
	q->tail = q->sq.at + (uint16_t)(tail - q->sq.at);
	bool sent = false;
	while (!s->hang && !(s->status & 1 << 5) && tx_packet(s, q))
		sent = true;
	if (sent && !s->shuffled)
		interrupt_io(s, q);
}

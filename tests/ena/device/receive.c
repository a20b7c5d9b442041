/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * receive.c: frames from the network into the buffers that the driver has given. */
#include "qemu/osdep.h"

#include "device.h"

void rx_doorbell(EnaState *s, struct queue *q, uint32_t tail)
{
	if ((uint16_t)(tail - q->tail) >= q->sq.depth)
		return violation(s, "receive doorbell too far");
	for (; (uint16_t)q->tail != (uint16_t)tail; q->tail++) {
		struct ring r = {q->sq.base, q->sq.depth, q->tail};
		uint8_t d[16];
		pci_dma_read(&s->parent, slot(&r, 16), d, 16);
		if ((d[3] & 1) != phase(&r) || (d[3] & 0x1c) != 0x1c)
			return violation(s, "wrong bits in a receive descriptor");
		if (q->free_count == q->sq.depth)
			return violation(s, "more receive buffers than the ring has");
		q->buffer[q->free_count++] = (struct buffer){
			address_of(d + 8), lduw_le_p(d), lduw_le_p(d + 4)};
	}
	qemu_flush_queued_packets(qemu_get_queue(s->nic));
}

static uint32_t rx_status(EnaState *s, const uint8_t *frame, size_t size)
{
	uint32_t status = 1 << 26 | 1 << 27 | 1 << 30;
	if (size < 34 || lduw_be_p(frame + 12) != 0x800)
		return status;
	status |= 8;
	if (frame[23] == 6 && !s->no_checksum)
		status |= 12 << 8 | 1 << 16;
	return status;
}

ssize_t rx_receive(NetClientState *nc, const uint8_t *frame, size_t size)
{
	EnaState *s = qemu_get_nic_opaque(nc);
	uint32_t hash;
	struct queue *q = rss_queue_of(s, frame, size, &hash);
	if (s->hang || !q || size > s->mtu + 18) {
		s->dropped++;
		return size;
	}
	if (!q->free_count)
		return 0; /* offered again after a doorbell */
	unsigned n = s->shuffled ? q->free_count - 1 : 0;
	struct buffer to = q->buffer[n];
	q->free_count--;
	memmove(q->buffer + n, q->buffer + n + 1, (q->free_count - n) * sizeof(to));
	uint8_t entry[16] = {0};
	if (size > to.size)
		return violation(s, "receive buffer smaller than the MTU"), size;
	pci_dma_write(&s->parent, to.address, frame, size);
	stl_le_p(entry, rx_status(s, frame, size) | phase(&q->cq) << 24);
	stw_le_p(entry + 4, size);
	stw_le_p(entry + 6, s->bad_rx_id ? 0x7777 : to.id);
	s->bad_rx_id = false;
	stl_le_p(entry + 8, hash);
	pci_dma_write(&s->parent, slot(&q->cq, 16), entry, 16);
	q->cq.at++;
	s->receivers |= 1ull << q->number;
	interrupt_io(s, q);
	return size;
}

/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ena_model.c: an ENA for stock QEMU, as a shared object that is preloaded into it; for
 * tests only, and under QEMU's licence because it is built with QEMU's headers. Strict:
 * what a driver does wrong is said on stderr as "ena-model: violation: ...", and the
 * device goes fatal.
 *
 * Faults are properties that may be set at start (-device ena,llq-required=on) and, by
 * qom-set, while it runs. See properties[] at the end. */
#include "qemu/osdep.h"

#include "hw/pci/pci.h"
#include "hw/pci/msix.h"
#include "hw/qdev-properties.h"
#include "net/net.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "qemu/timer.h"

#define TYPE_ENA "ena"
OBJECT_DECLARE_SIMPLE_TYPE(EnaState, ENA)

#define REGISTERS_SIZE 0x4000
#define WINDOW_SIZE    (256 * 1024)
#define DOORBELL(q)    (0x1000 + 8 * (q))
#define UNMASK         0x2000
#define RING_MOST      1024
#define FRAME_MOST     16384
#define HELD_MOST      8

enum { AQ = 0, ACQ = 1, AENQ = 2, ADMIN_QUEUES };
enum { TX = 0, RX = 1, QUEUES };

struct ring {
	uint64_t base;
	uint32_t depth, at; /* at: free-running */
};

struct queue {
	struct ring sq, cq;
	bool cq_made, sq_made, llq;
	uint32_t tail; /* the driver's doorbell */
	struct buffer {
		uint64_t address;
		uint16_t size, id;
	} buffer[RING_MOST]; /* RX: fetched descriptors, oldest first */
	uint32_t free_count;
	uint8_t meta[16]; /* TX: the descriptor to go on with where a packet brings none
			   */
	uint16_t held[HELD_MOST]; /* TX: completions kept back to shuffle them */
	unsigned held_count;
};

struct EnaState {
	PCIDevice parent;
	MemoryRegion registers, window;
	NICState *nic;
	NICConf conf;
	QEMUTimer *second, *soon;

	uint32_t control, status, aq_tail;
	struct ring admin[ADMIN_QUEUES];
	uint32_t aenq_head;               /* the driver's doorbell */
	uint64_t host_info, read_answers; /* where registers asked for by 0x5c are put */
	uint32_t groups, mtu;
	bool link_told, interrupt_masked, vector_masked, vector_pending;
	struct queue queue[QUEUES];
	uint64_t dropped;

	/* faults */
	bool reset_refused, shuffled, llq_required, no_llq, hang, silent, bad_rx_id,
		bad_tx_id, admin_hang, no_checksum, fatal, refusing;
	uint32_t refused;                      /* the command that is; 0: every one */
	uint32_t depth, alive_ms, transmit_ms; /* hints to the driver */
};

static void violation(EnaState *s, const char *what)
{
	fprintf(stderr, "ena-model: violation: %s\n", what);
	s->status |= 1u << 5;
}

static uint64_t address_of(const uint8_t *p)
{
	return ldl_le_p(p) | (uint64_t)lduw_le_p(p + 4) << 32;
}

static uint32_t phase(const struct ring *r)
{
	return !(r->at / r->depth & 1);
}

static uint64_t slot(const struct ring *r, unsigned size)
{
	return r->base + (uint64_t)(r->at % r->depth) * size;
}

/* Events and interrupts. */

static void io_interrupt(EnaState *s)
{
	if (s->vector_masked) {
		s->vector_pending = true;
		return;
	}
	s->vector_masked = true;
	s->vector_pending = false;
	msix_notify(&s->parent, 1);
}

static bool event_post(EnaState *s, unsigned group, uint64_t data)
{
	struct ring *r = &s->admin[AENQ];
	uint8_t entry[64] = {0};
	if (!(s->groups >> group & 1) || !r->depth ||
	    (uint16_t)(s->aenq_head - r->at) == 0)
		return false;
	stw_le_p(entry, group);
	entry[4] = phase(r);
	stq_le_p(entry + 16, data);
	pci_dma_write(&s->parent, slot(r, 64), entry, 64);
	r->at++;
	if (!s->interrupt_masked)
		msix_notify(&s->parent, 0);
	return true;
}

static void each_second(void *opaque)
{
	EnaState *s = opaque;
	if (!s->hang && !s->silent) {
		event_post(s, 4, s->dropped);
		if (!s->link_told)
			s->link_told = event_post(s, 0, 1);
	}
	timer_mod(s->second, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + 1000);
}

/* Transmit. */

static void tx_complete(EnaState *s, uint16_t id)
{
	struct ring *r = &s->queue[TX].cq;
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

static void held_flush(EnaState *s)
{
	struct queue *q = &s->queue[TX];
	if (!q->held_count)
		return;
	while (q->held_count)
		tx_complete(s, q->held[--q->held_count]);
	io_interrupt(s);
}

static void soon(void *opaque)
{
	held_flush(opaque);
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

static bool descriptor_next(EnaState *s, struct reader *r, uint8_t d[16])
{
	struct queue *q = &s->queue[TX];
	if (!r->left) {
		if (q->sq.at == q->tail)
			return false;
		if (q->llq)
			memcpy(r->entry,
			       (uint8_t *)memory_region_get_ram_ptr(&s->window) +
				       q->sq.at % q->sq.depth * 128,
			       128);
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
static bool tx_packet(EnaState *s)
{
	struct queue *q = &s->queue[TX];
	struct reader r = {.begun = false};
	uint8_t d[16], meta[16], frame[FRAME_MOST];
	memcpy(meta, q->meta, 16);
	if (!descriptor_next(s, &r, d))
		return false;
	if (!(d[3] & 4))
		return violation(s, "first descriptor without its bit"), false;
	if (d[2] & 0x80) {
		memcpy(meta, d, 16);
		if (d[2] & 0x20)
			memcpy(q->meta, d, 16);
		if (!descriptor_next(s, &r, d))
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
		if (!descriptor_next(s, &r, d))
			return violation(s, "packet without an end"), false;
	}
	tx_checksum(s, frame, size, control, meta);
	qemu_send_packet(qemu_get_queue(s->nic), frame, size);
	if (s->shuffled) {
		q->held[q->held_count++] = id;
		if (q->held_count == HELD_MOST)
			held_flush(s);
		else
			timer_mod(s->soon, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + 1);
	} else {
		tx_complete(s, id);
	}
	return true;
}

static void tx_doorbell(EnaState *s, uint32_t tail)
{
	struct queue *q = &s->queue[TX];
	if (!q->sq_made || (uint16_t)(tail - q->sq.at) >= q->sq.depth)
		return violation(s, "transmit doorbell too far");
	q->tail = q->sq.at + (uint16_t)(tail - q->sq.at);
	bool sent = false;
	while (!s->hang && !(s->status & 1 << 5) && tx_packet(s))
		sent = true;
	if (sent && !s->shuffled)
		io_interrupt(s);
}

/* Receive. */

static void rx_doorbell(EnaState *s, uint32_t tail)
{
	struct queue *q = &s->queue[RX];
	if (!q->sq_made || (uint16_t)(tail - q->tail) >= q->sq.depth)
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

static bool can_receive(NetClientState *nc)
{
	EnaState *s = qemu_get_nic_opaque(nc);
	return !s->queue[RX].sq_made || s->queue[RX].free_count || s->hang;
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

static ssize_t receive(NetClientState *nc, const uint8_t *frame, size_t size)
{
	EnaState *s = qemu_get_nic_opaque(nc);
	struct queue *q = &s->queue[RX];
	if (s->hang || !q->sq_made || size > s->mtu + 18) {
		s->dropped++;
		return size;
	}
	if (!q->free_count)
		return 0;
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
	pci_dma_write(&s->parent, slot(&q->cq, 16), entry, 16);
	q->cq.at++;
	io_interrupt(s);
	return size;
}

/* The admin queue. */

static uint8_t feature_get(EnaState *s, uint8_t feature, uint8_t *answer)
{
	switch (feature) {
	case 1:
		stl_le_p(answer + 8, 1 << 1 | 1 << 3 | 1 << 7 | 1 << 11 | 1 << 14 |
					     1 << 26 | 1 << 28 |
					     (s->no_llq ? 0 : 1 << 4));
		stl_le_p(answer + 16, 48);
		stl_le_p(answer + 20, 48);
		memcpy(answer + 24, s->conf.macaddr.a, 6);
		stl_le_p(answer + 32, 9216);
		return 0;
	case 3:
		stw_le_p(answer + 2, s->alive_ms);
		stw_le_p(answer + 4, s->transmit_ms);
		return 0;
	case 4:
		stl_le_p(answer, 1);
		stl_le_p(answer + 4, s->depth);
		stw_le_p(answer + 8, 1);
		stw_le_p(answer + 12, 1);
		stw_le_p(answer + 16, 2);
		stw_le_p(answer + 20, 3);
		stw_le_p(answer + 28, 3); /* no meta caching, limited bursts */
		stw_le_p(answer + 30, 8 * 128);
		return 0;
	case 7:
		answer[0] = 1;
		for (unsigned i = 0; i < 4; i++)
			stl_le_p(answer + 4 + 4 * i, 1);
		for (unsigned i = 4; i < 8; i++)
			stl_le_p(answer + 4 + 4 * i, s->depth);
		stl_le_p(answer + 36, 96);
		stw_le_p(answer + 40, 17);
		stw_le_p(answer + 42, 16);
		return 0;
	case 11:
		stl_le_p(answer, s->no_checksum ? 0 : 1 << 1);
		stl_le_p(answer + 4, s->no_checksum ? 0 : 1 << 1);
		return 0;
	case 26:
		stl_le_p(answer, 0x1f);
		stl_le_p(answer + 4, s->groups);
		return 0;
	}
	return 3;
}

static uint8_t feature_set(EnaState *s, uint8_t feature, const uint8_t *data)
{
	switch (feature) {
	case 4:
		return lduw_le_p(data + 10) == 1 && lduw_le_p(data + 14) == 1 &&
				       lduw_le_p(data + 18) == 2 &&
				       (lduw_le_p(data + 28) & 1)
			       ? 0
			       : 5;
	case 14:
		s->mtu = ldl_le_p(data);
		return s->mtu >= 128 && s->mtu <= 9216 ? 0 : 5;
	case 26:
		s->groups = ldl_le_p(data + 4);
		return s->groups & ~0x1fu ? 5 : 0;
	case 28:
		s->host_info = address_of(data);
		return 0;
	}
	return 3;
}

static uint8_t create_cq(EnaState *s, const uint8_t *c, uint8_t *answer)
{
	uint8_t info[256];
	unsigned words = c[5] & 31, n = words == 2 ? TX : RX;
	struct queue *q = &s->queue[n];
	uint32_t depth = lduw_le_p(c + 6);
	if (!s->host_info || !s->admin[AENQ].base)
		return 5;
	pci_dma_read(&s->parent, s->host_info, info, sizeof(info));
	if ((ldl_le_p(info + 172) & 0xff) < 2 || (words != 2 && words != 4) ||
	    q->cq_made || depth & (depth - 1) || !depth || depth > s->depth ||
	    ldl_le_p(c + 8) != 1 || !(c[4] & 32) || address_of(c + 12) % 4096)
		return 5;
	q->cq = (struct ring){.base = address_of(c + 12), .depth = depth};
	q->cq_made = true;
	stw_le_p(answer, n);
	stw_le_p(answer + 2, depth);
	stl_le_p(answer + 12, UNMASK);
	return 0;
}

static uint8_t create_sq(EnaState *s, const uint8_t *c, uint8_t *answer)
{
	unsigned n = c[4] >> 5 == 1 ? TX : RX;
	struct queue *q = &s->queue[n];
	uint32_t depth = lduw_le_p(c + 10);
	q->llq = (c[6] & 15) == 3;
	if (lduw_le_p(c + 8) != n || !q->cq_made || q->sq_made || depth & (depth - 1) ||
	    !depth || depth > s->depth || (q->llq && (n == RX || s->no_llq)) ||
	    (n == TX && s->llq_required && !q->llq) ||
	    (!q->llq && address_of(c + 12) % 4096))
		return 5;
	q->sq = (struct ring){.base = address_of(c + 12), .depth = depth};
	memset(q->meta, 0, sizeof(q->meta));
	q->sq_made = true;
	stw_le_p(answer, n);
	stl_le_p(answer + 4, DOORBELL(n));
	return 0;
}

/* The ring goes first: a completion queue that is still used is not given up. */
static uint8_t destroy_sq(EnaState *s, const uint8_t *c)
{
	unsigned n = lduw_le_p(c + 4);
	if (n >= QUEUES || c[6] >> 5 != (n == TX ? 1 : 2) || !s->queue[n].sq_made)
		return 5;
	struct queue *q = &s->queue[n];
	q->sq = (struct ring){0};
	q->sq_made = q->llq = false;
	q->tail = q->free_count = q->held_count = 0;
	return 0;
}

static uint8_t destroy_cq(EnaState *s, const uint8_t *c)
{
	unsigned n = lduw_le_p(c + 4);
	if (n >= QUEUES || !s->queue[n].cq_made || s->queue[n].sq_made)
		return 5;
	s->queue[n].cq = (struct ring){0};
	s->queue[n].cq_made = false;
	return 0;
}

static uint8_t command_do(EnaState *s, const uint8_t *c, uint8_t *answer)
{
	if (s->refusing && (!s->refused || s->refused == c[2]))
		return 6;
	switch (c[2]) {
	case 1:
		return create_sq(s, c, answer);
	case 2:
		return destroy_sq(s, c);
	case 3:
		return create_cq(s, c, answer);
	case 4:
		return destroy_cq(s, c);
	case 8:
		return feature_get(s, c[17], answer);
	case 9:
		return feature_set(s, c[17], c + 20);
	}
	return 2;
}

static void command_run(EnaState *s)
{
	struct ring *aq = &s->admin[AQ], *acq = &s->admin[ACQ];
	uint8_t c[64], answer[64] = {0};
	pci_dma_read(&s->parent, slot(aq, 64), c, 64);
	if ((c[3] & 1) != phase(aq))
		return violation(s, "wrong phase in an admin command");
	aq->at++;
	memcpy(answer, c, 2);
	answer[2] = command_do(s, c, answer + 8);
	answer[3] = phase(acq);
	stw_le_p(answer + 6, aq->at);
	pci_dma_write(&s->parent, slot(acq, 64), answer, 64);
	acq->at++;
	if (!s->interrupt_masked)
		msix_notify(&s->parent, 0);
}

static void forget(EnaState *s)
{
	memset(s->queue, 0, sizeof(s->queue));
	memset(s->admin, 0, sizeof(s->admin));
	s->host_info = 0;
	s->groups = s->aenq_head = s->aq_tail = 0;
	s->link_told = s->interrupt_masked = s->vector_masked = s->vector_pending = false;
	s->dropped = 0;
	s->mtu = 9216;
	s->status = 1;
}

static uint64_t bar_read(void *opaque, hwaddr at, unsigned size)
{
	EnaState *s = opaque;
	switch (at) {
	case 0x00:
		return 0x0200;
	case 0x04:
		return 0x010000; /* the controller's; Linux wants 0.0.1 or later */
	case 0x08:
		return 1 | 5 << 1 | 48 << 8 | 5 << 16; /* 500 ms each */
	case 0x54:
		return s->control;
	case 0x58:
		return s->status | (s->fatal ? 1 << 5 : 0);
	}
	return 0;
}

/* Linux reads registers so: it asks, and the value comes by DMA. */
static void read_answer(EnaState *s, uint32_t question)
{
	uint8_t answer[8];
	stw_le_p(answer, question & 0xffff);
	stw_le_p(answer + 2, question >> 16);
	stl_le_p(answer + 4, bar_read(s, question >> 16, 4));
	pci_dma_write(&s->parent, s->read_answers, answer, sizeof(answer));
}

static void half_write(uint64_t *whole, bool high, uint32_t value)
{
	*whole = high ? (*whole & 0xffffffff) | (uint64_t)value << 32
		      : (*whole & ~0xffffffffull) | value;
}

static void control_write(EnaState *s, uint32_t value)
{
	s->control = value;
	if (s->reset_refused)
		return;
	if (value & 1) {
		forget(s);
		s->hang = s->fatal = s->silent = false;
		s->status = 1 | 1 << 3;
	} else {
		s->status &= ~(1u << 3);
	}
}

static void bar_write(void *opaque, hwaddr at, uint64_t value, unsigned size)
{
	EnaState *s = opaque;
	switch (at) {
	case 0x10:
	case 0x14:
		return half_write(&s->admin[AQ].base, at == 0x14, value);
	case 0x20:
	case 0x24:
		return half_write(&s->admin[ACQ].base, at == 0x24, value);
	case 0x38:
	case 0x3c:
		return half_write(&s->admin[AENQ].base, at == 0x3c, value);
	case 0x18:
	case 0x28:
	case 0x34:
		s->admin[at == 0x18   ? AQ
			 : at == 0x28 ? ACQ
				      : AENQ]
			.depth = value & 0xffff;
		if (value >> 16 != 64)
			violation(s, "admin queue entries are of 64 bytes");
		return;
	case 0x2c:
		s->aq_tail = value;
		while (!s->hang && !s->admin_hang && s->admin[AQ].depth &&
		       (uint16_t)s->admin[AQ].at != (uint16_t)s->aq_tail &&
		       !(s->status & 1 << 5))
			command_run(s);
		return;
	case 0x40:
		s->aenq_head = value;
		return;
	case 0x4c:
		s->interrupt_masked = value & 1;
		return;
	case 0x54:
		return control_write(s, value);
	case 0x5c:
		return read_answer(s, value);
	case 0x60:
	case 0x64:
		return half_write(&s->read_answers, at == 0x64, value);
	case DOORBELL(TX):
		return s->hang ? (void)0 : tx_doorbell(s, value);
	case DOORBELL(RX):
		return s->hang ? (void)0 : rx_doorbell(s, value);
	case UNMASK:
		s->vector_masked = !(value >> 30 & 1);
		if (s->vector_pending)
			io_interrupt(s);
		return;
	}
}

static const MemoryRegionOps register_ops = {
	.read = bar_read,
	.write = bar_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = {.min_access_size = 4, .max_access_size = 4},
};

static NetClientInfo net_info = {
	.type = NET_CLIENT_DRIVER_NIC,
	.size = sizeof(NICState),
	.can_receive = can_receive,
	.receive = receive,
};

static void realize(PCIDevice *pci, Error **errp)
{
	EnaState *s = ENA(pci);
	Error *error = NULL;
	object_property_add_uint64_ptr(OBJECT(s), "dropped", &s->dropped,
				       OBJ_PROP_FLAG_READ);
	memory_region_init_io(&s->registers, OBJECT(s), &register_ops, s, "ena-registers",
			      REGISTERS_SIZE);
	memory_region_init_ram(&s->window, OBJECT(s), "ena-window", WINDOW_SIZE, &error);
	if (error)
		return error_propagate(errp, error);
	pci_register_bar(pci, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->registers);
	pci_register_bar(pci, 2,
			 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
				 PCI_BASE_ADDRESS_MEM_PREFETCH,
			 &s->window);
	if (msix_init_exclusive_bar(pci, 2, 1, errp))
		return;
	msix_vector_use(pci, 0);
	msix_vector_use(pci, 1);
	qemu_macaddr_default_if_unset(&s->conf.macaddr);
	s->nic = qemu_new_nic(&net_info, &s->conf, TYPE_ENA, DEVICE(s)->id,
			      &DEVICE(s)->mem_reentrancy_guard, s);
	s->second = timer_new_ms(QEMU_CLOCK_VIRTUAL, each_second, s);
	s->soon = timer_new_ms(QEMU_CLOCK_VIRTUAL, soon, s);
	forget(s);
	each_second(s);
}

static Property properties[] = {
	DEFINE_NIC_PROPERTIES(EnaState, conf),
	DEFINE_PROP_UINT32("depth", EnaState, depth, 1024),
	DEFINE_PROP_UINT32("alive-ms", EnaState, alive_ms, 0),
	DEFINE_PROP_UINT32("transmit-ms", EnaState, transmit_ms, 0),
	DEFINE_PROP_UINT32("refused", EnaState, refused, 0),
	DEFINE_PROP_END_OF_LIST(),
};

/* Settable at any time. */
#define FLAG(field)                                                                      \
	static bool field##_get(Object *o, Error **errp)                                 \
	{                                                                                \
		return ENA(o)->field;                                                    \
	}                                                                                \
	static void field##_set(Object *o, bool value, Error **errp)                     \
	{                                                                                \
		ENA(o)->field = value;                                                   \
	}
FLAG(reset_refused)
FLAG(shuffled)
FLAG(llq_required)
FLAG(no_llq)
FLAG(hang)
FLAG(silent)
FLAG(bad_rx_id)
FLAG(bad_tx_id)
FLAG(admin_hang)
FLAG(no_checksum)
FLAG(fatal)
FLAG(refusing)

static void class_init(ObjectClass *class, void *data)
{
	PCIDeviceClass *pci = PCI_DEVICE_CLASS(class);
	pci->realize = realize;
	pci->vendor_id = 0x1d0f;
	pci->device_id = 0xec20;
	pci->class_id = PCI_CLASS_NETWORK_ETHERNET;
	device_class_set_props(DEVICE_CLASS(class), properties);
	object_class_property_add_bool(class, "reset-refused", reset_refused_get,
				       reset_refused_set);
	object_class_property_add_bool(class, "shuffled", shuffled_get, shuffled_set);
	object_class_property_add_bool(class, "llq-required", llq_required_get,
				       llq_required_set);
	object_class_property_add_bool(class, "no-llq", no_llq_get, no_llq_set);
	object_class_property_add_bool(class, "hang", hang_get, hang_set);
	object_class_property_add_bool(class, "silent", silent_get, silent_set);
	object_class_property_add_bool(class, "bad-rx-id", bad_rx_id_get, bad_rx_id_set);
	object_class_property_add_bool(class, "bad-tx-id", bad_tx_id_get, bad_tx_id_set);
	object_class_property_add_bool(class, "admin-hang", admin_hang_get,
				       admin_hang_set);
	object_class_property_add_bool(class, "no-checksum", no_checksum_get,
				       no_checksum_set);
	object_class_property_add_bool(class, "fatal", fatal_get, fatal_set);
	object_class_property_add_bool(class, "refusing", refusing_get, refusing_set);
}

static const TypeInfo info = {
	.name = TYPE_ENA,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(EnaState),
	.class_init = class_init,
	.interfaces = (InterfaceInfo[]){{INTERFACE_CONVENTIONAL_PCI_DEVICE}, {}},
};

static void register_types(void)
{
	type_register_static(&info);
}
type_init(register_types)

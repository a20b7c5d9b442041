/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * registers.c: BAR 0, the reset, and what a driver is told that breaks a rule. */
#include "qemu/osdep.h"

#include "device.h"

void violation(EnaState *s, const char *what)
{
	fprintf(stderr, "ena-model: violation: %s\n", what);
	s->status |= 1u << 5;
}

void device_forget(EnaState *s)
{
	memset(s->queue, 0, sizeof(s->queue));
	for (unsigned n = 0; n < QUEUES; n++)
		s->queue[n].number = n;
	memset(s->admin, 0, sizeof(s->admin));
	s->host_info = 0;
	s->groups = s->aenq_head = s->aq_tail = 0;
	s->link_told = s->interrupt_masked = false;
	memset(s->vector_masked, 0, sizeof(s->vector_masked));
	memset(s->vector_pending, 0, sizeof(s->vector_pending));
	rss_forget(s);
	s->dropped = s->receivers = 0;
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
		device_forget(s);
		s->hang = s->fatal = s->silent = false;
		s->status = 1 | 1 << 3;
	} else {
		s->status &= ~(1u << 3);
	}
}

static void doorbell(EnaState *s, unsigned number, uint32_t tail)
{
	struct queue *q = &s->queue[number];
	if (s->hang)
		return;
	if (!q->sq_made)
		return violation(s, "doorbell of a queue that is not there");
	if (number % 2 == TX)
		tx_doorbell(s, q, tail);
	else
		rx_doorbell(s, q, tail);
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
		return admin_doorbell(s, value);
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
	}
	if (at >= DOORBELLS && at < DOORBELLS + 8 * QUEUES)
		return doorbell(s, (at - DOORBELLS) / 8, value);
	if (at > UNMASKS && at < UNMASKS + 4 * VECTORS)
		return interrupt_io_unmask(s, (at - UNMASKS) / 4, value >> 30 & 1);
}

const MemoryRegionOps register_ops = {
	.read = bar_read,
	.write = bar_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = {.min_access_size = 4, .max_access_size = 4},
};

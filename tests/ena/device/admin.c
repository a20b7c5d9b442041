/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * admin.c: commands: queues are made and given up; features.c has the others. */
#include "qemu/osdep.h"

#include "device.h"

/* The first of a direction that has no completion queue; NULL: all have. */
static struct queue *unused_queue(EnaState *s, unsigned direction)
{
	for (unsigned n = direction; n < 2 * s->pairs; n += 2)
		if (!s->queue[n].cq_made)
			return &s->queue[n];
	return NULL;
}

static uint8_t create_cq(EnaState *s, const uint8_t *c, uint8_t *answer)
{
	uint8_t info[256];
	unsigned words = c[5] & 31;
	struct queue *q = unused_queue(s, words == 2 ? TX : RX);
	uint32_t depth = lduw_le_p(c + 6), vector = ldl_le_p(c + 8);
	if (!s->host_info || !s->admin[AENQ].base)
		return 5;
	pci_dma_read(&s->parent, s->host_info, info, sizeof(info));
	if ((ldl_le_p(info + 172) & 0xff) < 2 || (words != 2 && words != 4) || !q ||
	    depth & (depth - 1) || !depth || depth > s->depth || !vector ||
	    vector > s->pairs || !(c[4] & 32) || address_of(c + 12) % 4096)
		return 5;
	q->cq = (struct ring){.base = address_of(c + 12), .depth = depth};
	q->cq_made = true;
	q->vector = vector;
	stw_le_p(answer, q->number);
	stw_le_p(answer + 2, depth);
	stl_le_p(answer + 12, UNMASKS + 4 * vector);
	return 0;
}

static uint8_t create_sq(EnaState *s, const uint8_t *c, uint8_t *answer)
{
	unsigned n = lduw_le_p(c + 8), direction = c[4] >> 5 == 1 ? TX : RX;
	struct queue *q = &s->queue[n % QUEUES];
	uint32_t depth = lduw_le_p(c + 10);
	if (n >= QUEUES || n % 2 != direction)
		return 5;
	q->llq = (c[6] & 15) == 3;
	if (!q->cq_made || q->sq_made || depth & (depth - 1) || !depth ||
	    depth > s->depth || (q->llq && (direction == RX || s->no_llq)) ||
	    (direction == TX && s->llq_required && !q->llq) ||
	    (!q->llq && address_of(c + 12) % 4096))
		return 5;
	q->sq = (struct ring){.base = address_of(c + 12), .depth = depth};
	memset(q->meta, 0, sizeof(q->meta));
	q->sq_made = true;
	stw_le_p(answer, n);
	stl_le_p(answer + 4, DOORBELLS + 8 * n);
	if (q->llq)
		stl_le_p(answer + 8, llq_offset(q));
	return 0;
}

/* The ring goes first: a completion queue that is still used is not given up. */
static uint8_t destroy_sq(EnaState *s, const uint8_t *c)
{
	unsigned n = lduw_le_p(c + 4);
	if (n >= QUEUES || c[6] >> 5 != (n % 2 == TX ? 1 : 2) || !s->queue[n].sq_made)
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
		return feature_get(s, c, answer);
	case 9:
		return feature_set(s, c);
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
	interrupt_admin(s);
}

void admin_doorbell(EnaState *s, uint32_t tail)
{
	s->aq_tail = tail;
	while (!s->hang && !s->admin_hang && s->admin[AQ].depth &&
	       (uint16_t)s->admin[AQ].at != (uint16_t)s->aq_tail && !(s->status & 1 << 5))
		command_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * events.c: the queue of events: the link, and a keep-alive each second. */
#include "qemu/osdep.h"

#include "device.h"

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
	interrupt_admin(s);
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

void events_start(EnaState *s)
{
	s->second = timer_new_ms(QEMU_CLOCK_VIRTUAL, each_second, s);
	each_second(s);
}

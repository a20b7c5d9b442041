/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * features.c: what the device offers and what the driver sets, by number. */
#include "qemu/osdep.h"

#include "device.h"

uint8_t feature_get(EnaState *s, uint8_t feature, uint8_t *answer)
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

uint8_t feature_set(EnaState *s, uint8_t feature, const uint8_t *data)
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

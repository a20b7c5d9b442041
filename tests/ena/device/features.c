/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * features.c: what the device offers and what the driver sets, by number. */
#include "qemu/osdep.h"

#include "device.h"

static uint32_t features_of(const EnaState *s)
{
	uint32_t rss = 1 << 10 | 1 << 12 | 1 << 18;
	return 1 << 1 | 1 << 3 | (s->no_llq ? 0 : 1 << 4) |
	       (s->old_limits ? 1 << 2 : 1 << 7) | (s->no_rss ? 0 : rss) | 1 << 11 |
	       1 << 14 | 1 << 26 | 1 << 28;
}

static uint8_t get(EnaState *s, uint8_t feature, uint8_t *answer)
{
	switch (feature) {
	case 1:
		stl_le_p(answer + 8, features_of(s));
		stl_le_p(answer + 16, 48);
		stl_le_p(answer + 20, 48);
		memcpy(answer + 24, s->conf.macaddr.a, 6);
		stl_le_p(answer + 32, 9216);
		return 0;
	case 2:
		stl_le_p(answer, s->pairs);
		stl_le_p(answer + 4, s->depth);
		stl_le_p(answer + 8, s->pairs);
		stl_le_p(answer + 12, s->depth);
		stl_le_p(answer + 16, s->pairs); /* of which may be an LLQ */
		stl_le_p(answer + 20, s->depth);
		stl_le_p(answer + 24, 96);
		stw_le_p(answer + 28, 17);
		stw_le_p(answer + 30, 16);
		return 0;
	case 3:
		stw_le_p(answer + 2, s->alive_ms);
		stw_le_p(answer + 4, s->transmit_ms);
		return 0;
	case 4:
		stl_le_p(answer, s->pairs);
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
			stl_le_p(answer + 4 + 4 * i, s->pairs);
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

static uint8_t set(EnaState *s, uint8_t feature, const uint8_t *data)
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

/* What was not offered is refused. */
uint8_t feature_get(EnaState *s, const uint8_t *command, uint8_t *answer)
{
	uint8_t feature = command[17];
	if (feature >= 32 || !(features_of(s) >> feature & 1))
		return 3;
	return rss_has(feature) ? rss_get(s, command, answer) : get(s, feature, answer);
}

uint8_t feature_set(EnaState *s, const uint8_t *command)
{
	uint8_t feature = command[17];
	if (feature >= 32 || !(features_of(s) >> feature & 1))
		return 3;
	return rss_has(feature) ? rss_set(s, command) : set(s, feature, command + 20);
}

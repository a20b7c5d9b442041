/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rss.c: which receive queue a frame is for: a hash of its addresses and ports picks an
 * entry of the indirection table, which names the queue. A reset makes the table as for a
 * driver that has all queues: with fewer, one that does not set it loses frames. */
#include "qemu/osdep.h"

#include "device.h"

enum { FUNCTION = 10, TABLE = 12, INPUT = 18 };
enum { TOEPLITZ = 1 };
enum { TCP4, UDP4, IP4 = 4, NOT_IP = 7 };
enum { L3_DA = 4, L3_SA = 8, L4_DP = 16, L4_SP = 32, ALL_FIELDS = 63 };

#define LOG_SIZE_LEAST 4
#define LOG_SIZE_MOST  8
#define WHOLE_TABLE    0xffffffffu
_Static_assert(1 << LOG_SIZE_MOST == RSS_TABLE_MOST, "the largest table");

void rss_forget(EnaState *s)
{
	s->rss_log_size = LOG_SIZE_LEAST;
	for (unsigned i = 0; i < RSS_TABLE_MOST; i++)
		s->rss_table[i] = s->rss_fixed ? RX : 2 * (i % s->pairs) + RX;
	s->rss_function = TOEPLITZ;
	for (unsigned i = 0; i < sizeof(s->rss_key); i++)
		s->rss_key[i] = (uint8_t)(0x6d * (i + 1));
	for (unsigned i = 0; i < ARRAY_SIZE(s->rss_fields); i++)
		s->rss_fields[i] = L3_DA | L3_SA | L4_DP | L4_SP;
}

bool rss_has(uint8_t feature)
{
	return feature == FUNCTION || feature == TABLE || feature == INPUT;
}

/* The command's buffer, when it names one of the size at least. */
static bool buffer_of(const uint8_t *command, uint32_t size, uint64_t *at)
{
	*at = address_of(command + 8);
	return command[3] & 4 && ldl_le_p(command + 4) >= size;
}

static void fields_get(EnaState *s, uint64_t at)
{
	uint8_t fields[256] = {0};
	for (unsigned i = 0; i <= NOT_IP; i++) {
		stw_le_p(fields + 4 * i, ALL_FIELDS);
		stw_le_p(fields + 64 + 4 * i, s->rss_fields[i]);
	}
	pci_dma_write(&s->parent, at, fields, sizeof(fields));
}

uint8_t rss_get(EnaState *s, const uint8_t *command, uint8_t *answer)
{
	uint64_t at;
	switch (command[17]) {
	case FUNCTION:
		stl_le_p(answer, 1 << TOEPLITZ);
		stl_le_p(answer + 4, 1 << s->rss_function);
		if (buffer_of(command, 48, &at)) {
			uint8_t key[48] = {10};
			memcpy(key + 8, s->rss_key, sizeof(s->rss_key));
			pci_dma_write(&s->parent, at, key, sizeof(key));
		}
		return 0;
	case TABLE:
		stw_le_p(answer, LOG_SIZE_LEAST);
		stw_le_p(answer + 2, LOG_SIZE_MOST);
		stw_le_p(answer + 4, s->rss_log_size);
		return 0;
	case INPUT:
		if (!buffer_of(command, 256, &at))
			return 5;
		fields_get(s, at);
		return 0;
	}
	return 3;
}

/* All of its entries must name receive queues that are there. */
static uint8_t table_set(EnaState *s, const uint8_t *command)
{
	uint64_t at;
	uint8_t table[4 * RSS_TABLE_MOST];
	unsigned log_size = lduw_le_p(command + 24);
	if (log_size < LOG_SIZE_LEAST || log_size > LOG_SIZE_MOST ||
	    ldl_le_p(command + 28) != WHOLE_TABLE ||
	    !buffer_of(command, 4u << log_size, &at))
		return 5;
	pci_dma_read(&s->parent, at, table, 4u << log_size);
	for (unsigned i = 0; i < 1u << log_size; i++) {
		unsigned n = lduw_le_p(table + 4 * i);
		if (n >= QUEUES || n % 2 != RX || !s->queue[n].sq_made)
			return 5;
		s->rss_table[i] = n;
	}
	s->rss_log_size = log_size;
	return 0;
}

uint8_t rss_set(EnaState *s, const uint8_t *command)
{
	uint64_t at;
	uint8_t data[128];
	switch (command[17]) {
	case FUNCTION:
		if (ldl_le_p(command + 24) != 1 << TOEPLITZ ||
		    !buffer_of(command, 48, &at))
			return 5;
		pci_dma_read(&s->parent, at, data, 48);
		if (ldl_le_p(data) != 10)
			return 5;
		memcpy(s->rss_key, data + 8, sizeof(s->rss_key));
		return 0;
	case TABLE:
		return s->rss_fixed ? 3 : table_set(s, command);
	case INPUT:
		if (!buffer_of(command, 256, &at))
			return 5;
		pci_dma_read(&s->parent, at + 64, data, 64);
		for (unsigned i = 0; i <= NOT_IP; i++)
			s->rss_fields[i] = lduw_le_p(data + 4 * i);
		return 0;
	}
	return 3;
}

/* Toeplitz: for each bit of input that is set, the 32 bits of the key from there on. */
static uint32_t toeplitz(const uint8_t *key, const uint8_t *input, unsigned size)
{
	uint32_t hash = 0;
	for (unsigned i = 0; i < 8 * size; i++)
		if (input[i / 8] >> (7 - i % 8) & 1)
			hash ^= (uint32_t)((uint64_t)ldl_be_p(key + i / 8) << 8 |
					   key[i / 8 + 4]) >>
				(8 - i % 8);
	return hash;
}

/* Of the fields that the driver chose; the order of a key's bytes is ours alone: which
 * queue a flow gets is nothing that a driver may rely on. */
static uint32_t hash_of(const EnaState *s, const uint8_t *frame, size_t size)
{
	uint8_t input[12] = {0};
	if (size < 14 + 20 || lduw_be_p(frame + 12) != 0x800)
		return 0;
	const uint8_t *ip = frame + 14;
	size_t header = (ip[0] & 15) * 4;
	bool first = !(lduw_be_p(ip + 6) & 0x3fff),
	     ports = size >= 14 + header + 4 && first;
	unsigned protocol = ports && ip[9] == 6    ? TCP4
			    : ports && ip[9] == 17 ? UDP4
						   : IP4;
	uint16_t fields = s->rss_fields[protocol];
	if (fields & L3_SA)
		memcpy(input, ip + 12, 4);
	if (fields & L3_DA)
		memcpy(input + 4, ip + 16, 4);
	if (protocol != IP4 && fields & L4_SP)
		memcpy(input + 8, ip + header, 2);
	if (protocol != IP4 && fields & L4_DP)
		memcpy(input + 10, ip + header + 2, 2);
	return toeplitz(s->rss_key, input, sizeof(input));
}

struct queue *rss_queue_of(EnaState *s, const uint8_t *frame, size_t size, uint32_t *hash)
{
	*hash = hash_of(s, frame, size);
	struct queue *q = &s->queue[RX];
	if (!s->no_rss)
		q = &s->queue[s->rss_table[*hash & ((1u << s->rss_log_size) - 1)]];
	return q->sq_made ? q : NULL;
}

/* wire.h: numbers in network byte order at any alignment, sequence arithmetic, checksums
 * and the keyed hash of the pure stack. */
#ifndef SHIM_NET_WIRE_H
#define SHIM_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

#define ETH_HEADER 14u
#define IP_HEADER  20u
#define ETH_IPV4   0x0800u
#define ETH_ARP    0x0806u

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* RFC 9293, 3.4: comparison modulo 2^32. */
static inline bool seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}
static inline bool seq_le(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

/* The ones' complement sum (RFC 1071) of bytes, added to sum and not yet folded. Only the
 * last piece of a message may have an odd length. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t size);
uint16_t checksum_fold(uint64_t sum); /* not complemented */
uint64_t checksum_pseudo(uint32_t source, uint32_t destination, uint8_t protocol,
			 uint32_t size);

/* SipHash-2-4. */
uint64_t siphash(const uint64_t key[2], const void *bytes, size_t size);

#endif

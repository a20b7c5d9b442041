/* le.h: little-endian integers as bytes, for layouts on disk, in memory shared by worlds,
 * and on the wire. They have no alignment and no host byte order; be.h is the network's.
 */
#ifndef ELFPACK_ABI_LE_H
#define ELFPACK_ABI_LE_H

#include <stdint.h>

typedef struct {
	uint8_t b[2];
} le16;
typedef struct {
	uint8_t b[4];
} le32;
typedef struct {
	uint8_t b[8];
} le64;

static inline uint16_t le16_get(le16 v)
{
	return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t le32_get(le32 v)
{
	return (uint32_t)v.b[0] | (uint32_t)v.b[1] << 8 | (uint32_t)v.b[2] << 16 |
	       (uint32_t)v.b[3] << 24;
}

static inline uint64_t le64_get(le64 v)
{
	uint64_t n = 0;
	for (int i = 7; i >= 0; i--)
		n = n << 8 | v.b[i];
	return n;
}

static inline le16 le16_make(uint16_t n)
{
	return (le16){{(uint8_t)n, (uint8_t)(n >> 8)}};
}

static inline le32 le32_make(uint32_t n)
{
	return (le32){
		{(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)}};
}

static inline le64 le64_make(uint64_t n)
{
	le64 v;
	for (int i = 0; i < 8; i++)
		v.b[i] = (uint8_t)(n >> (8 * i));
	return v;
}

#endif

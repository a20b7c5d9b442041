/* be.h: big-endian integers as bytes, for the disk formats that have them (qcow2, VHD).
 */
#ifndef ELFPACK_ABI_BE_H
#define ELFPACK_ABI_BE_H

#include <stdint.h>

typedef struct {
	uint8_t b[2];
} be16;
typedef struct {
	uint8_t b[4];
} be32;
typedef struct {
	uint8_t b[8];
} be64;

static inline uint32_t be32_get(be32 v)
{
	return (uint32_t)v.b[0] << 24 | (uint32_t)v.b[1] << 16 | (uint32_t)v.b[2] << 8 |
	       (uint32_t)v.b[3];
}

static inline uint64_t be64_get(be64 v)
{
	uint64_t n = 0;
	for (int i = 0; i < 8; i++)
		n = n << 8 | v.b[i];
	return n;
}

static inline be16 be16_make(uint16_t n)
{
	return (be16){{(uint8_t)(n >> 8), (uint8_t)n}};
}

static inline be32 be32_make(uint32_t n)
{
	return (be32){
		{(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static inline be64 be64_make(uint64_t n)
{
	be64 v;
	for (int i = 0; i < 8; i++)
		v.b[i] = (uint8_t)(n >> (56 - 8 * i));
	return v;
}

#endif

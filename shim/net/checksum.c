/* checksum.c: the Internet checksum and SipHash-2-4. Pure. */
#include "shim/net/wire.h"

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	/* The sum does not depend on byte order (RFC 1071, 2): native loads, swapped at
	 * the end. */
	uint64_t native = 0;
	for (; size >= 16; p += 16, size -= 16) {
		uint32_t w[4];
		memcpy(w, p, sizeof(w));
		native += (uint64_t)w[0] + w[1] + w[2] + w[3];
	}
	for (; size >= 2; p += 2, size -= 2) {
		uint16_t w;
		memcpy(&w, p, sizeof(w));
		native += w;
	}
	native = (native & 0xffffffff) + (native >> 32);
	while (native >> 16)
		native = (native & 0xffff) + (native >> 16);
	sum += (uint16_t)(native << 8 | native >> 8);
	if (size)
		sum += (uint64_t)*p << 8;
	return sum;
}

uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t checksum_pseudo(uint32_t source, uint32_t destination, uint8_t protocol,
			 uint32_t size)
{
	return (uint64_t)(source >> 16) + (source & 0xffff) + (destination >> 16) +
	       (destination & 0xffff) + protocol + size;
}

static uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t siphash(const uint64_t key[2], const void *bytes, size_t size)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
			 key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
	const uint8_t *p = bytes;
	size_t left = size;
	for (bool last = false; !last; p += 8) {
		uint64_t word = 0;
		last = left < 8;
		for (size_t i = 0; i < (last ? left : 8); i++)
			word |= (uint64_t)p[i] << (8 * i);
		if (last)
			word |= (uint64_t)size << 56;
		left -= last ? left : 8;
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

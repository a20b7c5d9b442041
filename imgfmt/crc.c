/* crc.c: CRC-32 and CRC-32C, bit by bit: they cover some 20 KiB an image. */
#include "imgfmt/crc.h"

static uint32_t crc(uint32_t polynomial, const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0xffffffff;
	for (size_t i = 0; i < size; i++) {
		sum ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? polynomial : 0);
	}
	return sum;
}

uint32_t crc32_ieee(const void *bytes, size_t size)
{
	return ~crc(0xedb88320, bytes, size);
}

uint32_t crc32c_raw(const void *bytes, size_t size)
{
	return crc(0x82f63b78, bytes, size);
}

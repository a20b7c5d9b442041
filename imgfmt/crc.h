/* crc.h: the two checksums of the formats that we write. */
#ifndef ELFPACK_CRC_H
#define ELFPACK_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_ieee(const void *bytes, size_t size); /* ISO 3309, as GPT has it */
/* CRC-32C (RFC 3720) from all ones and without the last inversion, as EROFS has it. */
uint32_t crc32c_raw(const void *bytes, size_t size);

#endif

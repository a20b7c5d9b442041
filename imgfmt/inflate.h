/* inflate.h: taking compressed bytes apart, into memory of a known size. */
#ifndef ELFPACK_INFLATE_H
#define ELFPACK_INFLATE_H

#include <stddef.h>
#include <stdint.h>

enum inflate_style { INFLATE_RAW = -15, INFLATE_ZLIB = 15 };

/* Returns how many bytes came out, at most room; -1: damaged, or it holds more. Bytes
 * behind the end of the stream are ignored. */
long inflate_bytes(enum inflate_style style, const uint8_t *bytes, size_t size,
		   uint8_t *out, size_t room);

#endif

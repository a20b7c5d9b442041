/* deflate_read.h: decompressing DEFLATE (RFC 1951). Pure: host and kernel, no allocation,
 * no vector registers. The bytes may be anything. inflate.h is the host's, by zlib. */
#ifndef ELFPACK_DEFLATE_READ_H
#define ELFPACK_DEFLATE_READ_H

#include <stddef.h>
#include <stdint.h>

#define DEFLATE_FAST_BITS 10u
#define DEFLATE_BITS_MAX  15u /* of a code */

/* A Huffman code (3.2.2): symbols by code, in ascending order of length. */
struct deflate_code {
	/* By the next bits: symbol << 4 | length; 0: a longer code, or none. */
	uint16_t fast[1u << DEFLATE_FAST_BITS];
	uint16_t symbol[288];
	uint16_t first[DEFLATE_BITS_MAX + 1]; /* code of each length */
	uint16_t count[DEFLATE_BITS_MAX + 1];
	uint16_t index[DEFLATE_BITS_MAX + 1]; /* of its symbol */
};

/* Room that the caller lends; nothing stays in it. */
struct deflate_room {
	struct deflate_code literals, distances;
};

/* Returns 0 when exactly out_size bytes came out, else -1: then out holds anything. */
int deflate_read(struct deflate_room *room, const uint8_t *bytes, size_t size,
		 uint8_t *out, size_t out_size);

#endif

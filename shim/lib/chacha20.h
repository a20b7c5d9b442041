/* chacha20.h: one block of the ChaCha20 stream (RFC 8439, 2.3). */
#ifndef SHIM_LIB_CHACHA20_H
#define SHIM_LIB_CHACHA20_H

#include <stdint.h>

#define CHACHA20_BLOCK 64

/* key: 8 words; nonce: 3. All little-endian, as they lie in memory. */
void chacha20_block(uint8_t out[CHACHA20_BLOCK], const uint32_t key[8], uint32_t counter,
		    const uint32_t nonce[3]);

#endif

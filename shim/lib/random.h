/* random.h: random bytes for keys, ASLR and getrandom: ChaCha20 (RFC 8439), keyed at boot
 * from RDSEED or RDRAND, the TSC and whatever the firmware left, rekeyed after each
 * request. */
#ifndef SHIM_LIB_RANDOM_H
#define SHIM_LIB_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* A number of the hardware's, without a key, for before random_init. */
uint64_t random_early(void);
void random_init(void);
void random_mix(const void *bytes, size_t size);
void random_bytes(void *out, size_t size);
uint64_t random_u64(void);

#endif

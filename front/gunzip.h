/* gunzip.h: undoes the gzip content coding (RFC 1952, RFC 9110, 8.4.1.3). Pure but for
 * its memory. */
#ifndef ELFPACK_FRONT_GUNZIP_H
#define ELFPACK_FRONT_GUNZIP_H

#include <stddef.h>
#include <stdint.h>

#include "front/chain.h"

struct gunzip_limits {
	uint64_t bytes_max; /* unpacked */
	uint64_t ratio;     /* unpacked to packed, from the first MiB on; 0: any */
	size_t buffer_max;  /* of block_bytes_used */
};

/* Puts the unpacked bytes in the place of the packed ones. Returns 0, or -status with
 * *why. */
int gunzip_chain(struct chain *body, const struct gunzip_limits *limits,
		 const char **why);

#endif

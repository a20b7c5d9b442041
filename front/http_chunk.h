/* http_chunk.h: the chunked transfer coding (RFC 9112, 7.1), strictly. Pure: fuzzed. */
#ifndef ELFPACK_FRONT_HTTP_CHUNK_H
#define ELFPACK_FRONT_HTTP_CHUNK_H

#include <stddef.h>
#include <stdint.h>

/* Extension and trailer bytes of a whole body: more is an attack (RFC 9112, 7.1.1). */
#define CHUNK_OVERHEAD_MAX 16384u

struct chunk_decoder {
	int state;
	uint64_t left;   /* bytes of this chunk to come */
	unsigned digits; /* of the size */
	size_t overhead; /* extension and trailer bytes so far */
	const char *why; /* of a refusal */
};

enum chunk_event {
	CHUNK_MORE, /* all bytes were used */
	CHUNK_DATA, /* *data, *data_size: a piece of the body */
	CHUNK_END,  /* the body has ended; what stands behind *used is not its */
	CHUNK_BAD,  /* 400 with decoder->why, and close */
};

/* Takes from bytes what leads to the next event; *used says how much. A decoder starts as
 * all zero. */
enum chunk_event chunk_decode(struct chunk_decoder *decoder, const char *bytes,
			      size_t size, size_t *used, const char **data,
			      size_t *data_size);

#endif

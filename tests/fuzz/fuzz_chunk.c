/* fuzz_chunk.c: a chunked body is the same however it is cut into pieces. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "front/http_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum chunk_event last; /* CHUNK_MORE: it has not ended */
	size_t consumed, bytes;
};

/* Decodes in pieces of step bytes; body has room for all of size. */
static struct outcome decode(const char *from, size_t size, size_t step, char *body)
{
	struct chunk_decoder decoder = {0};
	struct outcome outcome = {.last = CHUNK_MORE};
	while (outcome.consumed < size) {
		const char *piece = NULL;
		size_t used = 0, length = 0, left = size - outcome.consumed;
		size_t give = left < step ? left : step;
		enum chunk_event event = chunk_decode(&decoder, from + outcome.consumed,
						      give, &used, &piece, &length);
		if (used > give || length > used || (event == CHUNK_MORE && used != give))
			abort();
		outcome.consumed += used;
		if (event == CHUNK_DATA) {
			memcpy(body + outcome.bytes, piece, length);
			outcome.bytes += length;
		} else if (event != CHUNK_MORE) {
			outcome.last = event;
			break;
		}
	}
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *whole = malloc(size + 1), *pieces = malloc(size + 1);
	if (!whole || !pieces)
		abort();
	struct outcome a = decode((const char *)data, size, size, whole);
	for (size_t step = 1; step < 4; step++) {
		struct outcome b = decode((const char *)data, size, step, pieces);
		if (a.last != b.last || a.bytes != b.bytes ||
		    memcmp(whole, pieces, a.bytes) != 0)
			abort();
		if (a.last == CHUNK_END && a.consumed != b.consumed)
			abort(); /* or the next request would begin elsewhere */
	}
	free(pieces);
	free(whole);
	return 0;
}

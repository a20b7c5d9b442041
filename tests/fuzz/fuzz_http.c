/* fuzz_http.c: heads cut anywhere are read as when they come whole. */
#include <stdlib.h>
#include <string.h>

#include "front/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct http_limits limits = {16384, 100, 8192};
	struct http_head whole = {0}, pieces = {0};
	int at_once = http_head_parse(&whole, (const char *)data, size, &limits);
	int by_byte = 0;
	for (size_t n = 1; n <= size && !by_byte; n++)
		by_byte = http_head_parse(&pieces, (const char *)data, n, &limits);
	if (at_once > 0 && (by_byte != at_once || whole.method != pieces.method ||
			    whole.content_length != pieces.content_length))
		abort();
	if (at_once > (int)size || (at_once < 0) != (by_byte < 0))
		abort();
	return 0;
}

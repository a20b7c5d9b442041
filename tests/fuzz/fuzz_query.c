/* fuzz_query.c: no query makes more of itself than it has bytes. */
#include <stdlib.h>
#include <string.h>

#include "front/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct query_limits limits = {512, 131072};
	struct query query;
	char *text = malloc(size + 1);
	char **slots = calloc(3 * query_tokens((const char *)data, size), sizeof(*slots));
	if (!text || !slots)
		abort();
	if (size)
		memcpy(text, data, size);
	int rc = query_parse(&query, text, size, slots, &limits);
	size_t bytes = 0;
	for (size_t i = 0; i < query.arg_count; i++)
		bytes += strlen(query.args[i]) + 1;
	if (!rc && (bytes != query.arg_bytes || bytes > size + 1))
		abort();
	free(slots);
	free(text);
	return 0;
}

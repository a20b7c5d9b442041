/* fuzz_envelope.c: what an envelope brings lies inside its body and is as it was
 * promised. */
#include <stdlib.h>
#include <string.h>

#include "front/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const struct upload *upload, const struct upload_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i] < upload->text ||
		    list->items[i] + strlen(list->items[i]) >=
			    upload->text + upload->text_size)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upload upload = {0};
	struct chain body = {0};
	struct limits limits;
	limits_default(&limits);
	limits.files_in = 8;
	if (chain_append(&body, data, size) < 0 || upload_take(&upload, &body) < 0)
		abort();
	int rc = envelope_read(&upload, &limits);
	if (rc && !upload.why)
		abort();
	check_list(&upload, &upload.args);
	check_list(&upload, &upload.envs);
	check_list(&upload, &upload.outs);
	uint64_t bytes = upload.stdin_size;
	for (size_t i = 0; i < upload.file_count; i++)
		bytes += upload.files[i].size;
	if (upload.file_count > limits.files_in || bytes > size)
		abort();
	upload_free(&upload);
	return 0;
}

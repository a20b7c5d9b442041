/* fuzz_form.c: what a form brings lies inside its body. */
#include <stdlib.h>
#include <string.h>

#include "front/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct upload *upload, const char *at, size_t size)
{
	if (at < upload->text || at + size > upload->text + upload->text_size || at[size])
		abort();
}

static void check_list(const struct upload *upload, const struct upload_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		check(upload, list->items[i], strlen(list->items[i]));
}

/* The first line is the Content-Type, the rest the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	char boundary[FORM_BOUNDARY_MAX + 1];
	struct upload upload = {0};
	struct query query = {0};
	struct chain body = {0};
	struct limits limits;
	limits_default(&limits);
	if (!line || !form_boundary(boundary, (const char *)data, (size_t)(line - data)))
		return 0;
	if (chain_append(&body, line + 1, size - (size_t)(line + 1 - data)) < 0 ||
	    upload_take(&upload, &body) < 0)
		abort();
	int rc = form_read(&upload, &query, boundary, &limits);
	if (rc && !upload.why)
		abort();
	check_list(&upload, &upload.args);
	check_list(&upload, &upload.envs);
	check_list(&upload, &upload.outs);
	for (size_t i = 0; i < upload.file_count; i++)
		check(&upload, upload.files[i].bytes, upload.files[i].size);
	if (upload.stdin_bytes)
		check(&upload, upload.stdin_bytes, upload.stdin_size);
	upload_free(&upload);
	return 0;
}

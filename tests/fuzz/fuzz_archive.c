/* fuzz_archive.c: whatever an archive claims, what comes out is within the limits, its
 * names are safe, and no memory stays. The first byte chooses the format. */
#include <stdlib.h>
#include <string.h>

#include "front/archive.h"
#include "front/block.h"
#include "front/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct upload *upload, const struct limits *limits)
{
	uint64_t bytes = 0;
	if (upload->file_count > limits->files_in)
		abort();
	for (size_t i = 0; i < upload->file_count; i++) {
		const struct upload_file *file = &upload->files[i];
		if (name_refused(file->name, strlen(file->name), limits->path_depth))
			abort();
		if (file->size != file->unpacked.bytes || (file->mode & ~0777u))
			abort();
		bytes += file->size;
	}
	if (bytes > limits->unpacked_bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct limits limits;
	struct upload upload = {0};
	struct chain body = {0};
	limits_default(&limits);
	limits.unpacked_bytes = 1u << 20;
	limits.files_in = 16;
	if (!size)
		return 0;
	if (chain_append(&body, data + 1, size - 1) < 0 ||
	    upload_take(&upload, &body) < 0)
		abort();
	if (archive_unpack(&upload, data[0] & 1 ? ARCHIVE_ZIP : ARCHIVE_TAR, &limits) ==
	    0)
		check(&upload, &limits);
	upload_free(&upload);
	if (block_bytes_used())
		abort();
	return 0;
}

/* fuzz_formats.c: an image file may be any bytes. The first byte says which format reads
 * the rest; what gce reads is put into gzip first, or nothing behind that would ever be
 * reached. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "imgfmt/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *gzipped(const uint8_t *data, size_t size, size_t *out_size)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
	if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	uLong room = deflateBound(&stream, size);
	uint8_t *out = malloc(room);
	stream.next_out = out;
	stream.avail_out = (uInt)room;
	if (out)
		deflate(&stream, Z_FINISH);
	*out_size = room - stream.avail_out;
	deflateEnd(&stream);
	return out;
}

static void read_one(const struct format *format, const uint8_t *bytes, size_t size)
{
	struct disk_view view = {0};
	struct diag why = {0};
	if (format->read(&view, bytes, size, &why)) {
		if (!why.message[0] || view.memory)
			abort();
		return;
	}
	if (view.size > DISK_VIEW_MAX && view.memory)
		abort();
	volatile unsigned sum = view.size ? view.bytes[0] + view.bytes[view.size - 1] : 0;
	(void)sum;
	disk_view_free(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const struct format *format = &formats[data[0] % format_count];
	size_t bytes_size = size - 1;
	uint8_t *bytes = NULL;
	if (strcmp(format->name, "gce") == 0) {
		bytes = gzipped(data + 1, size - 1, &bytes_size);
	} else if ((bytes = malloc(bytes_size))) {
		memcpy(bytes, data + 1, bytes_size);
	}
	if (!bytes)
		return 0;
	format_of(bytes, bytes_size);
	read_one(format, bytes, bytes_size);
	free(bytes);
	return 0;
}

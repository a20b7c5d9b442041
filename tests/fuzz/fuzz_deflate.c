/* fuzz_deflate.c: our DEFLATE decoder beside zlib's. What both accept is the same; ours
 * may accept codes that are left incomplete, zlib what ends early. The first two bytes
 * say how much is to come out. Data is read as a stream, and compressed and read back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "imgfmt/deflate_read.h"
#include "imgfmt/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct deflate_room room;

static void read_stream(const uint8_t *bytes, size_t size, size_t out_size)
{
	uint8_t *ours = malloc(out_size + 1), *theirs = malloc(out_size + 1);
	if (ours && theirs &&
	    inflate_bytes(INFLATE_RAW, bytes, size, theirs, out_size) == (long)out_size) {
		if (deflate_read(&room, bytes, size, ours, out_size) ||
		    memcmp(ours, theirs, out_size) != 0)
			abort();
	} else if (ours) {
		deflate_read(&room, bytes, size, ours, out_size);
	}
	free(ours);
	free(theirs);
}

static void read_back(const uint8_t *bytes, size_t size, int level)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)size};
	if (deflateInit2(&stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	uLong out_size = deflateBound(&stream, size);
	uint8_t *out = malloc(out_size);
	stream.next_out = out;
	stream.avail_out = (uInt)out_size;
	if (out && deflate(&stream, Z_FINISH) == Z_STREAM_END) {
		uint8_t *back = malloc(size + 1);
		if (back && (deflate_read(&room, out, stream.total_out, back, size) ||
			     memcmp(back, bytes, size) != 0))
			abort();
		free(back);
	}
	free(out);
	deflateEnd(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	uint8_t *copy =
		malloc(size - 2 + !(size - 2)); /* its end is an end to the sanitizer */
	if (!copy)
		return 0;
	memcpy(copy, data + 2, size - 2);
	read_stream(copy, size - 2, data[0] | (size_t)data[1] << 8);
	read_back(copy, size - 2, data[0] % 10);
	free(copy);
	return 0;
}

/* inflate.c: one compressed piece to memory. */
#include <limits.h>
#include <zlib.h>

#include "imgfmt/inflate.h"

long inflate_bytes(enum inflate_style style, const uint8_t *bytes, size_t size,
		   uint8_t *out, size_t room)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes, .next_out = out};
	if (size > UINT_MAX || room > UINT_MAX || inflateInit2(&stream, style) != Z_OK)
		return -1;
	stream.avail_in = (uInt)size;
	stream.avail_out = (uInt)room;
	int rc = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return rc == Z_STREAM_END ? (long)(room - stream.avail_out) : -1;
}

/* gunzip.c: undoes the gzip content coding. */
#include <stdbool.h>
#include <stdint.h>
#include <zlib.h>

#include "front/block.h"
#include "front/gunzip.h"

#define RATIO_FREE_BYTES (1u << 20)
#define GZIP_ONLY        (16 + MAX_WBITS) /* zlib.h, inflateInit2 */

struct gunzip {
	z_stream stream;
	const struct gunzip_limits *limits;
	struct chain plain;
	uint64_t packed;
	bool ended; /* a member's end; another may follow: RFC 1952, 2.2 */
	const char *why;
};

static int refuse(struct gunzip *gunzip, int status, const char *why)
{
	gunzip->why = why;
	return -status;
}

static int check_bounds(struct gunzip *gunzip)
{
	const struct gunzip_limits *limits = gunzip->limits;
	uint64_t bytes = gunzip->plain.bytes;
	if (bytes > limits->bytes_max)
		return refuse(gunzip, 413, "the body is too long once unpacked");
	if (limits->ratio && bytes > RATIO_FREE_BYTES &&
	    bytes / limits->ratio > gunzip->packed)
		return refuse(gunzip, 413, "the body is packed too well to be true");
	if (block_bytes_used() >= limits->buffer_max)
		return refuse(gunzip, 503, "out of memory");
	return 0;
}

/* Unpacks once, as far as input or room goes. */
static int step(struct gunzip *gunzip)
{
	z_stream *stream = &gunzip->stream;
	size_t room = 0;
	char *space = chain_space(&gunzip->plain, &room);
	if (!space)
		return refuse(gunzip, 503, "out of memory");
	if (gunzip->ended && inflateReset(stream) != Z_OK)
		return refuse(gunzip, 400, "malformed gzip");
	gunzip->ended = false;
	stream->next_out = (unsigned char *)space;
	stream->avail_out = (unsigned)room;
	unsigned given = stream->avail_in;
	int rc = inflate(stream, Z_NO_FLUSH);
	chain_added(&gunzip->plain, room - stream->avail_out);
	gunzip->packed += given - stream->avail_in;
	gunzip->ended = rc == Z_STREAM_END;
	if (rc == Z_MEM_ERROR)
		return refuse(gunzip, 503, "out of memory");
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return refuse(gunzip, 400, "malformed gzip");
	return check_bounds(gunzip);
}

static int unpack_piece(void *context, const char *bytes, size_t size)
{
	struct gunzip *gunzip = context;
	z_stream *stream = &gunzip->stream;
	int rc = 0;
	stream->next_in = (unsigned char *)(uintptr_t)bytes; /* zlib reads only */
	stream->avail_in = (unsigned)size;
	do
		rc = step(gunzip);
	while (!rc && (stream->avail_in || (stream->avail_out == 0 && !gunzip->ended)));
	return rc;
}

int gunzip_chain(struct chain *body, const struct gunzip_limits *limits, const char **why)
{
	struct gunzip gunzip = {.limits = limits};
	int rc = 0;
	if (inflateInit2(&gunzip.stream, GZIP_ONLY) != Z_OK)
		rc = refuse(&gunzip, 503, "out of memory");
	else
		rc = chain_each(body, unpack_piece, &gunzip);
	if (!rc && !gunzip.ended)
		rc = refuse(&gunzip, 400, "gzip that ends too early");
	inflateEnd(&gunzip.stream);
	chain_free(body);
	if (rc)
		chain_free(&gunzip.plain);
	chain_move(body, &gunzip.plain);
	*why = gunzip.why;
	return rc;
}

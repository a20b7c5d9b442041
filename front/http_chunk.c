/* http_chunk.c: the chunked transfer coding, strictly. Pure. */
#include "front/http_chunk.h"
#include "front/http_parse.h"

enum chunk_state {
	STATE_SIZE,
	STATE_EXTENSION,
	STATE_SIZE_LF,
	STATE_DATA,
	STATE_DATA_CR,
	STATE_DATA_LF,
	STATE_TRAILER, /* at the start of a line */
	STATE_TRAILER_NAME,
	STATE_TRAILER_VALUE,
	STATE_TRAILER_LF,
	STATE_END_LF,
	STATE_END,
	STATE_BAD,
};

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int bad(struct chunk_decoder *decoder, const char *why)
{
	decoder->why = why;
	return STATE_BAD;
}

static int size_byte(struct chunk_decoder *decoder, unsigned char byte)
{
	int digit = hex_digit(byte);
	if (digit >= 0) {
		if (decoder->left >> 56)
			return bad(decoder, "a chunk size that overflows");
		if (++decoder->digits > 16)
			return bad(decoder, "a chunk size with too many digits");
		decoder->left = decoder->left << 4 | (unsigned)digit;
		return STATE_SIZE;
	}
	if (!decoder->digits)
		return bad(decoder, "a chunk without a size");
	if (byte == ';')
		return STATE_EXTENSION;
	return byte == '\r' ? STATE_SIZE_LF : bad(decoder, "a malformed chunk size");
}

static int text_byte(struct chunk_decoder *decoder, unsigned char byte, int again,
		     int at_cr)
{
	if (byte == '\r')
		return at_cr;
	if (!http_is_field_byte(byte))
		return bad(decoder, "a control character in chunked framing");
	return again;
}

static int feed_byte(struct chunk_decoder *decoder, unsigned char byte, int next)
{
	return byte == '\n' ? next : bad(decoder, "CR without LF in chunked framing");
}

/* One byte of framing; returns the next state. */
static int framing_byte(struct chunk_decoder *decoder, unsigned char byte)
{
	switch ((enum chunk_state)decoder->state) {
	case STATE_SIZE:
		return size_byte(decoder, byte);
	case STATE_EXTENSION:
		return text_byte(decoder, byte, STATE_EXTENSION, STATE_SIZE_LF);
	case STATE_SIZE_LF:
		return feed_byte(decoder, byte,
				 decoder->left ? STATE_DATA : STATE_TRAILER);
	case STATE_DATA_CR:
		return byte == '\r' ? STATE_DATA_LF
				    : bad(decoder, "a chunk longer than its size");
	case STATE_DATA_LF:
		decoder->digits = 0;
		return feed_byte(decoder, byte, STATE_SIZE);
	case STATE_TRAILER:
		if (byte == '\r')
			return STATE_END_LF;
		return http_is_token(byte) ? STATE_TRAILER_NAME
					   : bad(decoder, "a malformed trailer field");
	case STATE_TRAILER_NAME:
		if (byte == ':')
			return STATE_TRAILER_VALUE;
		return http_is_token(byte) ? STATE_TRAILER_NAME
					   : bad(decoder, "a malformed trailer field");
	case STATE_TRAILER_VALUE:
		return text_byte(decoder, byte, STATE_TRAILER_VALUE, STATE_TRAILER_LF);
	case STATE_TRAILER_LF:
		return feed_byte(decoder, byte, STATE_TRAILER);
	case STATE_END_LF:
		return feed_byte(decoder, byte, STATE_END);
	case STATE_DATA:
	case STATE_END:
	case STATE_BAD:
		break;
	}
	return STATE_BAD;
}

static int is_overhead(int state)
{
	return state == STATE_EXTENSION || state == STATE_TRAILER_NAME ||
	       state == STATE_TRAILER_VALUE || state == STATE_TRAILER;
}

enum chunk_event chunk_decode(struct chunk_decoder *decoder, const char *bytes,
			      size_t size, size_t *used, const char **data,
			      size_t *data_size)
{
	size_t at = 0;
	while (at < size && decoder->state != STATE_DATA && decoder->state != STATE_BAD &&
	       decoder->state != STATE_END) {
		decoder->state = framing_byte(decoder, (unsigned char)bytes[at++]);
		if (is_overhead(decoder->state) &&
		    ++decoder->overhead > CHUNK_OVERHEAD_MAX)
			decoder->state =
				bad(decoder, "too many chunk extensions or trailers");
	}
	*used = at;
	if (decoder->state == STATE_BAD)
		return CHUNK_BAD;
	if (decoder->state == STATE_END)
		return CHUNK_END;
	if (at == size)
		return CHUNK_MORE;
	size_t part = size - at;
	if (part > decoder->left)
		part = (size_t)decoder->left;
	decoder->left -= part;
	if (!decoder->left)
		decoder->state = STATE_DATA_CR;
	*data = bytes + at;
	*data_size = part;
	*used = at + part;
	return CHUNK_DATA;
}

/* output.c: names and JSON strings. */
#include <stdint.h>

#include "cli/output.h"

/* The size of the UTF-8 sequence at text (RFC 3629), 0 when it is none. */
static size_t utf8_size(const uint8_t *text, size_t left)
{
	uint8_t first = text[0];
	size_t size = first < 0x80   ? 1
		      : first < 0xc2 ? 0
		      : first < 0xe0 ? 2
		      : first < 0xf0 ? 3
		      : first < 0xf5 ? 4
				     : 0;
	if (!size || size > left)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
	    (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
		return 0;
	return size;
}

void output_json(FILE *to, const char *text, size_t size)
{
	const uint8_t *bytes = (const uint8_t *)text;
	fputc('"', to);
	for (size_t i = 0; i < size;) {
		size_t length = utf8_size(bytes + i, size - i);
		if (!length)
			fprintf(to, "\\udc%02x", bytes[i]);
		else if (bytes[i] == '"' || bytes[i] == '\\')
			fprintf(to, "\\%c", bytes[i]);
		else if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			fprintf(to, "\\u%04x", bytes[i]);
		else
			fwrite(bytes + i, 1, length, to);
		i += length ? length : 1;
	}
	fputc('"', to);
}

void output_name(FILE *to, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte < 0x20 || byte == 0x7f || byte == '\\')
			fprintf(to, "\\x%02x", byte);
		else
			fputc(byte, to);
	}
}

/* utf8.h: is it UTF-8? (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF.)
 * Pure. */
#ifndef ELFPACK_FRONT_UTF8_H
#define ELFPACK_FRONT_UTF8_H

#include <stddef.h>

/* The length of the valid sequence at the start of bytes, 0 when there is none. */
static inline size_t utf8_sequence(const unsigned char *bytes, size_t size)
{
	static const struct {
		unsigned char first, last, second_low, second_high, size;
	} rows[] = {
		{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	for (size_t i = 0; size && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (bytes[0] < rows[i].first || bytes[0] > rows[i].last)
			continue;
		size_t need = rows[i].size;
		if (need > size)
			return 0;
		if (need > 1 &&
		    (bytes[1] < rows[i].second_low || bytes[1] > rows[i].second_high))
			return 0;
		for (size_t k = 2; k < need; k++)
			if ((bytes[k] & 0xc0) != 0x80)
				return 0;
		return need;
	}
	return 0;
}

#endif

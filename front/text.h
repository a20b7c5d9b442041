/* text.h: writing text into a buffer without stdio. Pure. */
#ifndef ELFPACK_FRONT_TEXT_H
#define ELFPACK_FRONT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_U64_ROOM 20u

struct text {
	char *base;
	size_t used, room;
	bool cut; /* something did not fit and was left out */
};

struct text text_over(char *base, size_t room);
void text_bytes(struct text *text, const void *bytes, size_t size);
void text_put(struct text *text, const char *string);
void text_u64(struct text *text, uint64_t value);
void text_padded(struct text *text, unsigned value, unsigned digits);
void text_hex64(struct text *text, uint64_t value);

/* A duration in milliseconds with three decimals: 12.345. */
void text_ms(struct text *text, uint64_t ns);

/* IMF-fixdate (RFC 9110, 5.6.7): Sun, 06 Nov 1994 08:49:37 GMT. */
void text_http_date(struct text *text, uint64_t unix_seconds);

/* Does the span equal the lower-case name, without regard to case? */
bool text_is(const char *bytes, size_t size, const char *name);

/* Digits only, no sign, no space, no overflow: returns true and the value. */
bool text_parse_u64(const char *bytes, size_t size, uint64_t *value);

#endif

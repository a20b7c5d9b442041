/* text.c: writing text into a buffer without stdio, and reading numbers. Pure. */
#include <string.h>

#include "front/text.h"

struct text text_over(char *base, size_t room)
{
	return (struct text){.base = base, .room = room};
}

void text_bytes(struct text *text, const void *bytes, size_t size)
{
	if (size > text->room - text->used) {
		text->cut = true;
		return;
	}
	if (size)
		memcpy(text->base + text->used, bytes, size);
	text->used += size;
}

void text_put(struct text *text, const char *string)
{
	text_bytes(text, string, strlen(string));
}

void text_u64(struct text *text, uint64_t value)
{
	char digits[TEXT_U64_ROOM];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	text_bytes(text, digits + at, sizeof(digits) - at);
}

void text_padded(struct text *text, unsigned value, unsigned count)
{
	char digits[10];
	for (unsigned i = count; i-- > 0; value /= 10)
		digits[i] = (char)('0' + value % 10);
	text_bytes(text, digits, count);
}

void text_hex64(struct text *text, uint64_t value)
{
	char digits[16];
	for (unsigned i = sizeof(digits); i-- > 0; value >>= 4)
		digits[i] = "0123456789abcdef"[value & 15];
	text_bytes(text, digits, sizeof(digits));
}

void text_ms(struct text *text, uint64_t ns)
{
	text_u64(text, ns / 1000000);
	text_put(text, ".");
	text_padded(text, (unsigned)(ns / 1000 % 1000), 3);
}

/* Days since 1970-01-01 to a date: eras of 400 years that start on 1 March, so that the
 * leap day is the last day of its year. */
static void civil_from_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t shifted = days + 719468; /* from 0000-03-01 */
	uint64_t era = shifted / 146097;
	unsigned of_era = (unsigned)(shifted % 146097);
	unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * y + y / 4 - y / 100);
	unsigned m = (5 * of_year + 2) / 153; /* 0 is March */
	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (unsigned)(era * 400) + y + (*month <= 2);
}

void text_http_date(struct text *text, uint64_t unix_seconds)
{
	static const char weekdays[] = "Thu, Fri, Sat, Sun, Mon, Tue, Wed, ";
	static const char months[] =
		" Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec ";
	uint64_t days = unix_seconds / 86400;
	unsigned second = (unsigned)(unix_seconds % 86400);
	unsigned year = 0, month = 0, day = 0;
	civil_from_days(days, &year, &month, &day);
	text_bytes(text, weekdays + days % 7 * 5, 5);
	text_padded(text, day, 2);
	text_bytes(text, months + (size_t)(month - 1) * 5, 5);
	text_padded(text, year, 4);
	text_put(text, " ");
	text_padded(text, second / 3600, 2);
	text_put(text, ":");
	text_padded(text, second / 60 % 60, 2);
	text_put(text, ":");
	text_padded(text, second % 60, 2);
	text_put(text, " GMT");
}

bool text_is(const char *bytes, size_t size, const char *name)
{
	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (!name[i] || c != name[i])
			return false;
	}
	return !name[size];
}

bool text_parse_u64(const char *bytes, size_t size, uint64_t *value)
{
	uint64_t n = 0;
	for (size_t i = 0; i < size; i++) {
		unsigned digit = (unsigned)(unsigned char)bytes[i] - '0';
		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*value = n;
	return size > 0;
}

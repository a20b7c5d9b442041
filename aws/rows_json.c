/* rows_json.c: JSON (RFC 8259) into rows. Numbers and words keep their spelling. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/rows.h"

struct reading {
	struct rows *rows;
	const char *at, *end;
};

static int read_value(struct reading *reading, int row, unsigned depth);

static void skip_spaces(struct reading *reading)
{
	while (reading->at < reading->end && strchr(" \t\r\n", *reading->at) &&
	       *reading->at)
		reading->at++;
}

static bool take(struct reading *reading, char sign)
{
	skip_spaces(reading);
	if (reading->at == reading->end || *reading->at != sign)
		return false;
	reading->at++;
	return true;
}

/* Four hexadecimal digits; -1: they are none. */
static long read_unit(struct reading *reading)
{
	long unit = 0;
	if (reading->end - reading->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char digit = *reading->at++;
		if (!isxdigit((unsigned char)digit))
			return -1;
		unit = unit * 16 + (isdigit((unsigned char)digit)
					    ? digit - '0'
					    : (digit | 32) - 'a' + 10);
	}
	return unit;
}

static void put_utf8(FILE *to, unsigned long sign)
{
	if (sign < 0x80) {
		fputc((int)sign, to);
		return;
	}
	int more = sign < 0x800 ? 1 : sign < 0x10000 ? 2 : 3;
	static const int first[] = {0, 0xc0, 0xe0, 0xf0};
	fputc(first[more] | (int)(sign >> (6 * more)), to);
	while (more--)
		fputc(0x80 | (int)(sign >> (6 * more) & 0x3f), to);
}

/* Behind \u. A text that C cannot hold, with a NUL in it, is refused. */
static int read_unicode(struct reading *reading, FILE *to)
{
	long sign = read_unit(reading);
	if (sign >= 0xd800 && sign < 0xdc00) {
		if (reading->end - reading->at < 6 || memcmp(reading->at, "\\u", 2) != 0)
			return -1;
		reading->at += 2;
		long low = read_unit(reading);
		if (low < 0xdc00 || low > 0xdfff)
			return -1;
		sign = 0x10000 + ((sign - 0xd800) << 10) + (low - 0xdc00);
	} else if (sign >= 0xdc00 && sign <= 0xdfff) {
		return -1;
	}
	if (sign <= 0)
		return -1;
	put_utf8(to, (unsigned long)sign);
	return 0;
}

static int read_escape(struct reading *reading, FILE *to)
{
	static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	if (reading->at == reading->end)
		return -1;
	char sign = *reading->at++;
	const char *found = sign ? strchr(names, sign) : NULL;
	if (found)
		fputc(means[found - names], to);
	return found ? 0 : sign == 'u' ? read_unicode(reading, to) : -1;
}

/* Behind the opening quote; malloc'd, NULL: no string. */
static char *read_string(struct reading *reading)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int rc = to ? 0 : -1;
	bool closed = false;
	while (!rc && !closed && reading->at < reading->end) {
		char sign = *reading->at++;
		if (sign == '"')
			closed = true;
		else if (sign == '\\')
			rc = read_escape(reading, to);
		else if ((unsigned char)sign < 0x20)
			rc = -1;
		else
			fputc(sign, to);
	}
	if (to && fclose(to))
		rc = -1;
	if (!rc && closed)
		return text;
	free(text);
	return NULL;
}

static int set(struct reading *reading, int row, char *value)
{
	if (!value)
		return -1;
	if (row < 0) {
		free(value);
		return 0;
	}
	free(reading->rows->list[row].value);
	reading->rows->list[row].value = value;
	return 0;
}

/* A row below another, -1 the root's; the list may move while it grows. */
static int add_below(struct reading *reading, int row, const char *name)
{
	char *path = strdup(row < 0 ? "" : reading->rows->list[row].path);
	int added = path ? rows_add(reading->rows, path, strlen(path), name) : -1;
	free(path);
	return added;
}

static int read_members(struct reading *reading, int row, unsigned depth, bool object)
{
	const char close = object ? '}' : ']';
	if (take(reading, close))
		return 0;
	do {
		char *name = NULL;
		if (object && (!take(reading, '"') || !(name = read_string(reading))))
			return -1;
		int added = add_below(reading, row, object ? name : "item");
		free(name);
		if (added < 0 || (object && !take(reading, ':')) ||
		    read_value(reading, added, depth + 1))
			return -1;
	} while (take(reading, ','));
	return take(reading, close) ? 0 : -1;
}

/* RFC 8259, 6. */
static bool is_number(const char *word)
{
	static const char digits[] = "0123456789";
	word += *word == '-';
	size_t size = strspn(word, digits);
	if (!size || (*word == '0' && size > 1))
		return false;
	word += size;
	if (*word == '.') {
		size = strspn(word + 1, digits);
		word += size ? size + 1 : 0;
	}
	if (*word == 'e' || *word == 'E') {
		size_t skip = word[1] == '+' || word[1] == '-' ? 2 : 1;
		size = strspn(word + skip, digits);
		word += size ? size + skip : 0;
	}
	return !*word;
}

/* A number, true, false or null. */
static int read_word(struct reading *reading, int row)
{
	static const char *const words[] = {"true", "false", "null"};
	const char *from = reading->at;
	while (reading->at < reading->end &&
	       (isalnum((unsigned char)*reading->at) ||
		(*reading->at && strchr("+-.", *reading->at))))
		reading->at++;
	char *word = strndup(from, (size_t)(reading->at - from));
	bool known = word && is_number(word);
	for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
		known |= strcmp(word, words[i]) == 0;
	if (known)
		return set(reading, row, word);
	free(word);
	return -1;
}

static int read_value(struct reading *reading, int row, unsigned depth)
{
	if (depth > ROWS_DEPTH_MAX)
		return -1;
	if (take(reading, '{'))
		return read_members(reading, row, depth, true);
	if (take(reading, '['))
		return read_members(reading, row, depth, false);
	if (take(reading, '"'))
		return set(reading, row, read_string(reading));
	return read_word(reading, row);
}

int rows_read_json(struct rows *rows, const char *text, size_t size)
{
	struct reading reading = {rows, text, text + size};
	if (read_value(&reading, -1, 0))
		return -1;
	skip_spaces(&reading);
	return reading.at == reading.end ? 0 : -1;
}

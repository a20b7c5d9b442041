/* envelope.c: the JSON body of POST /_/run. A reader for this one shape, not for JSON at
 * large: whatever the shape does not have is refused where it begins, so there is no
 * nesting to bound. Strings are decoded where they stand; no escape is shorter than what
 * it means. */
#include <string.h>

#include "front/envelope.h"
#include "front/utf8.h"

struct reader {
	struct upload *upload;
	const struct limits *limits;
	char *at, *end;
};

/* Bytes of a decoded string; a NUL follows them. */
struct piece {
	char *at;
	size_t size;
};

static int refuse(struct reader *reader, const char *why)
{
	return upload_refuse(reader->upload, 400, why, NULL);
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4))
		reader->at++;
}

/* Takes the byte, if it is the next one after white space. */
static bool take(struct reader *reader, char byte)
{
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != byte)
		return false;
	reader->at++;
	return true;
}

/* The four digits at reader->at, or -1. */
static long hex4(struct reader *reader)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	long value = 0;
	if (reader->end - reader->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char *digit = memchr(digits, *reader->at++, sizeof(digits) - 1);
		if (!digit)
			return -1;
		value = value << 4 | ((digit - digits) & 15);
	}
	return value;
}

static char *put_utf8(char *to, unsigned long code)
{
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
	*to++ = (char)(lead[more] | code >> (6 * more));
	while (more-- > 0)
		*to++ = (char)(0x80 | ((code >> (6 * more)) & 0x3f));
	return to;
}

/* What follows a backslash. Returns the new end of the decoded string, or NULL. */
static char *read_escape(struct reader *reader, char *to)
{
	static const char named[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	if (reader->at == reader->end)
		return NULL;
	char kind = *reader->at++;
	const char *known = memchr(named, kind, sizeof(named) - 1);
	if (known) {
		*to++ = meant[known - named];
		return to;
	}
	long code = kind == 'u' ? hex4(reader) : -1;
	if (code >= 0xd800 && code < 0xdc00) { /* the first half of a pair */
		if (reader->end - reader->at < 2 || memcmp(reader->at, "\\u", 2) != 0)
			return NULL;
		reader->at += 2;
		long low = hex4(reader);
		if (low < 0xdc00 || low > 0xdfff)
			return NULL;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code < 0 || (code >= 0xdc00 && code < 0xe000)) {
		return NULL;
	}
	return put_utf8(to, (unsigned long)code);
}

static int read_string(struct reader *reader, struct piece *piece)
{
	if (!take(reader, '"'))
		return refuse(reader, "JSON: a string is wanted");
	char *to = reader->at;
	piece->at = to;
	while (reader->at < reader->end && *reader->at != '"') {
		if (*reader->at == '\\') {
			reader->at++;
			to = read_escape(reader, to);
			if (!to)
				return refuse(reader, "JSON: a malformed escape");
			continue;
		}
		size_t size = utf8_sequence((const unsigned char *)reader->at,
					    (size_t)(reader->end - reader->at));
		if (!size || (unsigned char)*reader->at < 0x20)
			return refuse(reader, "JSON: a byte that no string may have");
		memmove(to, reader->at, size);
		to += size;
		reader->at += size;
	}
	if (reader->at == reader->end)
		return refuse(reader, "JSON: a string without an end");
	reader->at++; /* the quote, whose place a NUL may take */
	*to = '\0';
	piece->size = (size_t)(to - piece->at);
	return 0;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648, 4, in place: padded, nothing between the digits, no bits left over (3.5). */
static bool decode_base64(struct piece *piece)
{
	const char *from = piece->at;
	size_t size = piece->size, out = 0;
	if (size % 4)
		return false;
	size_t digits = size;
	while (digits && size - digits < 2 && from[digits - 1] == '=')
		digits--;
	unsigned bits = 0;
	for (size_t i = 0; i < digits; i++) {
		int digit = base64_digit(from[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (unsigned)digit;
		if (i % 4)
			piece->at[out++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	unsigned spare = digits % 4 == 2 ? 15 : digits % 4 == 3 ? 3 : 0;
	piece->at[out] = '\0';
	piece->size = out;
	return !(bits & spare);
}

/* A string, or {"base64": a string}. */
static int read_content(struct reader *reader, struct piece *piece)
{
	struct piece key;
	if (!take(reader, '{'))
		return read_string(reader, piece);
	int rc = read_string(reader, &key);
	if (!rc && (key.size != 6 || memcmp(key.at, "base64", 6) != 0))
		rc = refuse(reader, "JSON: the member of a content is base64");
	if (!rc && !take(reader, ':'))
		rc = refuse(reader, "JSON: a colon is wanted");
	if (!rc)
		rc = read_string(reader, piece);
	if (!rc && !decode_base64(piece))
		rc = refuse(reader, "malformed base64");
	if (!rc && !take(reader, '}'))
		rc = refuse(reader, "JSON: the end of the content is wanted");
	return rc;
}

static int read_list(struct reader *reader, struct upload_list *list)
{
	struct piece piece;
	if (!take(reader, '['))
		return refuse(reader, "JSON: an array of strings is wanted");
	if (take(reader, ']'))
		return 0;
	do {
		int rc = read_string(reader, &piece);
		rc = rc ? rc
			: upload_add_string(reader->upload, list, piece.at, piece.size,
					    reader->limits);
		if (rc)
			return rc;
	} while (take(reader, ','));
	return take(reader, ']') ? 0
				 : refuse(reader, "JSON: the end of the array is wanted");
}

/* An object's members, each a name and what value reads. */
static int read_members(struct reader *reader,
			int (*value)(struct reader *, const struct piece *name))
{
	struct piece name;
	if (!take(reader, '{'))
		return refuse(reader, "JSON: an object is wanted");
	if (take(reader, '}'))
		return 0;
	do {
		int rc = read_string(reader, &name);
		if (!rc && !take(reader, ':'))
			rc = refuse(reader, "JSON: a colon is wanted");
		rc = rc ? rc : value(reader, &name);
		if (rc)
			return rc;
	} while (take(reader, ','));
	return take(reader, '}')
		       ? 0
		       : refuse(reader, "JSON: the end of the object is wanted");
}

static int read_file(struct reader *reader, const struct piece *name)
{
	struct piece content;
	int rc = read_content(reader, &content);
	return rc ? rc
		  : upload_add_file(reader->upload, name->at, name->size, content.at,
				    content.size, reader->limits);
}

/* NAME=VALUE is put together where the name stands: the quotes and the colon leave room.
 */
static int read_variable(struct reader *reader, const struct piece *name)
{
	struct upload_list *envs = &reader->upload->envs;
	struct piece value;
	int rc = read_string(reader, &value);
	if (rc)
		return rc;
	if (!name->size || memchr(name->at, '=', name->size))
		return refuse(reader, "a malformed name of a variable");
	name->at[name->size] = '=';
	for (size_t i = 0; i < envs->count; i++)
		if (strncmp(envs->items[i], name->at, name->size + 1) == 0)
			return refuse(reader, "a variable that is given twice");
	memmove(name->at + name->size + 1, value.at, value.size + 1);
	return upload_add_string(reader->upload, envs, name->at,
				 name->size + 1 + value.size, reader->limits);
}

enum member {
	MEMBER_ARGV,
	MEMBER_ENV,
	MEMBER_STDIN,
	MEMBER_FILES,
	MEMBER_OUT,
	MEMBER_COUNT
};

static int read_value(struct reader *reader, enum member member)
{
	struct piece piece;
	int rc = 0;
	switch (member) {
	case MEMBER_ARGV:
		return read_list(reader, &reader->upload->args);
	case MEMBER_OUT:
		return read_list(reader, &reader->upload->outs);
	case MEMBER_ENV:
		return read_members(reader, read_variable);
	case MEMBER_FILES:
		return read_members(reader, read_file);
	case MEMBER_STDIN:
		rc = read_content(reader, &piece);
		if (!rc) {
			reader->upload->stdin_bytes = piece.at;
			reader->upload->stdin_size = piece.size;
		}
		return rc;
	case MEMBER_COUNT:
		break;
	}
	return refuse(reader, "JSON: an unknown member");
}

int envelope_read(struct upload *upload, const struct limits *limits)
{
	static const char *const names[MEMBER_COUNT] = {"argv", "env", "stdin", "files",
							"out"};
	struct reader reader = {.upload = upload,
				.limits = limits,
				.at = upload->text,
				.end = upload->text + upload->text_size};
	unsigned seen = 0;
	int rc = 0;
	if (!take(&reader, '{'))
		return refuse(&reader, "JSON: an object is wanted");
	bool more = !take(&reader, '}');
	while (more) {
		struct piece name;
		rc = read_string(&reader, &name);
		if (!rc && !take(&reader, ':'))
			rc = refuse(&reader, "JSON: a colon is wanted");
		if (rc)
			return rc;
		unsigned member = 0;
		while (member < MEMBER_COUNT &&
		       (strlen(names[member]) != name.size ||
			memcmp(names[member], name.at, name.size) != 0))
			member++;
		if (seen & 1u << member)
			return refuse(&reader, "JSON: a member that comes twice");
		seen |= 1u << member;
		rc = read_value(&reader, (enum member)member);
		if (rc)
			return rc;
		more = take(&reader, ',');
		if (!more && !take(&reader, '}'))
			return refuse(&reader, "JSON: the end of the object is wanted");
	}
	skip_space(&reader);
	return reader.at == reader.end ? 0 : refuse(&reader, "JSON: more than one value");
}

/* form.c: multipart/form-data bodies. Parts are decoded and terminated where they stand:
 * a NUL takes the place of the line end before the next boundary. */
#include <string.h>

#include "front/form.h"
#include "front/http_parse.h"
#include "front/text.h"
#include "front/utf8.h"

struct piece {
	char *at; /* NULL: absent */
	size_t size;
};

struct part {
	struct piece name, filename, filename_utf8;
	struct piece content;
	bool disposed; /* it had a Content-Disposition */
};

struct reader {
	struct upload *upload;
	struct query *query;
	const struct limits *limits;
	const char *boundary;
	size_t boundary_size;
	char *at, *end;
};

static int refuse(struct reader *reader, const char *why, const char *about)
{
	return upload_refuse(reader->upload, 400, why, about);
}

static char *skip_space(char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* A quoted string's inside, in place. \" and %22 are quotes: the first is what RFC 9110
 * says, the second what browsers and curl send. Returns what follows it, or NULL. */
static char *read_quoted(struct piece *piece, char *at, const char *end)
{
	char *to = at;
	piece->at = at;
	while (at < end && *at != '"') {
		if (*at == '\\' && end - at > 1 && (at[1] == '"' || at[1] == '\\')) {
			*to++ = at[1];
			at += 2;
		} else if (end - at > 2 && memcmp(at, "%22", 3) == 0) {
			*to++ = '"';
			at += 3;
		} else {
			*to++ = *at++;
		}
	}
	piece->size = (size_t)(to - piece->at);
	return at < end ? at + 1 : NULL;
}

/* The next ";name=value" of a field. Returns what follows it, or NULL when it is
 * malformed. */
static char *read_parameter(char *at, const char *end, struct piece *name,
			    struct piece *value)
{
	at = skip_space(at, end);
	if (at == end || *at++ != ';')
		return NULL;
	at = skip_space(at, end);
	name->at = at;
	while (at < end && http_is_token((unsigned char)*at))
		at++;
	name->size = (size_t)(at - name->at);
	if (!name->size || at == end || *at++ != '=' || at == end)
		return NULL;
	if (*at == '"')
		return read_quoted(value, at + 1, end);
	value->at = at;
	while (at < end && http_is_token((unsigned char)*at))
		at++;
	value->size = (size_t)(at - value->at);
	return value->size ? at : NULL;
}

bool form_boundary(char boundary[FORM_BOUNDARY_MAX + 1], const char *type, size_t size)
{
	static const char marks[] = "'()+_,-./:=? ";
	char copy[512];
	struct piece name, value, found = {0};
	const char *mark = memchr(type, ';', size);
	if (!mark || size > sizeof(copy))
		return false;
	memcpy(copy, type, size);
	char *at = copy + (mark - type), *end = copy + size;
	while (skip_space(at, end) < end) {
		at = read_parameter(at, end, &name, &value);
		if (!at)
			return false;
		if (!text_is(name.at, name.size, "boundary"))
			continue;
		if (found.at)
			return false;
		found = value;
	}
	if (!found.size || found.size > FORM_BOUNDARY_MAX ||
	    found.at[found.size - 1] == ' ')
		return false;
	for (size_t i = 0; i < found.size; i++) {
		char c = found.at[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && !memchr(marks, c, sizeof(marks) - 1))
			return false;
	}
	memcpy(boundary, found.at, found.size);
	boundary[found.size] = '\0';
	return true;
}

/* RFC 8187: UTF-8'language'percent-encoded; other character sets are left alone. */
static bool read_extended(struct piece *piece, struct piece value)
{
	if (value.size < 7 || !text_is(value.at, 6, "utf-8'"))
		return true;
	char *quote = memchr(value.at + 6, '\'', value.size - 6);
	if (!quote)
		return false;
	piece->at = quote + 1;
	piece->size = percent_decode(piece->at,
				     (size_t)(value.at + value.size - piece->at), false);
	for (size_t at = 0, step = 0; at < piece->size; at += step) {
		step = utf8_sequence((const unsigned char *)piece->at + at,
				     piece->size - at);
		if (!step)
			return false;
	}
	return true;
}

static bool read_disposition(struct part *part, char *at, char *end)
{
	struct piece name, value;
	if (part->disposed || end - at < 9 || !text_is(at, 9, "form-data"))
		return false;
	part->disposed = true;
	for (at += 9; skip_space(at, end) < end;) {
		at = read_parameter(at, end, &name, &value);
		if (!at)
			return false;
		struct piece *to = text_is(name.at, name.size, "name") ? &part->name
				   : text_is(name.at, name.size, "filename")
					   ? &part->filename
					   : NULL;
		if (text_is(name.at, name.size, "filename*")) {
			if (part->filename_utf8.at ||
			    !read_extended(&part->filename_utf8, value))
				return false;
		} else if (to) {
			if (to->at)
				return false;
			*to = value;
		}
	}
	return part->name.at != NULL;
}

/* RFC 7578, 4.7: senders must not use it; what changes nothing is let through. */
static bool is_plain_encoding(const char *at, size_t size)
{
	return text_is(at, size, "binary") || text_is(at, size, "8bit") ||
	       text_is(at, size, "7bit");
}

static int read_field(struct reader *reader, struct part *part, char *at, char *end)
{
	char *colon = at;
	while (colon < end && http_is_token((unsigned char)*colon))
		colon++;
	if (colon == at || colon == end || *colon != ':')
		return refuse(reader, "form: a malformed field of a part", NULL);
	char *value = skip_space(colon + 1, end);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (const char *c = value; c < end; c++)
		if (!http_is_field_byte((unsigned char)*c))
			return refuse(reader, "form: a control character in a field",
				      NULL);
	if (text_is(at, (size_t)(colon - at), "content-disposition") &&
	    !read_disposition(part, value, end))
		return refuse(reader, "form: a malformed Content-Disposition", NULL);
	if (text_is(at, (size_t)(colon - at), "content-transfer-encoding") &&
	    !is_plain_encoding(value, (size_t)(end - value)))
		return refuse(reader, "form: a transfer encoding", NULL);
	return 0;
}

/* A part's fields, up to and with their empty line. */
static int read_fields(struct reader *reader, struct part *part)
{
	for (;;) {
		char *line = reader->at;
		char *feed = memchr(line, '\n', (size_t)(reader->end - line));
		if (!feed || feed == line || feed[-1] != '\r')
			return refuse(reader, "form: a line that does not end in CRLF",
				      NULL);
		reader->at = feed + 1;
		if (feed - 1 == line)
			break;
		int rc = read_field(reader, part, line, feed - 1);
		if (rc)
			return rc;
	}
	if (!part->disposed)
		return refuse(reader, "form: a part without Content-Disposition", NULL);
	return 0;
}

/* Everything up to the next boundary line, at whose end the reader stands afterwards. */
static int read_content(struct reader *reader, struct part *part)
{
	char *from =
		reader->at - 2; /* an empty content shares its line end with the fields */
	for (;;) {
		char *found = memmem(from, (size_t)(reader->end - from), "\r\n--", 4);
		if (!found || (size_t)(reader->end - found) < 4 + reader->boundary_size)
			return refuse(reader, "form: a part without an end", NULL);
		if (memcmp(found + 4, reader->boundary, reader->boundary_size) != 0) {
			from = found + 2;
			continue;
		}
		part->content.at = found < reader->at ? found : reader->at;
		part->content.size =
			found < reader->at ? 0 : (size_t)(found - reader->at);
		reader->at = found + 4 + reader->boundary_size;
		return 0;
	}
}

static int take_control(struct reader *reader, const struct part *part)
{
	struct upload *upload = reader->upload;
	char *name = part->name.at, *value = part->content.at;
	size_t size = part->content.size;
	if (strcmp(name, "_out") == 0)
		return upload_add_string(upload, &upload->outs, value, size,
					 reader->limits);
	if (memchr(value, '\0', size))
		return refuse(reader, "a NUL where there must be none", name);
	if (strcmp(name, "_env") == 0)
		return *value && *value != '=' && strchr(value, '=')
			       ? upload_add_string(upload, &upload->envs, value, size,
						   reader->limits)
			       : refuse(reader, "_env is NAME=VALUE", NULL);
	if (strcmp(name, "_file") == 0 || strcmp(name, "_in") == 0)
		return refuse(reader, "a control that a form cannot have", name);
	int rc = query_control(reader->query, name + 1, value);
	return rc ? upload_refuse(upload, -rc, reader->query->why, name) : 0;
}

static int take_file(struct reader *reader, const struct part *part)
{
	struct piece name = part->name;
	if (strcmp(name.at, "file") == 0 || strcmp(name.at, "files") == 0) {
		name = part->filename_utf8.at ? part->filename_utf8 : part->filename;
		if (!name.at)
			return refuse(reader, "form: a file without a filename", NULL);
		if (!name.size && !part->content.size)
			return 0; /* a browser's field in which no file was chosen */
		const char *slash = strrchr(name.at, '/');
		if (slash) {
			name.size -= (size_t)(slash + 1 - name.at);
			name.at += slash + 1 - name.at;
		}
	}
	return upload_add_file(reader->upload, name.at, name.size, part->content.at,
			       part->content.size, reader->limits);
}

static int take_part(struct reader *reader, struct part *part)
{
	struct upload *upload = reader->upload;
	struct piece *const strings[] = {&part->name, &part->filename,
					 &part->filename_utf8, &part->content};
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (strings[i]->at)
			strings[i]->at[strings[i]->size] = '\0';
	if (strcmp(part->name.at, "arg") == 0)
		return upload_add_string(upload, &upload->args, part->content.at,
					 part->content.size, reader->limits);
	if (strcmp(part->name.at, "stdin") == 0) {
		if (upload->stdin_bytes)
			return refuse(reader, "form: two parts stdin", NULL);
		upload->stdin_bytes = part->content.at;
		upload->stdin_size = part->content.size;
		return 0;
	}
	if (part->name.at[0] == '_')
		return take_control(reader, part);
	return take_file(reader, part);
}

int form_read(struct upload *upload, struct query *query, const char *boundary,
	      const struct limits *limits)
{
	struct reader reader = {.upload = upload,
				.query = query,
				.limits = limits,
				.boundary = boundary,
				.boundary_size = strlen(boundary),
				.at = upload->text,
				.end = upload->text + upload->text_size};
	if (upload->text_size < reader.boundary_size + 2 ||
	    memcmp(reader.at, "--", 2) != 0 ||
	    memcmp(reader.at + 2, boundary, reader.boundary_size) != 0)
		return refuse(&reader, "form: it does not begin with its boundary", NULL);
	reader.at += reader.boundary_size + 2;
	while (reader.end - reader.at >= 2 && memcmp(reader.at, "\r\n", 2) == 0) {
		struct part part = {0};
		reader.at += 2;
		int rc = read_fields(&reader, &part);
		rc = rc ? rc : read_content(&reader, &part);
		rc = rc ? rc : take_part(&reader, &part);
		if (rc)
			return rc;
	}
	size_t left = (size_t)(reader.end - reader.at);
	bool ended = (left == 2 && memcmp(reader.at, "--", 2) == 0) ||
		     (left == 4 && memcmp(reader.at, "--\r\n", 4) == 0);
	return ended ? 0 : refuse(&reader, "form: a malformed boundary", NULL);
}

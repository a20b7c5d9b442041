/* manifest.c: reading and writing manifests. The lines are decoded into where they
 * belong, so that the kernel needs no buffer for a value. */
#include <stdbool.h>

#include "imgfmt/manifest.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

static bool quoted(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f || byte == '%';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes a value to out (room bytes and a NUL), or only checks it when out is NULL.
 * Returns its size, or -1. */
static long decode(const char *from, size_t size, char *out, size_t room)
{
	size_t length = 0;
	for (size_t i = 0; i < size; i++, length++) {
		uint8_t byte = (uint8_t)from[i];
		if (byte == '%') {
			int high = size - i > 2 ? hex_digit(from[i + 1]) : -1;
			int low = size - i > 2 ? hex_digit(from[i + 2]) : -1;
			if (high < 0 || low < 0)
				return -1;
			byte = (uint8_t)(high << 4 | low);
			i += 2;
			if (!byte || !quoted(byte)) /* one way to write it, and no NUL */
				return -1;
		} else if (quoted(byte)) {
			return -1;
		}
		if (length >= room)
			return -1;
		if (out)
			out[length] = (char)byte;
	}
	if (out)
		out[length] = '\0';
	return (long)length;
}

struct line {
	const char *key, *value; /* value is still encoded */
	size_t key_size, value_size;
};

/* 1: a pair, 0: the end, -1: malformed. */
static int next_line(struct manifest_cursor *cursor, struct line *line)
{
	while (cursor->at < cursor->size) {
		const char *start = cursor->text + cursor->at;
		const char *end = memchr(start, '\n', cursor->size - cursor->at);
		cursor->line++;
		if (!end)
			return -1;
		cursor->at += (size_t)(end - start) + 1;
		if (end == start || *start == '#')
			continue;
		const char *equals = memchr(start, '=', (size_t)(end - start));
		if (!equals || equals == start)
			return -1;
		*line = (struct line){.key = start,
				      .key_size = (size_t)(equals - start),
				      .value = equals + 1,
				      .value_size = (size_t)(end - equals) - 1};
		return 1;
	}
	return 0;
}

int manifest_next(struct manifest_cursor *cursor, const char **key, size_t *key_size,
		  char *value, size_t *value_size)
{
	struct line line;
	int rc = next_line(cursor, &line);
	if (rc != 1)
		return rc;
	long size = decode(line.value, line.value_size, value, MANIFEST_VALUE_MAX);
	if (size < 0)
		return -1;
	*key = line.key;
	*key_size = line.key_size;
	*value_size = (size_t)size;
	return 1;
}

void limits_default(struct limits *limits)
{
#define LIMIT(key, unit, initial, help) limits->key = initial;
#include "imgfmt/limits.def"
#undef LIMIT
}

static bool is(const char *text, size_t size, const char *word)
{
	return strlen(word) == size && memcmp(text, word, size) == 0;
}

static bool number(const struct line *line, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	if (!line->value_size)
		return false;
	for (size_t i = 0; i < line->value_size; i++) {
		unsigned digit = (unsigned)(uint8_t)line->value[i] - '0';
		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return n <= max;
}

static bool set_limit(struct limits *limits, const char *name, size_t size,
		      const struct line *line)
{
#define LIMIT(key, unit, initial, help)                                                  \
	if (is(name, size, #key))                                                        \
		return number(line, UINT64_MAX, &limits->key);
#include "imgfmt/limits.def"
#undef LIMIT
	return false;
}

enum key {
	VERSION,
	MODE,
	EXEC,
	CWD,
	PORT,
	PROGRAM,
	EXAMPLE,
	PROFILE,
	ARG,
	ENV,
#define HTTP_KEY(key, flag, kind, placeholder, help) KEY_##key,
#include "imgfmt/http_keys.def"
#undef HTTP_KEY
};

enum kind { KIND_words, KIND_line, KIND_one, KIND_flag }; /* of http_keys.def */

static const struct {
	const char *name;
	enum kind kind;
} keys[] = {
	[VERSION] = {"version", KIND_one}, [MODE] = {"mode", KIND_one},
	[EXEC] = {"exec", KIND_one},       [CWD] = {"cwd", KIND_one},
	[PORT] = {"port", KIND_one},       [PROGRAM] = {"program", KIND_one},
	[EXAMPLE] = {"example", KIND_one}, [PROFILE] = {"profile", KIND_one},
	[ARG] = {"arg", KIND_line},        [ENV] = {"env", KIND_line},
#define HTTP_KEY(key, flag, kind, placeholder, help) [KEY_##key] = {#key, KIND_##kind},
#include "imgfmt/http_keys.def"
#undef HTTP_KEY
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static int find_key(const struct line *line)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (is(line->key, line->key_size, keys[i].name))
			return (int)i;
	return -1;
}

static const char *set_mode(struct manifest *out, const struct line *line)
{
	static const char *const modes[] = {
		[MODE_RUN] = "run", [MODE_HTTP] = "http", [MODE_SERVE] = "serve"};
	for (int i = MODE_RUN; i <= MODE_SERVE; i++)
		if (is(line->value, line->value_size, modes[i])) {
			out->mode = (enum manifest_mode)i;
			return NULL;
		}
	return "mode is run, http or serve";
}

static const char *set_path(char *out, const struct line *line)
{
	long size = decode(line->value, line->value_size, out, MANIFEST_VALUE_MAX);
	if (size < 0)
		return "a malformed or too long value";
	return out[0] == '/' ? NULL : "not an absolute path";
}

static const char *set_text(char *out, size_t room, const struct line *line)
{
	return decode(line->value, line->value_size, out, room - 1) < 0
		       ? "a malformed or too long value"
		       : NULL;
}

static const char *check_list(enum key key, const struct line *line)
{
	uint64_t code = 0;
	if (key == KEY_ok_exit)
		return number(line, 255, &code) ? NULL : "not an exit code";
	if (key == KEY_admin)
		return number(line, 65535, &code) && code ? NULL : "not a port";
	if (keys[key].kind == KIND_flag)
		return is(line->value, line->value_size, "1") ? NULL : "not 1";
	if (key != ARG && key != ENV && key != KEY_argv && !line->value_size)
		return "an empty value";
	if (decode(line->value, line->value_size, NULL, MANIFEST_VALUE_MAX) < 0)
		return "a malformed or too long value";
	const char *equals = memchr(line->value, '=', line->value_size);
	if (key == ENV && (!equals || equals == line->value))
		return "not NAME=VALUE";
	if (key == KEY_allow_env && equals)
		return "not a variable's name";
	return NULL;
}

/* Takes one pair in; returns NULL or what is wrong with it. seen: bits of the keys so
 * far. */
static const char *take(struct manifest *out, unsigned *seen, const struct line *line)
{
	uint64_t n = 0;
	if (*seen && line->key_size > 6 && memcmp(line->key, "limit.", 6) == 0)
		return set_limit(&out->limits, line->key + 6, line->key_size - 6, line)
			       ? NULL
			       : "an unknown limit, or not a number";
	int key = find_key(line);
	if (key < 0)
		return "an unknown key";
	if ((*seen == 0) != (key == VERSION))
		return "version comes first, and once";
	if (keys[key].kind >= KIND_one && (*seen & 1u << key))
		return "the key was given before";
	*seen |= 1u << key;
	switch ((enum key)key) {
	case VERSION:
		return is(line->value, line->value_size, "1") ? NULL
							      : "an unknown version";
	case MODE:
		return set_mode(out, line);
	case EXEC:
		return set_path(out->exec, line);
	case CWD:
		return set_path(out->cwd, line);
	case PORT:
		if (!number(line, 65535, &n) || !n)
			return "not a port";
		out->port = (uint16_t)n;
		return NULL;
	case PROGRAM:
		return set_text(out->program, sizeof(out->program), line);
	case EXAMPLE:
		return set_text(out->example, sizeof(out->example), line);
	case PROFILE:
		return set_text(out->profile, sizeof(out->profile), line);
	case ARG:
		out->arg_count++;
		break;
	case ENV:
		out->env_count++;
		break;
	default:
		break;
	}
	return check_list((enum key)key, line);
}

int manifest_parse(struct manifest *out, const char *text, size_t size, const char **why,
		   unsigned *line_number)
{
	struct manifest_cursor cursor = {.text = text, .size = size};
	struct line line;
	unsigned seen = 0;
	int more = 0;
	memset(out, 0, sizeof(*out));
	limits_default(&out->limits);
	out->cwd[0] = '/';
	*line_number = 0;
	*why = "longer than a manifest may be";
	if (size > MANIFEST_BYTES_MAX)
		return -1;
	while ((more = next_line(&cursor, &line)) == 1) {
		*line_number = cursor.line;
		if ((*why = take(out, &seen, &line)))
			return -1;
	}
	*line_number = more < 0 ? cursor.line : 0;
	if (more < 0)
		*why = "not key=value and a newline";
	else if (!out->mode)
		*why = "mode is missing";
	else if (!out->exec[0])
		*why = "exec is missing";
	else if (!out->arg_count)
		*why = "arg is missing: argv[0] is needed";
	else if (out->mode != MODE_RUN && !out->port)
		*why = "port is missing";
	else
		return 0;
	return -1;
}

/* Appends a byte if there is room; counts it anyway. */
static void put(char *out, size_t room, size_t *at, char byte)
{
	if (*at < room)
		out[*at] = byte;
	(*at)++;
}

size_t manifest_emit(char *out, size_t room, const char *key, const void *value,
		     size_t value_size)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t at = 0;
	for (; *key; key++)
		put(out, room, &at, *key);
	put(out, room, &at, '=');
	for (size_t i = 0; i < value_size; i++) {
		uint8_t byte = ((const uint8_t *)value)[i];
		if (!quoted(byte)) {
			put(out, room, &at, (char)byte);
			continue;
		}
		put(out, room, &at, '%');
		put(out, room, &at, digits[byte >> 4]);
		put(out, room, &at, digits[byte & 15]);
	}
	put(out, room, &at, '\n');
	return at;
}

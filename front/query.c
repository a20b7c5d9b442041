/* query.c: a request's query string into argv and controls. Pure. */
#include <string.h>

#include "front/query.h"
#include "front/text.h"

struct word {
	const char *name;
	int value;
};

static const struct word formats[] = {
	{"raw", FORMAT_RAW}, {"json", FORMAT_JSON}, {"multipart", FORMAT_MULTIPART},
	{"tar", FORMAT_TAR}, {"zip", FORMAT_ZIP},   {"stream", FORMAT_STREAM},
	{NULL, 0},
};

static const struct word bodies[] = {
	{"raw", BODY_RAW}, {"form", BODY_FORM}, {"tar", BODY_TAR},
	{"zip", BODY_ZIP}, {NULL, 0},
};

static const struct word stderr_modes[] = {
	{"merge", STDERR_MERGE},
	{"drop", STDERR_DROP},
	{NULL, 0},
};

static bool word_value(const struct word *words, const char *name, int *value)
{
	for (; words->name; words++) {
		if (strcmp(words->name, name) == 0) {
			*value = words->value;
			return true;
		}
	}
	return false;
}

static bool set_out(struct query *query, char *value)
{
	query->outs[query->out_count++] = value;
	return value[0] != '\0';
}

static bool set_env(struct query *query, char *value)
{
	query->envs[query->env_count++] = value;
	return value[0] != '=' && strchr(value, '=');
}

static bool set_format(struct query *query, char *value)
{
	int found = 0;
	bool known = word_value(formats, value, &found);
	query->format = (enum result_format)found;
	return known;
}

static bool set_in(struct query *query, char *value)
{
	int found = 0;
	bool known = word_value(bodies, value, &found);
	query->in = (enum body_kind)found;
	return known;
}

static bool set_stderr(struct query *query, char *value)
{
	int found = 0;
	bool known = word_value(stderr_modes, value, &found);
	query->stderr_mode = (enum stderr_mode)found;
	return known;
}

static bool set_file(struct query *query, char *value)
{
	query->file = value;
	return true;
}

static bool set_stdin(struct query *query, char *value)
{
	query->stdin_name = value;
	return true;
}

/* 500ms or 2s. More than the limit is the limit, so a number too long to read is one too.
 */
static bool set_timeout(struct query *query, char *value)
{
	size_t digits = strspn(value, "0123456789");
	uint64_t unit = strcmp(value + digits, "ms") == 0  ? 1
			: strcmp(value + digits, "s") == 0 ? 1000
							   : 0;
	uint64_t number = 0;
	if (!digits || !unit)
		return false;
	if (!text_parse_u64(value, digits, &number) || number > UINT64_MAX / unit)
		number = UINT64_MAX / unit;
	query->timeout_ms = number * unit;
	return number > 0;
}

static bool set_status(struct query *query, char *value)
{
	query->any_exit = true;
	return strcmp(value, "200") == 0;
}

static bool set_cache(struct query *query, char *value)
{
	(void)query;
	return strcmp(value, "0") == 0;
}

static const struct {
	const char *name;
	enum control control;
	bool repeatable;
	bool (*set)(struct query *, char *value);
} controls[] = {
	{"out", CONTROL_OUT, true, set_out},
	{"format", CONTROL_FORMAT, false, set_format},
	{"in", CONTROL_IN, false, set_in},
	{"file", CONTROL_FILE, false, set_file},
	{"stdin", CONTROL_STDIN, false, set_stdin},
	{"stderr", CONTROL_STDERR, false, set_stderr},
	{"env", CONTROL_ENV, true, set_env},
	{"timeout", CONTROL_TIMEOUT, false, set_timeout},
	{"status", CONTROL_STATUS, false, set_status},
	{"cache", CONTROL_CACHE, false, set_cache},
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t percent_decode(char *text, size_t size, bool plus)
{
	size_t to = 0;
	for (size_t at = 0; at < size; at++) {
		char c = text[at];
		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%' && size - at > 2 && hex_value(text[at + 1]) >= 0 &&
			   hex_value(text[at + 2]) >= 0) {
			c = (char)(hex_value(text[at + 1]) << 4 |
				   hex_value(text[at + 2]));
			at += 2;
		}
		text[to++] = c;
	}
	return to;
}

size_t query_tokens(const char *text, size_t size)
{
	size_t count = 1;
	for (size_t i = 0; i < size; i++)
		count += text[i] == '&';
	return count;
}

static int refuse(struct query *query, int status, const char *why, const char *about)
{
	query->why = why;
	query->about = about;
	return -status;
}

/* Decodes and terminates a value; NULL when it holds a NUL, which no argument can. */
static char *decode(char *value, size_t size, size_t *decoded)
{
	*decoded = percent_decode(value, size, true);
	value[*decoded] = '\0';
	return memchr(value, '\0', *decoded) ? NULL : value;
}

int query_control(struct query *query, const char *name, char *value)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (strcmp(controls[i].name, name) != 0)
			continue;
		if ((query->given & controls[i].control) && !controls[i].repeatable)
			return refuse(query, 400, "a control given twice", NULL);
		query->given |= controls[i].control;
		return controls[i].set(query, value)
			       ? 0
			       : refuse(query, 400,
					"a control with a value it cannot have", NULL);
	}
	return refuse(query, 400, "unknown control (write arg=... for an argument)",
		      NULL);
}

static int take_control(struct query *query, char *token, size_t name_size, size_t size)
{
	char *name = token + 1;
	size_t decoded = 0;
	char *value = decode(token + name_size + 2, size - name_size - 2, &decoded);
	name[name_size] = '\0';
	if (!value)
		return refuse(query, 400, "a NUL byte in the query", NULL);
	int rc = query_control(query, name, value);
	return rc ? refuse(query, -rc, query->why, token) : 0;
}

static int take_argument(struct query *query, char *value, size_t size,
			 const struct query_limits *limits)
{
	size_t decoded = 0;
	value = decode(value, size, &decoded);
	if (!value)
		return refuse(query, 400, "a NUL byte in the query", NULL);
	query->arg_bytes += decoded + 1;
	if (query->arg_count == limits->args || query->arg_bytes > limits->args_bytes)
		return refuse(query, 413, "too many arguments", NULL);
	query->args[query->arg_count++] = value;
	return 0;
}

int query_parse(struct query *query, char *text, size_t size, char **slots,
		const struct query_limits *limits)
{
	size_t tokens = query_tokens(text, size);
	*query = (struct query){
		.args = slots, .outs = slots + tokens, .envs = slots + 2 * tokens};
	int rc = 0;
	for (size_t at = 0; at <= size && !rc;) {
		char *token = text + at;
		const char *mark = memchr(token, '&', size - at);
		size_t length = mark ? (size_t)(mark - token) : size - at;
		const char *equals = memchr(token, '=', length);
		at += length + 1;
		if (length == 0)
			continue;
		if (token[0] == '_' && equals)
			rc = take_control(query, token, (size_t)(equals - token) - 1,
					  length);
		else if (length >= 4 && memcmp(token, "arg=", 4) == 0)
			rc = take_argument(query, token + 4, length - 4, limits);
		else
			rc = take_argument(query, token, length, limits);
	}
	return rc;
}

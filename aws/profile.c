/* profile.c: sections and keys of AWS's shared files. Lines of any length: session tokens
 * have more than a thousand signs. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "aws/profile.h"

struct span {
	const char *text;
	size_t size;
};

static struct span trim(const char *text, size_t size)
{
	while (size && isspace((unsigned char)*text)) {
		text++;
		size--;
	}
	while (size && isspace((unsigned char)text[size - 1]))
		size--;
	return (struct span){text, size};
}

/* Words of a section's name may be apart by any spaces: "profile  ci". */
static bool same_words(struct span span, const char *words)
{
	size_t at = 0;
	while (at < span.size && *words) {
		if (isspace((unsigned char)span.text[at]) && *words == ' ') {
			while (at < span.size && isspace((unsigned char)span.text[at]))
				at++;
			words++;
		} else if (span.text[at++] != *words++) {
			return false;
		}
	}
	return at == span.size && !*words;
}

/* The next line, without its end; false: there is none. */
static bool next_line(struct span *rest, struct span *line)
{
	if (!rest->size)
		return false;
	const char *end = memchr(rest->text, '\n', rest->size);
	size_t size = end ? (size_t)(end - rest->text) : rest->size;
	*line = (struct span){rest->text, size};
	rest->text += size + (end != NULL);
	rest->size -= size + (end != NULL);
	return true;
}

/* Is the line a heading, and which? */
static bool heading(struct span line, struct span *name)
{
	struct span whole = trim(line.text, line.size);
	const char *close = whole.size ? memchr(whole.text, ']', whole.size) : NULL;
	if (!close || *whole.text != '[')
		return false;
	*name = trim(whole.text + 1, (size_t)(close - whole.text) - 1);
	return true;
}

char *profile_value(const char *text, size_t size, const char *section, const char *key)
{
	struct span rest = {text, size}, line, name, value = {NULL, 0};
	bool inside = false;
	while (next_line(&rest, &line)) {
		if (heading(line, &name)) {
			inside = same_words(name, section);
			continue;
		}
		if (!inside || !line.size || strchr("#; \t\r", *line.text))
			continue;
		const char *equals = memchr(line.text, '=', line.size);
		if (!equals)
			continue;
		name = trim(line.text, (size_t)(equals - line.text));
		if (name.size == strlen(key) && memcmp(name.text, key, name.size) == 0)
			value = trim(equals + 1,
				     line.size - (size_t)(equals + 1 - line.text));
	}
	return value.text && !memchr(value.text, '\0', value.size)
		       ? strndup(value.text, value.size)
		       : NULL;
}

bool profile_exists(const char *text, size_t size, const char *section)
{
	struct span rest = {text, size}, line, name;
	while (next_line(&rest, &line))
		if (heading(line, &name) && same_words(name, section))
			return true;
	return false;
}

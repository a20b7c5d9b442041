/* names.c: names of files that requests bring or ask for, and globs over them. Pure. */
#include <string.h>

#include "front/names.h"
#include "front/query.h"

static const char *component_refused(const char *at, size_t size)
{
	if (size == 0)
		return "a file name with an empty component";
	if (size > 255)
		return "a file name with a component over 255 bytes";
	if (at[0] == '.' && (size == 1 || (size == 2 && at[1] == '.')))
		return "a file name with a . or .. component";
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)at[i] < 0x20 || at[i] == 0x7f || at[i] == '\\')
			return "a file name with a backslash or a control character";
	return NULL;
}

const char *name_refused(const char *name, size_t size, size_t depth)
{
	if (size > NAME_BYTES_MAX)
		return "a file name that is too long";
	if (size && name[0] == '/')
		return "a file name that is not relative";
	const char *why = NULL;
	size_t components = 0;
	for (size_t at = 0; at <= size && !why;) {
		const char *slash = memchr(name + at, '/', size - at);
		size_t end = slash ? (size_t)(slash - name) : size;
		why = component_refused(name + at, end - at);
		if (!why && ++components > depth)
			why = "a file name with too many components";
		at = end + 1;
	}
	return why;
}

const char *name_from_path(char *path, size_t *size, size_t depth)
{
	for (size_t i = 0; i + 2 < *size; i++)
		if (path[i] == '%' && path[i + 1] == '2' && (path[i + 2] | 32) == 'f')
			return "a file name with an encoded slash";
	*size = percent_decode(path, *size, false);
	path[*size] = '\0';
	return name_refused(path, *size, depth);
}

bool glob_is_pattern(const char *glob)
{
	return strpbrk(glob, "*?") != NULL;
}

/* Backtracks to the last *, which cannot give up a slash, then to the last **, which can:
 * the shortest match of an earlier star never rules out a later one. */
bool glob_matches(const char *glob, const char *name, size_t *steps)
{
	const char *star = NULL, *star_name = NULL, *deep = NULL, *deep_name = NULL;
	while (*name) {
		if (!*steps)
			return false;
		--*steps;
		if (glob[0] == '*' && glob[1] == '*') {
			deep = glob += 2;
			deep_name = name;
			star = NULL;
		} else if (*glob == '*') {
			star = ++glob;
			star_name = name;
		} else if (*glob == *name || (*glob == '?' && *name != '/')) {
			glob++;
			name++;
		} else if (star && *star_name != '/') {
			glob = star;
			name = ++star_name;
		} else if (deep) {
			star = NULL;
			glob = deep;
			name = ++deep_name;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}

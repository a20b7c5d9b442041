/* sums.c: SHA256SUMS, for sha256sum(1) -c: of all images in a folder, so each build keeps
 * the lines of the others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/statements.h"

struct lines {
	char **list; /* owned */
	size_t count;
};

/* Takes the line over. */
static int add_line(struct lines *lines, char *line, struct diag *why)
{
	char **list =
		line ? realloc(lines->list, (lines->count + 1) * sizeof(*list)) : NULL;
	if (!list) {
		free(line);
		return diag_set(why, "out of memory");
	}
	list[lines->count++] = line;
	lines->list = list;
	return 0;
}

/* As sha256sum writes it: a name with a backslash or a line's end in it is escaped, and
 * the line begins with a backslash then. */
static char *make_line(const struct sum *sum)
{
	const char *name = last_name(sum->path);
	bool escaped = strpbrk(name, "\\\n\r") != NULL;
	char *line = malloc(HEX_ROOM + 4 + 2 * strlen(name)), *at = line;
	if (!line)
		return NULL;
	at += sprintf(at, "%s%s  ", escaped ? "\\" : "", sum->sha256);
	for (; *name; name++) {
		if (strchr("\\\n\r", *name))
			*at++ = '\\';
		*at++ = *name == '\n' ? 'n' : *name == '\r' ? 'r' : *name;
	}
	*at = '\0';
	return line;
}

/* What a line says the digest of; NULL: it is no such line. */
static const char *line_name(const char *line)
{
	const char *digest = line + (*line == '\\');
	if (strspn(digest, "0123456789abcdef") != HEX_ROOM - 1 ||
	    digest[HEX_ROOM - 1] != ' ' || !strchr(" *", digest[HEX_ROOM]) ||
	    !digest[HEX_ROOM] || !digest[HEX_ROOM + 1])
		return NULL;
	return digest + HEX_ROOM + 1;
}

static int compare_lines(const void *one, const void *other)
{
	const char *const *a = one, *const *b = other;
	return strcmp(line_name(*a), line_name(*b));
}

static int read_lines(struct lines *lines, const char *path, struct diag *why)
{
	void *bytes = NULL;
	size_t size = 0;
	uint32_t mode = 0;
	if (access(path, F_OK))
		return errno == ENOENT ? 0 : diag_errno(why, "%s", path);
	if (tree_read_file(path, &bytes, &size, &mode, why))
		return -1;
	char *text = bytes, *line = NULL;
	text[size] = '\0';
	int rc = 0;
	while (!rc && (line = strsep(&text, "\n"))) {
		if (!*line && !text)
			break;
		rc = line_name(line) ? add_line(lines, strdup(line), why)
				     : diag_set(why, "%s: %s: not a digest and a name",
						path, line);
	}
	free(bytes);
	return rc;
}

/* In the place of the line of the same name, or behind all. */
static int put_line(struct lines *lines, char *line, struct diag *why)
{
	for (size_t i = 0; line && i < lines->count; i++)
		if (strcmp(line_name(lines->list[i]), line_name(line)) == 0) {
			free(lines->list[i]);
			lines->list[i] = line;
			return 0;
		}
	return add_line(lines, line, why);
}

static int write_lines(const struct lines *lines, const char *path, struct diag *why)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	if (!memory)
		return diag_set(why, "out of memory");
	for (size_t i = 0; i < lines->count; i++)
		fprintf(memory, "%s\n", lines->list[i]);
	int rc = fclose(memory) ? diag_set(why, "out of memory")
				: emit_text(path, text, size, why);
	free(text);
	return rc;
}

int sums_write(const struct sum *sums, size_t count, struct diag *why)
{
	struct lines lines = {0};
	char *path = NULL;
	int folder = (int)(last_name(sums[0].path) - sums[0].path);
	int rc = asprintf(&path, "%.*sSHA256SUMS", folder, sums[0].path) < 0
			 ? diag_set(why, "out of memory")
			 : read_lines(&lines, path, why);
	for (size_t i = 0; !rc && i < count; i++)
		rc = put_line(&lines, make_line(&sums[i]), why);
	if (!rc)
		qsort(lines.list, lines.count, sizeof(*lines.list), compare_lines);
	if (!rc)
		rc = write_lines(&lines, path, why);
	for (size_t i = 0; i < lines.count; i++)
		free(lines.list[i]);
	free(lines.list);
	free(path);
	return rc;
}

/* ini_file.c: INI text by way of inih. */
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ini_file.h"
#include "imgfmt/tree.h"

#define LINE_ROOM (1 << 20) /* bytes: a limit of inih's, which grows into it */

struct source {
	const char *at; /* what has not been read */
	const char *name;
	unsigned line;     /* that was read last, from 1 */
	bool partly_given; /* it was longer than inih's buffer was then */
	ini_take *take;
	void *context;
	struct diag *why;
	bool failed;
};

/* inih's reader: as fgets. */
static char *next_line(char *out, int room, void *stream)
{
	struct source *source = stream;
	size_t size = strcspn(source->at, "\n");
	if (!*source->at || source->failed)
		return NULL;
	size += source->at[size] == '\n';
	source->line += !source->partly_given;
	source->partly_given = size >= (size_t)room;
	if (source->partly_given)
		size = (size_t)room - 1;
	memcpy(out, source->at, size);
	out[size] = '\0';
	source->at += size;
	return out;
}

/* inih's handler: not 0 means fine. */
static int on_pair(void *context, const char *section, const char *key, const char *value)
{
	struct source *source = context;
	struct diag inner = {0};
	if (source->failed || !source->take(source->context, section, key, value, &inner))
		return 1;
	source->failed = true;
	diag_set(source->why, "%s:%u: %s", source->name, source->line, inner.message);
	if (inner.hint[0])
		diag_hint(source->why, "%s", inner.hint);
	return 0;
}

int ini_file_parse(const char *text, const char *name, ini_take *take, void *context,
		   struct diag *why)
{
	struct source source = {
		.at = text, .name = name, .take = take, .context = context, .why = why};
	ini_use_stack = false;
	ini_allow_realloc = true;
	ini_allow_inline_comments = false;
	ini_stop_on_first_error = true;
	ini_max_line = LINE_ROOM;
	int line = ini_parse_stream(next_line, &source, on_pair, &source);
	if (!line)
		return 0;
	/* Only the first message stays. */
	return line < 0 ? diag_set(why, "%s: out of memory", name)
			: diag_set(why, "%s:%d: neither [SECTION] nor NAME = VALUE", name,
				   line);
}

int ini_file_read(const char *path, ini_take *take, void *context, struct diag *why)
{
	void *bytes = NULL;
	size_t size = 0;
	uint32_t mode = 0;
	if (tree_read_file(path, &bytes, &size, &mode, why))
		return -1;
	((char *)bytes)[size] = '\0'; /* tree_read_file leaves room for it */
	int rc = memchr(bytes, '\0', size)
			 ? diag_set(why, "%s: not a text", path)
			 : ini_file_parse(bytes, path, take, context, why);
	free(bytes);
	return rc;
}

/* aws_rows.h: for fuzz_aws_json.c and fuzz_aws_xml.c: what a reader of replies promises.
 */
#ifndef ELFPACK_FUZZ_AWS_ROWS_H
#define ELFPACK_FUZZ_AWS_ROWS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/rows.h"

typedef int rows_reader(struct rows *, const char *, size_t);

/* Reads a text that holds one value, put around by put: it is the value's again. */
static inline void check_again(rows_reader *read, void (*put)(FILE *, const char *),
			       const char *value)
{
	char *text = NULL;
	size_t size = 0;
	struct rows rows = {0};
	FILE *to = open_memstream(&text, &size);
	if (!to)
		abort();
	put(to, value);
	if (fclose(to) || read(&rows, text, size) || rows.count != 1 ||
	    strcmp(rows.list[0].value, value) != 0)
		abort();
	rows_free(&rows);
	free(text);
}

/* Any bytes are read or refused. What was read is whole, and a value written anew is
 * read as the same. */
static inline void check_reader(rows_reader *read, void (*put)(FILE *, const char *),
				const uint8_t *data, size_t size)
{
	struct rows rows = {0};
	char *text = malloc(size ? size : 1); /* exact: no byte behind it may be read */
	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	int rc = read(&rows, text, size);
	free(text);
	for (size_t i = 0; !rc && i < rows.count; i++) {
		const struct row *row = &rows.list[i];
		if (strlen(row->path) >= ROWS_PATH_MAX || !rows_find(&rows, row->path))
			abort();
		if (i < 16)
			check_again(read, put, row->value);
	}
	rows_free(&rows);
}

#endif

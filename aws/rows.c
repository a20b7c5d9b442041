/* rows.c: the list of paths and values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/rows.h"

int rows_add(struct rows *rows, const char *path, size_t path_size, const char *name)
{
	if (rows->count == ROWS_MAX || path_size + strlen(name) + 1 >= ROWS_PATH_MAX)
		return -1;
	if (rows->count == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 64;
		struct row *list = realloc(rows->list, room * sizeof(*list));
		if (!list)
			return -1;
		rows->list = list;
		rows->room = room;
	}
	struct row *row = &rows->list[rows->count];
	*row = (struct row){.value = strdup("")};
	if (asprintf(&row->path, "%.*s%s%s", (int)path_size, path, path_size ? "/" : "",
		     name) < 0)
		row->path = NULL;
	rows->count++;
	return row->path && row->value ? (int)rows->count - 1 : -1;
}

const char *rows_find(const struct rows *rows, const char *path)
{
	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(rows->list[i].path, path) == 0)
			return rows->list[i].value;
	return NULL;
}

void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->list[i].path);
		free(rows->list[i].value);
	}
	free(rows->list);
	*rows = (struct rows){0};
}

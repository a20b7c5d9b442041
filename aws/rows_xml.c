/* rows_xml.c: XML into rows. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "aws/rows.h"

struct reading {
	struct rows *rows;
	XML_Parser parser;
	int open[ROWS_DEPTH_MAX]; /* rows of the elements that are open */
	unsigned depth;           /* the root's 1 */
	char *text;               /* of the innermost element */
	size_t size;
};

static void stop(struct reading *reading)
{
	XML_StopParser(reading->parser, XML_FALSE);
}

/* Makes a row of an element, but of the root. */
static int open_row(struct reading *reading, const char *name)
{
	const char *path = "";
	if (reading->depth == ROWS_DEPTH_MAX)
		return -1;
	if (!reading->depth)
		return 0;
	if (reading->depth > 1)
		path = reading->rows->list[reading->open[reading->depth - 1]].path;
	reading->open[reading->depth] = rows_add(reading->rows, path, strlen(path), name);
	return reading->open[reading->depth] < 0 ? -1 : 0;
}

static void on_start(void *context, const char *name, const char **attributes)
{
	struct reading *reading = context;
	(void)attributes;
	reading->size = 0;
	if (open_row(reading, name))
		stop(reading);
	else
		reading->depth++;
}

static void on_text(void *context, const char *text, int size)
{
	struct reading *reading = context;
	char *grown = realloc(reading->text, reading->size + (size_t)size + 1);
	if (!grown) {
		stop(reading);
		return;
	}
	reading->text = grown;
	memcpy(grown + reading->size, text, (size_t)size);
	reading->size += (size_t)size;
	grown[reading->size] = '\0';
}

static void on_end(void *context, const char *name)
{
	struct reading *reading = context;
	(void)name;
	if (--reading->depth && reading->size) {
		struct row *row = &reading->rows->list[reading->open[reading->depth]];
		free(row->value);
		row->value = reading->text;
		reading->text = NULL;
	}
	reading->size = 0;
}

/* No reply has one; what entities it declares could grow without end. */
static void on_doctype(void *context, const char *name, const char *system,
		       const char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	stop(context);
}

int rows_read_xml(struct rows *rows, const char *text, size_t size)
{
	struct reading reading = {.rows = rows, .parser = XML_ParserCreate(NULL)};
	if (!reading.parser)
		return -1;
	XML_SetUserData(reading.parser, &reading);
	XML_SetElementHandler(reading.parser, on_start, on_end);
	XML_SetCharacterDataHandler(reading.parser, on_text);
	XML_SetStartDoctypeDeclHandler(reading.parser, on_doctype);
	int rc = size <= 1u << 30 && XML_Parse(reading.parser, text, (int)size, 1) ==
					     XML_STATUS_OK
			 ? 0
			 : -1;
	XML_ParserFree(reading.parser);
	free(reading.text);
	return rc;
}

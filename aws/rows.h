/* rows.h: what a service or a file of AWS's says, as a list of paths and values in the
 * order of the text: of XML by expat, of JSON by a reader of our own. An element of a
 * JSON list has the name "item", as EC2 has it in XML; the root's name is left out. */
#ifndef ELFPACK_AWS_ROWS_H
#define ELFPACK_AWS_ROWS_H

#include <stddef.h>

#define ROWS_MAX       200000u /* a page of 10,000 blocks has 30,000 */
#define ROWS_DEPTH_MAX 24u
#define ROWS_PATH_MAX  1024u /* every row has its own */

struct row {
	char *path;  /* "imagesSet/item/imageId" */
	char *value; /* "" where there are only rows below */
};

struct rows {
	struct row *list;
	size_t count, room;
};

/* Both return 0, or -1: not well-formed, too big, or no memory. rows_free in any case. */
int rows_read_xml(struct rows *rows, const char *text, size_t size);
int rows_read_json(struct rows *rows, const char *text, size_t size);
/* The value of the first row of that path; NULL: there is none. */
const char *rows_find(const struct rows *rows, const char *path);
void rows_free(struct rows *rows);

/* For readers: a row below path, without a value. Its index, or -1: no room. */
int rows_add(struct rows *rows, const char *path, size_t path_size, const char *name);

#endif

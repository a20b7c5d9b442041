/* output.h: pieces of what commands print. */
#ifndef ELFPACK_CLI_OUTPUT_H
#define ELFPACK_CLI_OUTPUT_H

#include <stddef.h>
#include <stdio.h>

/* A JSON string with its quotes. Bytes that are no UTF-8 become U+DC80 to U+DCFF, as
 * Python's file names have them. */
void output_json(FILE *to, const char *text, size_t size);
/* A name for people: control bytes and backslashes as \xNN. */
void output_name(FILE *to, const char *text, size_t size);

#endif

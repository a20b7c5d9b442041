/* form.h: multipart/form-data bodies (RFC 7578, RFC 2046), strictly: CRLF only, no
 * preamble, nothing behind the last boundary but an empty line.
 *
 *   part "arg"            an argument            part "_x"          the control _x
 *   part "stdin"          standard input         part "file(s)"     its filename's last
 * part any other name        the file of this relative path
 *
 * Pure: fuzzed by tests/fuzz/fuzz_form.c. */
#ifndef ELFPACK_FRONT_FORM_H
#define ELFPACK_FRONT_FORM_H

#include "front/query.h"
#include "front/upload.h"

#define FORM_BOUNDARY_MAX 70u /* RFC 2046, 5.1.1 */

/* Reads the boundary out of a Content-Type's value; NUL-terminated. Returns false when
 * there is no valid one. */
bool form_boundary(char boundary[FORM_BOUNDARY_MAX + 1], const char *type, size_t size);

/* Reads upload->text, in place; controls go to the query, but for _out and _env, which go
 * to the upload's lists. Returns 0 or -status with upload->why. */
int form_read(struct upload *upload, struct query *query, const char *boundary,
	      const struct limits *limits);

#endif

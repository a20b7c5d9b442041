/* stream.h: the stream format: standard output as it comes, and what became of the
 * program in trailers behind it. */
#ifndef ELFPACK_FRONT_STREAM_H
#define ELFPACK_FRONT_STREAM_H

#include <stdbool.h>

#include "front/conn.h"

/* Begins the answer with its head, before there is any output. The connection may be
 * closed afterwards, as by all of these. */
void stream_begin(struct conn *conn);

/* Sends what has been written, which is emptied. */
void stream_push(struct conn *conn, struct chain *bytes);

/* Ends the answer: the rest, the last chunk and the trailers. When the program was killed
 * it is the connection that ends, without them: nobody shall take a part for the whole.
 */
void stream_end(struct conn *conn, const struct job_report *report, struct chain *rest);

#endif

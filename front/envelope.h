/* envelope.h: the JSON body of POST /_/run, strictly (RFC 8259):
 *
 *   {"argv":["-c","a.c"], "env":{"K":"V"}, "stdin":CONTENT, "files":{"a.c":CONTENT},
 *    "out":["a.o"]}
 *
 * CONTENT is a string or {"base64":"..."}. All members may be left out; one that is
 * unknown or comes twice, a wrong type, text that is not UTF-8 and base64 that is not
 * canonical are refused. Pure: fuzzed by tests/fuzz/fuzz_envelope.c. */
#ifndef ELFPACK_FRONT_ENVELOPE_H
#define ELFPACK_FRONT_ENVELOPE_H

#include "front/upload.h"

/* Reads upload->text, in place. Returns 0 or -status with upload->why. */
int envelope_read(struct upload *upload, const struct limits *limits);

#endif

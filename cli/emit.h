/* emit.h: an image from its parts to a file, in any format. All that a format wants to
 * know is in the bundle, so that the same bundle gives the same file whoever writes it.
 */
#ifndef ELFPACK_CLI_EMIT_H
#define ELFPACK_CLI_EMIT_H

#include "imgfmt/format.h"
#include "imgfmt/layout.h"
#include "imgfmt/tree.h"

struct emitted {
	uint8_t digest[SHA256_BYTES]; /* of the file */
	uint64_t size;
	char name[256];  /* of the program in it */
	bool has_beside; /* is there a file of the format's own, path + ".json"? */
};

/* By name, or by the suffix of output when name is NULL, else raw. NULL: *why says. */
const struct format *emit_choose_format(const char *name, const char *output,
					struct diag *why);
/* What --compress says: "deflate" (or nothing) or "none". Returns 0 or -1. */
int emit_choose_compress(bool *compress, const char *value, struct diag *why);
/* Threads that may compress. */
unsigned emit_threads(void);
/* A table of the formats, for --help. */
void emit_help_formats(void);
/* Parts that a format without a disk has no use for may be missing; sources as
 * raw_emit's. Returns 0 or -1. */
int emit_image(struct emitted *done, const char *path, const struct format *format,
	       const struct image_parts *parts, const struct tree *sources,
	       struct diag *why);
/* A text to a file that appears whole or not at all. */
int emit_text(const char *path, const char *text, size_t size, struct diag *why);

#endif

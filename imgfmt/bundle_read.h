/* bundle_read.h: taking a bundle (abi/bundle.h) apart. Pure: host and kernel. The bytes
 * may be anything: every offset and size is checked. */
#ifndef ELFPACK_BUNDLE_READ_H
#define ELFPACK_BUNDLE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imgfmt/abi/bundle.h"

struct bundle_part {
	const uint8_t *bytes; /* NULL when the bundle has none of this kind */
	size_t size;
	const uint8_t *digest; /* of the plain bytes */
	bool is_packed;        /* bytes are deflated: bundle_unpack.h */
};

struct bundle_view {
	size_t size;           /* of the whole bundle */
	bool is_packed;        /* is a section of it? */
	const uint8_t *digest; /* the header's, and by it of everything in the bundle */
	struct bundle_part part[BUNDLE_MANIFEST + 1]; /* by enum bundle_kind */
};

/* Checks the header, its digest and that all sections lie inside. Returns 0, or -1 with
 * *why a static string. Section digests are not checked yet. */
int bundle_open(struct bundle_view *view, const void *bytes, size_t size,
		const char **why);
/* Are a section's bytes those that the builder wrote? */
bool bundle_part_intact(const struct bundle_part *part);
/* "shim", "front", "rootfs", "manifest". */
const char *bundle_kind_name(enum bundle_kind kind);

#endif

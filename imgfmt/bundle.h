/* bundle.h: putting a bundle (abi/bundle.h) together. Taking apart is bundle_read.h's. */
#ifndef ELFPACK_BUNDLE_H
#define ELFPACK_BUNDLE_H

#include "imgfmt/abi/bundle.h"
#include "imgfmt/diag.h"
#include "imgfmt/extents.h"
#include "imgfmt/file_plan.h"

struct bundle {
	uint8_t header[BUNDLE_BLOCK]; /* struct bundle_header, padded */
	struct extents extents;  /* of the whole, the header included: do not move it */
	struct file_plan memory; /* bundle_pack's */
};

/* section[kind - 1]: the contents of each kind, not copied. Returns 0 or -1. */
int bundle_write(struct bundle *bundle, const struct extents section[BUNDLE_MANIFEST],
		 struct diag *why);
/* The same bundle with its file system deflated (abi/bundle.h); points into plain. */
int bundle_pack(struct bundle *to, const struct bundle *plain, unsigned threads,
		struct diag *why);
void bundle_free(struct bundle *bundle);

#endif

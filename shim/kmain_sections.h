/* kmain_sections.h: are the bundle's sections what the builder packed? Chunks are hashed
 * by as many CPUs as call section_check_run; the rest is one CPU's. */
#ifndef SHIM_KMAIN_SECTIONS_H
#define SHIM_KMAIN_SECTIONS_H

#include "imgfmt/bundle_read.h"
#include "imgfmt/sha256.h"

#define SECTION_CHECK_MAX 2u

struct section_check {
	unsigned count;
	struct {
		const struct bundle_part *part;
		uint8_t (*leaf)[SHA256_BYTES]; /* of its chunks; NULL: no memory for them
						*/
		size_t runs; /* pieces of it that a CPU takes at a time */
	} section[SECTION_CHECK_MAX];
	size_t next; /* run, of all sections; atomic */
};

/* Of count parts, one behind the other. */
void section_check_prepare(struct section_check *check, const struct bundle_part *parts,
			   unsigned count);
void section_check_run(void *check); /* a struct section_check: until no piece is left */
/* Is section i intact? After every section_check_run. */
bool section_check_end(struct section_check *check, unsigned i);

#endif

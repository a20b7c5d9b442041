/* kmain_sections.h: are the bundle's sections what the builder packed? A deflated one is
 * made plain first. Chunks are inflated and hashed by as many CPUs as call
 * section_check_run; the rest is one CPU's. */
#ifndef SHIM_KMAIN_SECTIONS_H
#define SHIM_KMAIN_SECTIONS_H

#include "imgfmt/bundle_read.h"
#include "imgfmt/sha256.h"

#define SECTION_CHECK_MAX 2u

struct section_check {
	unsigned count;
	struct {
		const struct bundle_part *part; /* plain */
		const struct bundle_part
			*packed;               /* what it is made of; NULL: it is there */
		uint8_t (*leaf)[SHA256_BYTES]; /* of its chunks; NULL: no memory */
		size_t runs; /* pieces of it that a CPU takes at a time */
		size_t run_bytes;
	} section[SECTION_CHECK_MAX];
	size_t next;     /* run, of all sections; atomic */
	uint8_t damaged; /* by section, bits; atomic: these cannot be inflated */
};

/* Adds a part to a check that was all zero; packed may be NULL. */
void section_check_add(struct section_check *check, const struct bundle_part *part,
		       const struct bundle_part *packed);
void section_check_run(void *check); /* a struct section_check: until no piece is left */
/* NULL, or what is wrong with section i. After every section_check_run. */
const char *section_check_end(struct section_check *check, unsigned i);

#endif

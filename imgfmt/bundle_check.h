/* bundle_check.h: what a file holds of a bundle, against its digests, by all CPUs. */
#ifndef ELFPACK_BUNDLE_CHECK_H
#define ELFPACK_BUNDLE_CHECK_H

#include "imgfmt/bundle_read.h"
#include "imgfmt/diag.h"

/* 0: a section's bytes are those that the builder wrote. A deflated one is made plain a
 * chunk at a time, never whole. */
int bundle_check_section(const struct bundle_view *view, enum bundle_kind kind,
			 struct diag *why);

#endif

/* kmain.h: what the machine's own start-up hands to the portable kernel, and what of it
 * the rest may ask for. */
#ifndef SHIM_KMAIN_H
#define SHIM_KMAIN_H

#include "imgfmt/abi/bootinfo.h"

/* What is said of a section that is not what the builder packed. */
#define SECTION_DAMAGED       "section is damaged: SHA-256 mismatch"
#define SECTION_CANNOT_UNPACK "section is damaged: it cannot be decompressed"

/* A deflated bundle as it came, by physical addresses: of what its deflated section
 * holds, the plain one has nothing yet. end 0: the bundle came plain. */
struct packed_bundle {
	uint64_t start, end;
};

/* Runs the image; called by arch boot.c on the boot stack with memory, traps, clock and
 * console ready, interrupts off, the kernel lock held, the bundle marked PAGE_IMAGE,
 * the packed one not given to the page allocator yet. */
_Noreturn void kmain(const struct bootinfo *info, const struct packed_bundle *packed);

#endif

/* deflate_blocks.h: compressing something big in blocks, on several threads. What comes
 * out does not depend on how many. */
#ifndef ELFPACK_DEFLATE_BLOCKS_H
#define ELFPACK_DEFLATE_BLOCKS_H

#include "imgfmt/diag.h"
#include "imgfmt/extents.h"
#include "imgfmt/file_plan.h"

enum deflate_style {
	DEFLATE_QCOW2,  /* raw deflate in a window of 4 KiB, each block on its own */
	DEFLATE_VMDK,   /* zlib (RFC 1950), each block on its own */
	DEFLATE_BUNDLE, /* raw deflate, each block on its own, the last one short */
	DEFLATE_GZIP    /* raw deflate; all blocks behind one another are one stream */
};

struct deflate_block {
	const uint8_t
		*bytes; /* NULL: zeros, or (qcow2, bundle) not smaller than they were */
	size_t size;
	uint32_t crc; /* DEFLATE_GZIP: of what was compressed */
	bool zero;    /* not in DEFLATE_GZIP, which compresses zeros too */
};

struct deflate_plan {
	const struct extents *from;
	enum deflate_style style;
	size_t block_bytes;
	unsigned threads;
};

/* The number of blocks, the last one perhaps short of data (it is filled up with zeros
 * for qcow2 and vmdk). */
size_t deflate_block_count(const struct deflate_plan *plan);
/* One deflate_block for each, in the file's memory; NULL: *why says. */
struct deflate_block *deflate_blocks(struct file_plan *file,
				     const struct deflate_plan *plan, struct diag *why);

#endif

/* blocks.h: a disk as the blocks of a snapshot. */
#ifndef ELFPACK_AWS_BLOCKS_H
#define ELFPACK_AWS_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/diag.h"
#include "imgfmt/sha256.h"

#define BLOCK_BYTES ((size_t)512 << 10) /* EBS direct has no other */

struct block {
	uint8_t digest[SHA256_BYTES];
	bool zeros;
	bool send; /* else the snapshot has it without us: zeros, or its parent's */
};

struct blocks {
	const uint8_t *disk;
	uint64_t disk_size;
	uint8_t *last; /* what the disk ends within, with zeros behind; NULL: none */
	struct block *list;
	uint64_t count;
	uint8_t digest[SHA256_BYTES]; /* of the disk */
};

/* Hashes the disk, as a whole and block by block, and marks what is not zeros. */
int blocks_plan(struct blocks *blocks, const uint8_t *disk, uint64_t disk_size,
		struct diag *why);
/* Adds blocks of zeros behind the disk's end, where a parent may have something else. */
int blocks_extend(struct blocks *blocks, uint64_t count, struct diag *why);
const uint8_t *blocks_bytes(const struct blocks *blocks, uint64_t index);
uint64_t blocks_to_send(const struct blocks *blocks);
/* What CompleteSnapshot wants: over the digests of what was sent, by index. */
void blocks_aggregate(const struct blocks *blocks, uint8_t digest[SHA256_BYTES]);
void blocks_free(struct blocks *blocks);

#endif

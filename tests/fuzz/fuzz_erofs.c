/* fuzz_erofs.c: a packed file system may be any bytes: every inode, entry, lookup and
 * byte that the reader gives out must lie inside. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/erofs_read.h"

#define ENTRIES_MAX 200
#define DEPTH_MAX   5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned touch(const struct erofs *fs, const struct erofs_inode *inode)
{
	unsigned sum = 0;
	size_t run = 0;
	for (uint64_t at = 0, pieces = 0; at < inode->size && pieces < 8;
	     at += run, pieces++) {
		const uint8_t *bytes = erofs_data(fs, inode, at, &run);
		if (!bytes)
			break;
		if (!run || bytes < fs->bytes || bytes + run > fs->bytes + fs->size)
			abort();
		sum += bytes[0] + bytes[run - 1];
	}
	return sum;
}

static unsigned walk(const struct erofs *fs, uint64_t nid, int depth, int *left)
{
	struct erofs_inode inode;
	struct erofs_entry entry, found;
	uint64_t position = 0;
	if (!depth || erofs_inode(fs, nid, &inode))
		return 0;
	unsigned sum = touch(fs, &inode);
	if ((inode.mode & 0170000) != 0040000)
		return sum;
	while (--*left > 0 && erofs_entry(fs, &inode, &position, &entry) == 1) {
		if (!entry.name_size || entry.name_size > EROFS_NAME_MAX)
			abort();
		erofs_lookup(fs, &inode, entry.name, entry.name_size, &found);
		sum += walk(fs, entry.nid, depth - 1, left);
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct erofs fs;
	volatile unsigned sum = 0;
	int left = ENTRIES_MAX;
	uint8_t *copy = malloc(size + 1);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (!erofs_open(&fs, copy, size))
		sum = walk(&fs, fs.root, DEPTH_MAX, &left);
	(void)sum;
	free(copy);
	return 0;
}

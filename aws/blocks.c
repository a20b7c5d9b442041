/* blocks.c: a disk as the blocks of a snapshot, and their digests. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "aws/blocks.h"
#include "aws/encode.h"
#include "imgfmt/extents.h"

static const uint8_t zeros[BLOCK_BYTES];

static void *hash_disk(void *context)
{
	struct blocks *blocks = context;
	fast_sha256(blocks->disk, blocks->disk_size, blocks->digest);
	return NULL;
}

const uint8_t *blocks_bytes(const struct blocks *blocks, uint64_t index)
{
	if (index * BLOCK_BYTES >= blocks->disk_size)
		return zeros;
	return (index + 1) * BLOCK_BYTES > blocks->disk_size
		       ? blocks->last
		       : blocks->disk + index * BLOCK_BYTES;
}

int blocks_extend(struct blocks *blocks, uint64_t count, struct diag *why)
{
	if (count <= blocks->count)
		return 0;
	struct block *list = realloc(blocks->list, count * sizeof(*list));
	if (!list)
		return diag_set(why, "out of memory");
	blocks->list = list;
	for (; blocks->count < count; blocks->count++) {
		struct block *block = &list[blocks->count];
		*block = (struct block){.zeros = true};
		fast_sha256(zeros, BLOCK_BYTES, block->digest);
	}
	return 0;
}

int blocks_plan(struct blocks *blocks, const uint8_t *disk, uint64_t disk_size,
		struct diag *why)
{
	uint64_t count = (disk_size + BLOCK_BYTES - 1) / BLOCK_BYTES;
	size_t tail = disk_size % BLOCK_BYTES;
	pthread_t thread;
	*blocks = (struct blocks){.disk = disk, .disk_size = disk_size, .count = count};
	blocks->list = calloc(count + 1, sizeof(*blocks->list));
	blocks->last = tail ? calloc(1, BLOCK_BYTES) : NULL;
	if (!blocks->list || (tail && !blocks->last))
		return diag_set(why, "out of memory");
	if (tail)
		memcpy(blocks->last, disk + disk_size - tail, tail);
	bool apart = !pthread_create(&thread, NULL, hash_disk, blocks);
	for (uint64_t i = 0; i < count; i++) {
		struct block *block = &blocks->list[i];
		const uint8_t *bytes = blocks_bytes(blocks, i);
		block->zeros = bytes_are_zero(bytes, BLOCK_BYTES);
		block->send = !block->zeros;
		fast_sha256(bytes, BLOCK_BYTES, block->digest);
	}
	if (apart)
		pthread_join(thread, NULL);
	else
		hash_disk(blocks);
	return 0;
}

uint64_t blocks_to_send(const struct blocks *blocks)
{
	uint64_t count = 0;
	for (uint64_t i = 0; i < blocks->count; i++)
		count += blocks->list[i].send;
	return count;
}

void blocks_aggregate(const struct blocks *blocks, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;
	sha256_init(&hash);
	for (uint64_t i = 0; i < blocks->count; i++)
		if (blocks->list[i].send)
			sha256_add(&hash, blocks->list[i].digest, SHA256_BYTES);
	sha256_end(&hash, digest);
}

void blocks_free(struct blocks *blocks)
{
	free(blocks->list);
	free(blocks->last);
	*blocks = (struct blocks){0};
}

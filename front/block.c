/* block.c: memory in pieces that are used again without asking libc. */
#include <stdint.h>
#include <stdlib.h>

#include "front/block.h"

struct free_block {
	struct free_block *next;
};

static struct block_class {
	size_t size;
	unsigned keep; /* free ones held at most */
	unsigned held;
	struct free_block *free;
} classes[] = {
	{.size = BLOCK_SMALL, .keep = 64},
	{.size = BLOCK_MIDDLE, .keep = 8},
	{.size = BLOCK_LARGE, .keep = 4},
};

#define CLASS_COUNT (sizeof(classes) / sizeof(classes[0]))

static size_t bytes_used, bytes_max = SIZE_MAX;

void block_limit_set(size_t bytes)
{
	bytes_max = bytes;
}

static struct block_class *class_for(size_t size)
{
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (size <= classes[i].size)
			return &classes[i];
	return NULL;
}

bool block_lend(size_t bytes)
{
	if (bytes > bytes_max || bytes_used > bytes_max - bytes)
		return false;
	bytes_used += bytes;
	return true;
}

void block_return(size_t bytes)
{
	bytes_used -= bytes;
}

void *block_get(size_t size, size_t *room)
{
	struct block_class *class = class_for(size);
	*room = class ? class->size : size;
	void *block = NULL;
	if (!block_lend(*room))
		return NULL;
	if (class && class->free) {
		block = class->free;
		class->free = class->free->next;
		class->held--;
	} else {
		block = malloc(*room);
	}
	if (!block)
		block_return(*room);
	return block;
}

void block_put(void *block, size_t room)
{
	if (!block)
		return;
	block_return(room);
#ifndef __SANITIZE_ADDRESS__ /* under ASan every use after free is to be seen */
	struct block_class *class = class_for(room);
	if (class && class->size == room && class->held < class->keep) {
		struct free_block *entry = block;
		entry->next = class->free;
		class->free = entry;
		class->held++;
		return;
	}
#endif
	free(block);
}

size_t block_bytes_used(void)
{
	return bytes_used;
}

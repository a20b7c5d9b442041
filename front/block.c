/* block.c: memory in pieces that are used again without asking the kernel. Each is whole
 * pages: which pages stay touched does not depend on who came when. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

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

#ifdef __SANITIZE_ADDRESS__ /* every use after free is to be seen */
#define KEEPS_FREE_BLOCKS false
static void *pages_get(size_t size)
{
	return malloc(size);
}

static void pages_put(void *pages, size_t size)
{
	(void)size;
	free(pages);
}
#else
#define KEEPS_FREE_BLOCKS true
static void *pages_get(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

static void pages_put(void *pages, size_t size)
{
	munmap(pages, size);
}
#endif

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

static void *take_free(struct block_class *class)
{
	struct free_block *block = class->free;
	class->free = block->next;
	class->held--;
	return block;
}

void *block_get(size_t size, size_t *room)
{
	struct block_class *class = class_for(size);
	*room = class ? class->size : size;
	if (!block_lend(*room))
		return NULL;
	void *block = class && class->free ? take_free(class) : pages_get(*room);
	if (!block)
		block_return(*room);
	return block;
}

void block_put(void *block, size_t room)
{
	if (!block)
		return;
	block_return(room);
	struct block_class *class = class_for(room);
	if (KEEPS_FREE_BLOCKS && class && class->size == room &&
	    class->held < class->keep) {
		struct free_block *entry = block;
		entry->next = class->free;
		class->free = entry;
		class->held++;
		return;
	}
	pages_put(block, room);
}

bool block_any_free(void)
{
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (classes[i].free)
			return true;
	return false;
}

void block_trim(void)
{
	for (size_t i = 0; i < CLASS_COUNT; i++)
		while (classes[i].free)
			pages_put(take_free(&classes[i]), classes[i].size);
}

size_t block_bytes_used(void)
{
	return bytes_used;
}

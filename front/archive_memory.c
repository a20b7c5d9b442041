/* archive_memory.c: memory for libarchive: counted, bounded, all given back at the end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "front/archive_memory.h"
#include "front/block.h"

struct piece {
	struct piece *next, *prev;
	size_t size;
	alignas(max_align_t) char bytes[];
};

static struct piece *pieces;
static size_t bytes_taken;
static jmp_buf way_out;

void *front_archive_malloc(size_t size)
{
	if (size > ARCHIVE_MEMORY_MAX - sizeof(struct piece) ||
	    size + sizeof(struct piece) > ARCHIVE_MEMORY_MAX - bytes_taken)
		return NULL;
	size_t whole = size + sizeof(struct piece);
	if (!block_lend(whole))
		return NULL;
	struct piece *piece = malloc(whole);
	if (!piece) {
		block_return(whole);
		return NULL;
	}
	bytes_taken += whole;
	*piece = (struct piece){.next = pieces, .size = size};
	if (pieces)
		pieces->prev = piece;
	pieces = piece;
	return piece->bytes;
}

void *front_archive_calloc(size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	void *memory = front_archive_malloc(count * size);
	return memory ? memset(memory, 0, count * size) : NULL;
}

static struct piece *piece_of(void *memory)
{
	return (struct piece *)(void *)((char *)memory - offsetof(struct piece, bytes));
}

void front_archive_free(void *memory)
{
	if (!memory)
		return;
	struct piece *piece = piece_of(memory);
	*(piece->prev ? &piece->prev->next : &pieces) = piece->next;
	if (piece->next)
		piece->next->prev = piece->prev;
	bytes_taken -= piece->size + sizeof(*piece);
	block_return(piece->size + sizeof(*piece));
	free(piece);
}

void *front_archive_realloc(void *old, size_t size)
{
	size_t held = old ? piece_of(old)->size : 0;
	void *memory = front_archive_malloc(size);
	if (!memory)
		return NULL;
	if (old)
		memcpy(memory, old, held < size ? held : size);
	front_archive_free(old);
	return memory;
}

char *front_archive_strdup(const char *string)
{
	size_t size = strlen(string) + 1;
	char *copy = front_archive_malloc(size);
	return copy ? memcpy(copy, string, size) : NULL;
}

static void *stream_get(void *context, unsigned count, unsigned size)
{
	(void)context;
	return front_archive_calloc(count, size);
}

static void stream_put(void *context, void *memory)
{
	(void)context;
	front_archive_free(memory);
}

int front_archive_inflateInit2_(z_stream *stream, int bits, const char *version, int size)
{
	stream->zalloc = stream_get;
	stream->zfree = stream_put;
	return inflateInit2_(stream, bits, version, size);
}

int front_archive_deflateInit2_(z_stream *stream, int level, int method, int bits,
				int memory_level, int strategy, const char *version,
				int size)
{
	stream->zalloc = stream_get;
	stream->zfree = stream_put;
	return deflateInit2_(stream, level, method, bits, memory_level, strategy, version,
			     size);
}

/* In the place of libarchive's own, which ends the process: it has run out of memory
 * where it cannot say so. */
_Noreturn void __archive_errx(int status, const char *message);
_Noreturn void __archive_errx(int status, const char *message)
{
	(void)status;
	(void)message;
	longjmp(way_out, 1);
}

int archive_memory_run(int (*run)(void *context), void *context)
{
	int volatile rc = -ENOMEM;
	if (setjmp(way_out) == 0)
		rc = run(context);
	while (pieces)
		front_archive_free(pieces->bytes);
	return rc;
}

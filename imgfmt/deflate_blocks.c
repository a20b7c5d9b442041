/* deflate_blocks.c: the threads that compress. Each takes the next block until none is
 * left; a block's result depends on the block alone (and, in a gzip stream, on the 32 KiB
 * before it, which are its dictionary). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "imgfmt/deflate_blocks.h"

#define DICTIONARY_BYTES 32768u
#define THREADS_MAX      64u
#define LEVEL            6
#define MEMORY_LEVEL     8

struct shared {
	const struct deflate_plan *plan;
	struct deflate_block *block;
	size_t count;
	atomic_size_t next;
	atomic_bool failed;
};

static int window_bits(enum deflate_style style)
{
	return style == DEFLATE_QCOW2 ? -12 : style == DEFLATE_VMDK ? 15 : -15;
}

size_t deflate_block_count(const struct deflate_plan *plan)
{
	return (size_t)((plan->from->size + plan->block_bytes - 1) / plan->block_bytes);
}

/* Returns 0, or -1 when memory ran out. */
static int keep(struct deflate_block *block, const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size);
	if (!copy)
		return -1;
	memcpy(copy, bytes, size);
	block->bytes = copy;
	block->size = size;
	return 0;
}

/* One block: stream, in and out are the thread's own; out has room for whatever comes. */
static int compress_block(struct shared *shared, size_t index, z_stream *stream,
			  uint8_t *in, uint8_t *out, size_t room)
{
	const struct deflate_plan *plan = shared->plan;
	struct deflate_block *block = &shared->block[index];
	uint64_t at = (uint64_t)index * plan->block_bytes;
	bool gzip = plan->style == DEFLATE_GZIP;
	size_t size = plan->block_bytes, before = 0;
	if ((gzip || plan->style == DEFLATE_BUNDLE) && size > plan->from->size - at)
		size = (size_t)(plan->from->size - at);
	if (gzip)
		before = at < DICTIONARY_BYTES ? (size_t)at : DICTIONARY_BYTES;
	if (!gzip && extents_hole(plan->from, at, size))
		return block->zero = true, 0;
	extents_read(plan->from, at - before, in, before + size);
	if (!gzip && bytes_are_zero(in, size))
		return block->zero = true, 0;
	if (deflateReset(stream) != Z_OK ||
	    (before && deflateSetDictionary(stream, in, (uInt)before) != Z_OK))
		return -1;
	stream->next_in = in + before;
	stream->avail_in = (uInt)size;
	stream->next_out = out;
	stream->avail_out = (uInt)room;
	bool last = !gzip || index + 1 == shared->count;
	int rc = deflate(stream, last ? Z_FINISH : Z_SYNC_FLUSH);
	if (rc != (last ? Z_STREAM_END : Z_OK))
		return -1;
	size_t got = room - stream->avail_out;
	if (gzip)
		block->crc = (uint32_t)crc32_z(0, in + before, size);
	/* A cluster or a bundle's chunk can lie there as it is; a grain or a part of a
	 * stream cannot. */
	bool plain = plan->style == DEFLATE_QCOW2 || plan->style == DEFLATE_BUNDLE;
	return !plain || got < size ? keep(block, out, got) : 0;
}

static void *work(void *context)
{
	struct shared *shared = context;
	size_t block_bytes = shared->plan->block_bytes;
	z_stream stream = {0};
	bool open =
		deflateInit2(&stream, LEVEL, Z_DEFLATED, window_bits(shared->plan->style),
			     MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
	size_t room = open ? deflateBound(&stream, block_bytes) + 64 : 0, index = 0;
	uint8_t *in = malloc(DICTIONARY_BYTES + block_bytes), *out = malloc(room + 1);
	bool failed = !open || !in || !out;
	while (!failed && (index = atomic_fetch_add(&shared->next, 1)) < shared->count)
		failed = compress_block(shared, index, &stream, in, out, room) ||
			 atomic_load(&shared->failed);
	if (failed)
		atomic_store(&shared->failed, true);
	if (open)
		deflateEnd(&stream);
	free(in);
	free(out);
	return NULL;
}

struct deflate_block *deflate_blocks(struct file_plan *file,
				     const struct deflate_plan *plan, struct diag *why)
{
	struct shared shared = {.plan = plan, .count = deflate_block_count(plan)};
	pthread_t thread[THREADS_MAX];
	unsigned started = 0;
	shared.block = file_plan_alloc(file, shared.count * sizeof(*shared.block), why);
	if (!shared.block)
		return NULL;
	while (started + 1 < plan->threads && started < THREADS_MAX &&
	       started + 1 < shared.count &&
	       !pthread_create(&thread[started], NULL, work, &shared))
		started++;
	work(&shared); /* this thread too: none can be started where there is no room */
	while (started)
		pthread_join(thread[--started], NULL);
	int rc = atomic_load(&shared.failed) ? diag_set(why, "out of memory") : 0;
	for (size_t i = 0; i < shared.count; i++)
		if (shared.block[i].bytes &&
		    file_plan_own(file, (void *)(uintptr_t)shared.block[i].bytes, why))
			rc = -1;
	return rc ? NULL : shared.block;
}

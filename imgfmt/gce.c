/* gce.c: what Google Compute Engine imports: disk.raw, of whole GiB, as a sparse file of
 * the old GNU format in a tar.gz. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "imgfmt/abi/le.h"
#include "imgfmt/deflate_blocks.h"
#include "imgfmt/format.h"
#include "imgfmt/tar.h"

#define PIECE_BYTES ((size_t)1 << 16) /* of the disk: present or not */
#define PIECES_MAX  ((size_t)(DISK_VIEW_MAX / PIECE_BYTES))
#define GZIP_BLOCK  ((size_t)1 << 20)

/* RFC 1952: no name, no time, unknown system. */
static const uint8_t gzip_head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};

struct run {
	uint64_t at, size;
};

struct runs {
	struct run *list;
	size_t count;
	uint64_t bytes;
};

/* A run ends at the disk's end at the latest. */
static int add_run(struct runs *runs, uint64_t at, uint64_t size)
{
	struct run *last = runs->count ? &runs->list[runs->count - 1] : NULL;
	runs->bytes += size;
	if (last && last->at + last->size == at) {
		last->size += size;
		return 0;
	}
	if (!(runs->count & (runs->count + 1))) {
		struct run *list =
			realloc(runs->list, (2 * runs->count + 1) * sizeof(*list));
		if (!list)
			return -1;
		runs->list = list;
	}
	runs->list[runs->count++] = (struct run){at, size};
	return 0;
}

static int find_runs(struct runs *runs, const struct extents *disk, struct diag *why)
{
	uint8_t *piece = malloc(PIECE_BYTES);
	int rc = piece ? 0 : -1;
	for (uint64_t at = 0; !rc && at < disk->size; at += PIECE_BYTES) {
		if (extents_hole(disk, at, PIECE_BYTES))
			continue;
		extents_read(disk, at, piece, PIECE_BYTES);
		uint64_t size =
			disk->size - at < PIECE_BYTES ? disk->size - at : PIECE_BYTES;
		if (!bytes_are_zero(piece, (size_t)size))
			rc = add_run(runs, at, size);
	}
	free(piece);
	return rc ? diag_set(why, "out of memory") : 0;
}

static void put_run(struct tar_sparse *entry, const struct run *run)
{
	tar_number(entry->offset, sizeof(entry->offset), run->at);
	tar_number(entry->size, sizeof(entry->size), run->size);
}

/* The header and the blocks with the runs that it has no room for. */
static int put_head(struct file_plan *tar, const struct runs *runs, uint64_t disk_size,
		    uint64_t seconds, struct diag *why)
{
	size_t more = runs->count > TAR_SPARSE_FIRST ? runs->count - TAR_SPARSE_FIRST : 0;
	size_t blocks = (more + TAR_SPARSE_MORE - 1) / TAR_SPARSE_MORE;
	struct tar_header *header =
		file_plan_alloc(tar, sizeof(*header) + blocks * TAR_BLOCK, why);
	struct tar_member member = {.name = "disk.raw",
				    .size = runs->bytes,
				    .mode = 0644,
				    .seconds = seconds,
				    .type = 'S'};
	if (!header)
		return -1;
	struct tar_sparse_block *block = (void *)(header + 1);
	tar_header_make(header, &member);
	for (size_t i = 0; i < runs->count && i < TAR_SPARSE_FIRST; i++)
		put_run(&header->more.gnu.sparse[i], &runs->list[i]);
	header->more.gnu.extended = blocks != 0;
	tar_number(header->more.gnu.real_size, sizeof(header->more.gnu.real_size),
		   disk_size);
	tar_header_seal(header);
	for (size_t i = 0; i < more; i++)
		put_run(&block[i / TAR_SPARSE_MORE].sparse[i % TAR_SPARSE_MORE],
			&runs->list[TAR_SPARSE_FIRST + i]);
	for (size_t i = 0; i + 1 < blocks; i++)
		block[i].extended = 1;
	return file_plan_append(tar, header, sizeof(*header) + blocks * TAR_BLOCK, 1,
				why);
}

static int put_gzip(struct file_plan *file, const struct file_plan *tar, unsigned threads,
		    struct diag *why)
{
	struct deflate_plan how = {.from = &tar->extents,
				   .style = DEFLATE_GZIP,
				   .block_bytes = GZIP_BLOCK,
				   .threads = threads};
	struct deflate_block *block = deflate_blocks(file, &how, why);
	le32 *tail = file_plan_alloc(file, 2 * sizeof(*tail), why);
	size_t count = deflate_block_count(&how);
	uint64_t left = tar->extents.size;
	uLong crc = crc32(0, NULL, 0);
	if (!block || !tail ||
	    file_plan_append(file, gzip_head, sizeof(gzip_head), 1, why))
		return -1;
	for (size_t i = 0; i < count; i++) {
		uint64_t size = left < GZIP_BLOCK ? left : GZIP_BLOCK;
		crc = crc32_combine(crc, block[i].crc, (z_off_t)size);
		left -= size;
		if (file_plan_append(file, block[i].bytes, block[i].size, 1, why))
			return -1;
	}
	tail[0] = le32_make((uint32_t)crc);
	tail[1] = le32_make((uint32_t)tar->extents.size);
	return file_plan_append(file, tail, 2 * sizeof(*tail), 1, why);
}

int gce_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	struct file_plan tar = {0};
	struct runs runs = {0};
	int rc = find_runs(&runs, plan->disk, why) ||
		 put_head(&tar, &runs, plan->disk->size, plan->seconds, why);
	for (size_t i = 0; !rc && i < runs.count; i++) {
		struct extents *to = &tar.extents;
		rc = extents_append_part(to, to->size, plan->disk, runs.list[i].at,
					 runs.list[i].size);
	}
	if (!rc) {
		tar.extents.size = align_up(tar.extents.size, TAR_BLOCK);
		rc = tar_append_end(&tar, why) ||
		     put_gzip(file, &tar, plan->threads, why);
	}
	free(runs.list);
	file_plan_free(&tar);
	return rc ? diag_set(why, "out of memory") : 0;
}

/* gzip as a stream of bytes. */
struct source {
	z_stream stream;
	bool ended;
};

/* Exactly size bytes, or -1. */
static int take(struct source *source, void *out, size_t size)
{
	source->stream.next_out = out;
	source->stream.avail_out = (uInt)size;
	while (source->stream.avail_out) {
		if (source->ended)
			return -1;
		int rc = inflate(&source->stream, Z_NO_FLUSH);
		source->ended = rc == Z_STREAM_END;
		if (rc != Z_OK && rc != Z_STREAM_END)
			return -1;
	}
	return 0;
}

/* The bytes of one run to the disk. */
static int read_run(struct source *source, struct disk_view *view,
		    const struct tar_sparse *entry, uint64_t *end, uint64_t *left,
		    uint8_t *piece, struct diag *why)
{
	uint64_t at = 0, size = 0;
	if (tar_number_read(entry->offset, sizeof(entry->offset), &at) ||
	    tar_number_read(entry->size, sizeof(entry->size), &size))
		return diag_set(why, "disk.raw: a damaged list of its pieces");
	if (at < *end || at > view->size || size > view->size - at || size > *left)
		return diag_set(why,
				"disk.raw: a piece of %" PRIu64 " bytes at %" PRIu64
				" lies outside or out of order",
				size, at);
	*end = at + size;
	*left -= size;
	while (size) {
		size_t part = size < PIECE_BYTES ? (size_t)size : PIECE_BYTES;
		if (take(source, piece, part))
			return diag_set(why, "disk.raw: damaged or cut short");
		disk_view_put(view, at, piece, part);
		at += part;
		size -= part;
	}
	return 0;
}

static size_t entries_in_use(const struct tar_sparse *entry, size_t count)
{
	size_t used = 0;
	while (used < count && entry[used].size[0])
		used++;
	return used;
}

/* All lists of pieces stand before the bytes of the first. */
static int read_lists(struct source *source, const struct tar_header *header,
		      struct tar_sparse **list, size_t *count, struct diag *why)
{
	size_t used = entries_in_use(header->more.gnu.sparse, TAR_SPARSE_FIRST), room = 0;
	struct tar_sparse_block block = {.extended = header->more.gnu.extended};
	memcpy(block.sparse, header->more.gnu.sparse, used * sizeof(block.sparse[0]));
	for (;;) {
		if (*count + used > PIECES_MAX)
			return diag_set(why, "disk.raw: more than %zu pieces",
					PIECES_MAX);
		if (*count + used > room) {
			room = 2 * room + TAR_SPARSE_MORE;
			struct tar_sparse *more = realloc(*list, room * sizeof(*more));
			if (!more)
				return diag_set(why, "out of memory");
			*list = more;
		}
		memcpy(*list + *count, block.sparse, used * sizeof(block.sparse[0]));
		*count += used;
		if (!block.extended)
			return 0;
		if (take(source, &block, sizeof(block)))
			return diag_set(why,
					"disk.raw: cut short in the list of its pieces");
		used = entries_in_use(block.sparse, TAR_SPARSE_MORE);
	}
}

static int read_disk(struct source *source, struct disk_view *view, struct diag *why)
{
	struct tar_header header;
	uint64_t disk_size = 0, left = 0, end = 0;
	if (take(source, &header, sizeof(header)) || !tar_header_valid(&header) ||
	    tar_number_read(header.size, sizeof(header.size), &left))
		return diag_set(why, "a gzip file that holds no tar archive");
	if (header.type != 'S' ||
	    strncmp(header.name, "disk.raw", sizeof(header.name)) != 0)
		return diag_set(why, "a tar.gz whose first member is no sparse disk.raw");
	if (tar_number_read(header.more.gnu.real_size, sizeof(header.more.gnu.real_size),
			    &disk_size))
		return diag_set(why, "disk.raw: a damaged size");
	if (disk_view_make(view, disk_size, why))
		return -1;
	struct tar_sparse *list = NULL;
	size_t count = 0;
	uint8_t *piece = malloc(PIECE_BYTES);
	int rc = piece ? read_lists(source, &header, &list, &count, why)
		       : diag_set(why, "out of memory");
	for (size_t i = 0; !rc && i < count; i++)
		rc = read_run(source, view, &list[i], &end, &left, piece, why);
	/* The archive's end, and gzip's own digest of all. */
	for (unsigned i = 0; !rc && !source->ended && i < 16; i++)
		take(source, piece, PIECE_BYTES);
	if (!rc && !source->ended)
		rc = diag_set(why, "the tar.gz is damaged or cut short");
	free(list);
	free(piece);
	return rc;
}

bool gce_probe(const uint8_t *bytes, size_t size)
{
	return size > sizeof(gzip_head) && bytes[0] == gzip_head[0] &&
	       bytes[1] == gzip_head[1];
}

int gce_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why)
{
	struct source source = {.stream = {.next_in = (Bytef *)(uintptr_t)bytes}};
	if (size > UINT32_MAX)
		return diag_set(why, "a tar.gz of %zu bytes: too big", size);
	source.stream.avail_in = (uInt)size;
	if (inflateInit2(&source.stream, 15 + 16) != Z_OK)
		return diag_set(why, "out of memory");
	int rc = read_disk(&source, view, why);
	inflateEnd(&source.stream);
	if (rc)
		disk_view_free(view);
	return rc;
}

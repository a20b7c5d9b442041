/* qcow2_read.c: the disk in a qcow2 file, believing nothing. A host cluster may be used
 * once, and no compressed bytes twice: what is made out of a file stays in proportion to
 * it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/format.h"
#include "imgfmt/inflate.h"
#include "imgfmt/qcow2.h"

struct reader {
	struct disk_view *view;
	const uint8_t *bytes;
	size_t size;
	unsigned cluster_bits;
	uint64_t cluster_bytes;
	uint8_t *used;        /* a bit a host cluster: holds a table or a plain cluster */
	uint64_t packed_left; /* compressed bytes that may still be claimed */
	uint8_t *cluster;     /* one, inflated */
};

bool qcow2_probe(const uint8_t *bytes, size_t size)
{
	return size >= 4 && memcmp(bytes, QCOW2_MAGIC, 4) == 0;
}

static int check_header(const struct qcow2_header *header, struct diag *why)
{
	uint32_t bits = be32_get(header->cluster_bits),
		 version = be32_get(header->version);
	uint64_t size = be64_get(header->disk_size);
	if (version != QCOW2_VERSION)
		return diag_set(why, "qcow2 of version %u, not %u", version,
				QCOW2_VERSION);
	if (be64_get(header->incompatible))
		return diag_set(why, "qcow2 with incompatible features (%" PRIx64 ")",
				be64_get(header->incompatible));
	if (be64_get(header->backing_at))
		return diag_set(why,
				"qcow2 with a backing file: not an image of its own");
	if (be32_get(header->encryption))
		return diag_set(why, "qcow2 that is encrypted");
	if (bits < 9 || bits > 21)
		return diag_set(why, "qcow2 with %u cluster bits, 9 to 21 there are",
				bits);
	if (be32_get(header->header_size) < sizeof(*header))
		return diag_set(why, "qcow2 with a header of %u bytes",
				be32_get(header->header_size));
	uint64_t covered = (uint64_t)1 << (2 * bits - 3); /* by a level 2 table */
	uint64_t entries = size / covered + (size % covered != 0);
	if (be32_get(header->l1_entries) < entries)
		return diag_set(why,
				"qcow2 with %u level 1 entries for %" PRIu64 " bytes",
				be32_get(header->l1_entries), size);
	return 0;
}

/* Is the host cluster at a place inside the file, and is this its first use? */
static int claim(struct reader *reader, uint64_t at, const char *what, struct diag *why)
{
	uint64_t cluster = at >> reader->cluster_bits;
	if (at & (reader->cluster_bytes - 1) || at >= reader->size ||
	    reader->size - at < reader->cluster_bytes)
		return diag_set(why, "a %s at %" PRIu64 " lies outside of the file", what,
				at);
	if (reader->used[cluster / 8] & 1u << cluster % 8)
		return diag_set(why, "a %s at %" PRIu64 " is used twice", what, at);
	reader->used[cluster / 8] |= (uint8_t)(1u << cluster % 8);
	return 0;
}

static int put_packed(struct reader *reader, uint64_t entry, uint64_t guest,
		      struct diag *why)
{
	unsigned shift = qcow2_sectors_shift(reader->cluster_bits);
	uint64_t at = entry & (((uint64_t)1 << shift) - 1);
	uint64_t sectors = ((entry & (QCOW2_COMPRESSED - 1)) >> shift) + 1;
	uint64_t size = sectors * QCOW2_SECTOR - at % QCOW2_SECTOR;
	if (at >= reader->size)
		return diag_set(why,
				"a compressed cluster at %" PRIu64
				" lies outside of the file",
				at);
	if (size > reader->size - at)
		size = reader->size - at;
	/* Neighbours share a sector each; hence that much more than the file has. */
	uint64_t claimed = size > QCOW2_SECTOR ? size - QCOW2_SECTOR : 1;
	if (claimed > reader->packed_left)
		return diag_set(why, "compressed clusters overlap");
	reader->packed_left -= claimed;
	long got = inflate_bytes(INFLATE_RAW, reader->bytes + at, (size_t)size,
				 reader->cluster, (size_t)reader->cluster_bytes);
	if (got != (long)reader->cluster_bytes)
		return diag_set(why, "the compressed cluster at %" PRIu64 " is damaged",
				at);
	disk_view_put(reader->view, guest, reader->cluster, (size_t)got);
	return 0;
}

static int read_l2(struct reader *reader, uint64_t table, uint64_t guest,
		   struct diag *why)
{
	const be64 *entry = (const be64 *)(reader->bytes + table);
	for (uint64_t i = 0; i < reader->cluster_bytes / 8; i++) {
		uint64_t value = be64_get(entry[i]), at = value & QCOW2_OFFSET;
		uint64_t to = guest + (i << reader->cluster_bits);
		if (!value || to >= reader->view->size)
			continue;
		if (value & QCOW2_COMPRESSED) {
			if (put_packed(reader, value, to, why))
				return -1;
		} else if (at && !(value & QCOW2_ALL_ZERO)) {
			if (claim(reader, at, "cluster", why))
				return -1;
			disk_view_put(reader->view, to, reader->bytes + at,
				      (size_t)reader->cluster_bytes);
		}
	}
	return 0;
}

static int read_tables(struct reader *reader, const struct qcow2_header *header,
		       struct diag *why)
{
	uint64_t l1_at = be64_get(header->l1_at);
	uint64_t covered = reader->cluster_bytes / 8 << reader->cluster_bits;
	uint64_t entries = (reader->view->size + covered - 1) / covered;
	if (l1_at > reader->size || entries > (reader->size - l1_at) / 8)
		return diag_set(why, "the level 1 table lies outside of the file");
	const be64 *entry = (const be64 *)(reader->bytes + l1_at);
	for (uint64_t i = 0; i < entries; i++) {
		uint64_t table = be64_get(entry[i]) & QCOW2_OFFSET;
		if (table && (claim(reader, table, "level 2 table", why) ||
			      read_l2(reader, table, i * covered, why)))
			return -1;
	}
	return 0;
}

int qcow2_read(struct disk_view *view, const uint8_t *bytes, size_t size,
	       struct diag *why)
{
	struct qcow2_header header;
	if (size < sizeof(header))
		return diag_set(why, "qcow2 of %zu bytes: too short for its header",
				size);
	memcpy(&header, bytes, sizeof(header));
	if (check_header(&header, why) ||
	    disk_view_make(view, be64_get(header.disk_size), why))
		return -1;
	struct reader reader = {.view = view,
				.bytes = bytes,
				.size = size,
				.cluster_bits = be32_get(header.cluster_bits),
				.packed_left = size};
	reader.cluster_bytes = (uint64_t)1 << reader.cluster_bits;
	reader.used = calloc(1, (size >> reader.cluster_bits) / 8 + 1);
	reader.cluster = malloc((size_t)reader.cluster_bytes);
	int rc = reader.used && reader.cluster ? read_tables(&reader, &header, why)
					       : diag_set(why, "out of memory");
	free(reader.used);
	free(reader.cluster);
	if (rc)
		disk_view_free(view);
	return rc;
}

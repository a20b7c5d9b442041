/* qcow2.c: writing qcow2. The file:
 *
 *   cluster 0       the header
 *   ...             reference count table, reference count blocks
 *   ...             level 1 table, the level 2 tables that have entries
 *   ...             clusters as they are
 *   ...             compressed clusters, byte behind byte
 *
 * Clusters of zeros are in no table. */
#include <string.h>

#include "imgfmt/deflate_blocks.h"
#include "imgfmt/format.h"
#include "imgfmt/qcow2.h"

#define L2_ENTRIES       (QCOW2_CLUSTER / 8)
#define REFCOUNT_ENTRIES (QCOW2_CLUSTER / 2) /* of a block: 16 bits each */

struct plan {
	const struct extents *disk;
	struct deflate_block
		*block; /* one a guest cluster; NULL: nothing is compressed */
	uint64_t guest_clusters;
	/* counts of host clusters, in file order */
	uint64_t table, blocks, l1, l2, plain, packed;
	uint64_t packed_bytes;
	be64 *l1_table, *l2_tables;
	be16 *refcounts;
};

static bool is_zero(const struct plan *plan, uint64_t cluster)
{
	if (plan->block)
		return plan->block[cluster].zero;
	uint64_t at = cluster * QCOW2_CLUSTER;
	if (extents_hole(plan->disk, at, QCOW2_CLUSTER))
		return true;
	uint8_t bytes[4096];
	for (unsigned i = 0; i < QCOW2_CLUSTER; i += sizeof(bytes)) {
		extents_read(plan->disk, at + i, bytes, sizeof(bytes));
		if (!bytes_are_zero(bytes, sizeof(bytes)))
			return false;
	}
	return true;
}

static uint64_t clusters(uint64_t bytes)
{
	return (bytes + QCOW2_CLUSTER - 1) / QCOW2_CLUSTER;
}

/* Which host cluster each guest cluster gets is known once the tables' sizes are: here
 * only what is in use is counted. zero[] is filled in. */
static void count(struct plan *plan, bool *zero)
{
	for (uint64_t i = 0; i < plan->guest_clusters; i += L2_ENTRIES) {
		uint64_t end = i + L2_ENTRIES, used = 0;
		for (uint64_t c = i; c < end && c < plan->guest_clusters; c++) {
			zero[c] = is_zero(plan, c);
			used += !zero[c];
			if (!zero[c] && plan->block && plan->block[c].bytes)
				plan->packed_bytes += plan->block[c].size;
			else
				plan->plain += !zero[c];
		}
		plan->l2 += used != 0;
	}
	plan->packed = clusters(plan->packed_bytes);
	plan->l1 = clusters(clusters(plan->guest_clusters * 8) * 8);
	uint64_t rest = 1 + plan->l1 + plan->l2 + plan->plain + plan->packed, before = 0;
	do { /* the counters count themselves */
		before = plan->table + plan->blocks;
		plan->blocks = (rest + before + REFCOUNT_ENTRIES - 1) / REFCOUNT_ENTRIES;
		plan->table = clusters(plan->blocks * 8);
	} while (plan->table + plan->blocks != before);
}

static void count_reference(struct plan *plan, uint64_t cluster)
{
	be16 *counter = &plan->refcounts[cluster];
	*counter = be16_make((uint16_t)((counter->b[0] << 8 | counter->b[1]) + 1));
}

/* Fills the tables and appends the clusters' bytes, first the plain ones, then the
 * others. */
static int put_clusters(struct plan *plan, struct file_plan *file, const bool *zero,
			uint64_t l2_at, bool packed, struct diag *why)
{
	struct extents *to = &file->extents;
	uint64_t l2 = 0;
	for (uint64_t i = 0; i < plan->guest_clusters; i++) {
		const struct deflate_block *block = plan->block ? &plan->block[i] : NULL;
		be64 *l1_entry = &plan->l1_table[i / L2_ENTRIES];
		if (zero[i])
			continue;
		if (!be64_get(*l1_entry))
			*l1_entry =
				be64_make((l2_at + l2++ * QCOW2_CLUSTER) | QCOW2_COPIED);
		uint64_t table = (be64_get(*l1_entry) & QCOW2_OFFSET) - l2_at;
		be64 *entry = plan->l2_tables + table / 8 + i % L2_ENTRIES;
		uint64_t at = to->size, size = QCOW2_CLUSTER;
		if ((block && block->bytes) != packed)
			continue;
		if (packed) {
			size = block->size;
			uint64_t sectors =
				(at + size - 1) / QCOW2_SECTOR - at / QCOW2_SECTOR;
			*entry = be64_make(
				QCOW2_COMPRESSED | at |
				sectors << qcow2_sectors_shift(QCOW2_CLUSTER_BITS));
		} else {
			*entry = be64_make(at | QCOW2_COPIED);
		}
		if (packed ? extents_add(to, at, block->bytes, block->size)
			   : extents_append_part(to, at, plan->disk, i * QCOW2_CLUSTER,
						 size))
			return diag_set(why, "out of memory");
		for (uint64_t c = at / QCOW2_CLUSTER;
		     c <= (at + size - 1) / QCOW2_CLUSTER; c++)
			count_reference(plan, c);
	}
	return 0;
}

static struct qcow2_header make_header(const struct plan *plan)
{
	struct qcow2_header header = {
		.version = be32_make(QCOW2_VERSION),
		.cluster_bits = be32_make(QCOW2_CLUSTER_BITS),
		.disk_size = be64_make(plan->disk->size),
		.l1_entries = be32_make(
			(uint32_t)((plan->guest_clusters + L2_ENTRIES - 1) / L2_ENTRIES)),
		.l1_at = be64_make((1 + plan->table + plan->blocks) * QCOW2_CLUSTER),
		.refcount_table_at = be64_make(QCOW2_CLUSTER),
		.refcount_table_clusters = be32_make((uint32_t)plan->table),
		.refcount_order = be32_make(4), /* counts of 1 << 4 bits */
		.header_size = be32_make(sizeof(header))};
	memcpy(header.magic, QCOW2_MAGIC, sizeof(header.magic));
	return header;
}

/* The clusters before the data, in one piece. */
static int put_tables(struct plan *plan, struct file_plan *file, const bool *zero,
		      struct diag *why)
{
	uint64_t count = 1 + plan->table + plan->blocks + plan->l1 + plan->l2;
	uint8_t *bytes = file_plan_alloc(file, (size_t)(count * QCOW2_CLUSTER), why);
	if (!bytes)
		return -1;
	struct qcow2_header header = make_header(plan);
	be64 *table = (be64 *)(bytes + QCOW2_CLUSTER);
	memcpy(bytes, &header, sizeof(header));
	for (uint64_t i = 0; i < plan->blocks; i++)
		table[i] = be64_make((1 + plan->table + i) * QCOW2_CLUSTER);
	plan->refcounts = (be16 *)(bytes + (1 + plan->table) * QCOW2_CLUSTER);
	plan->l1_table = (be64 *)(bytes + be64_get(header.l1_at));
	uint64_t l2_at = be64_get(header.l1_at) + plan->l1 * QCOW2_CLUSTER;
	plan->l2_tables = (be64 *)(bytes + l2_at);
	for (uint64_t i = 0; i < count; i++)
		count_reference(plan, i);
	if (file_plan_append(file, bytes, (size_t)(count * QCOW2_CLUSTER), 1, why) ||
	    put_clusters(plan, file, zero, l2_at, false, why) ||
	    put_clusters(plan, file, zero, l2_at, true, why))
		return -1;
	file->extents.size = align_up(file->extents.size, QCOW2_CLUSTER);
	return 0;
}

static int write_clusters(struct file_plan *file, const struct image_plan *image,
			  struct deflate_block *block, struct diag *why)
{
	struct plan plan = {.disk = image->disk,
			    .block = block,
			    .guest_clusters = clusters(image->disk->size)};
	bool *zero = file_plan_alloc(file, (size_t)plan.guest_clusters, why);
	if (!zero)
		return -1;
	count(&plan, zero);
	return put_tables(&plan, file, zero, why);
}

int qcow2_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	return write_clusters(file, plan, NULL, why);
}

int qcow2_write_compressed(struct file_plan *file, const struct image_plan *plan,
			   struct diag *why)
{
	struct deflate_plan how = {.from = plan->disk,
				   .style = DEFLATE_QCOW2,
				   .block_bytes = QCOW2_CLUSTER,
				   .threads = plan->threads};
	struct deflate_block *block = deflate_blocks(file, &how, why);
	return block ? write_clusters(file, plan, block, why) : -1;
}

/* qcow2.h: QEMU's disk format, version 3, as docs/interop/qcow2.txt of QEMU has it. */
#ifndef ELFPACK_QCOW2_H
#define ELFPACK_QCOW2_H

#include "imgfmt/abi/be.h"

#define QCOW2_MAGIC        "QFI\xfb"
#define QCOW2_VERSION      3u
#define QCOW2_CLUSTER_BITS 16u /* ours; others are read too */
#define QCOW2_CLUSTER      (1u << QCOW2_CLUSTER_BITS)
#define QCOW2_SECTOR       512u

struct qcow2_header {
	uint8_t magic[4];
	be32 version;
	be64 backing_at;
	be32 backing_size, cluster_bits;
	be64 disk_size;
	be32 encryption, l1_entries;
	be64 l1_at, refcount_table_at;
	be32 refcount_table_clusters, snapshot_count;
	be64 snapshots_at, incompatible, compatible, autoclear;
	be32 refcount_order, header_size;
};
_Static_assert(sizeof(struct qcow2_header) == 104, "qcow2");

/* Of a level 1 or level 2 entry. */
#define QCOW2_COPIED     ((uint64_t)1 << 63) /* the cluster's reference count is one */
#define QCOW2_COMPRESSED ((uint64_t)1 << 62)
#define QCOW2_ALL_ZERO   ((uint64_t)1) /* level 2 */
#define QCOW2_OFFSET     0x00fffffffffffe00ull

/* A compressed cluster's entry has its byte offset below this bit, and above it the
 * number of sectors it reaches into beyond its first. */
static inline unsigned qcow2_sectors_shift(unsigned cluster_bits)
{
	return 62 - (cluster_bits - 8);
}

#endif

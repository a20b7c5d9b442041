/* erofs_read.c: reading a packed file system, believing nothing. */
#include "imgfmt/erofs_read.h"
#include "imgfmt/abi/erofs.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

/* Linux' inode modes, which is what EROFS stores. */
#define MODE_TYPE      0170000u
#define MODE_CHARACTER 0020000u
#define MODE_BLOCK     0060000u

#define NS_PER_S 1000000000ull

_Static_assert(EROFS_BLOCK == 1u << EROFS_BLOCK_BITS, "block size");

int erofs_open(struct erofs *fs, const void *bytes, size_t size)
{
	if (size < EROFS_BLOCK)
		return -1;
	const struct erofs_super *super =
		(const void *)((const uint8_t *)bytes + EROFS_SUPER_AT);
	if (le32_get(super->magic) != EROFS_MAGIC ||
	    super->block_bits != EROFS_BLOCK_BITS || super->directory_block_bits ||
	    (le32_get(super->features_incompat) & ~EROFS_INCOMPAT_PADDING))
		return -1;
	uint64_t whole = (uint64_t)le32_get(super->block_count) * EROFS_BLOCK;
	uint64_t inodes_at = (uint64_t)le32_get(super->meta_block) * EROFS_BLOCK;
	if (whole > size || inodes_at >= whole)
		return -1;
	*fs = (struct erofs){.bytes = bytes,
			     .size = (size_t)whole,
			     .inodes_at = inodes_at,
			     .root = le16_get(super->root),
			     .build_time_ns = le64_get(super->build_time) * NS_PER_S +
					      le32_get(super->build_time_ns)};
	return 0;
}

/* Where the file's bytes are, checked to lie inside. header_end: byte after the inode. */
static int place_data(const struct erofs *fs, struct erofs_inode *inode, uint32_t start,
		      unsigned layout, uint64_t header_end)
{
	uint64_t tail = layout == EROFS_FLAT_INLINE ? inode->size % EROFS_BLOCK : 0;
	uint64_t whole = inode->size - tail;
	if (layout != EROFS_FLAT_PLAIN && layout != EROFS_FLAT_INLINE)
		return -1;
	if (layout == EROFS_FLAT_INLINE && inode->size && !tail)
		return -1; /* Linux takes the last whole block for the tail then */
	if (whole) {
		inode->data_at = (uint64_t)start * EROFS_BLOCK;
		if (inode->data_at > fs->size || whole > fs->size - inode->data_at)
			return -1;
	}
	if (tail) {
		if (header_end % EROFS_BLOCK + tail > EROFS_BLOCK ||
		    tail > fs->size - header_end)
			return -1;
		inode->tail_at = header_end;
	}
	return 0;
}

static void read_compact(const struct erofs *fs, const uint8_t *at,
			 struct erofs_inode *inode)
{
	const struct erofs_inode_compact *disk = (const void *)at;
	inode->size = le32_get(disk->size);
	inode->number = le32_get(disk->number);
	inode->links = le16_get(disk->links);
	inode->uid = le16_get(disk->uid);
	inode->gid = le16_get(disk->gid);
	inode->mtime_ns = fs->build_time_ns;
}

static void read_extended(const uint8_t *at, struct erofs_inode *inode)
{
	const struct erofs_inode_extended *disk = (const void *)at;
	inode->size = le64_get(disk->size);
	inode->number = le32_get(disk->number);
	inode->links = le32_get(disk->links);
	inode->uid = le32_get(disk->uid);
	inode->gid = le32_get(disk->gid);
	inode->mtime_ns = le64_get(disk->mtime) * NS_PER_S + le32_get(disk->mtime_ns);
}

int erofs_inode(const struct erofs *fs, uint64_t nid, struct erofs_inode *inode)
{
	if (nid >= (fs->size - fs->inodes_at) / EROFS_SLOT)
		return -1;
	uint64_t at = fs->inodes_at + nid * EROFS_SLOT;
	const struct erofs_inode_compact *disk = (const void *)(fs->bytes + at);
	unsigned format = le16_get(disk->format);
	bool extended = format & EROFS_FORMAT_EXTENDED;
	uint64_t header = extended ? sizeof(struct erofs_inode_extended) : sizeof(*disk);
	if (header > fs->size - at || format >> 4)
		return -1;
	memset(inode, 0, sizeof(*inode));
	inode->nid = nid;
	inode->mode = le16_get(disk->mode);
	if (extended)
		read_extended(fs->bytes + at, inode);
	else
		read_compact(fs, fs->bytes + at, inode);
	if (le16_get(disk->xattr_count))
		header += 12 + 4 * ((uint64_t)le16_get(disk->xattr_count) - 1);
	if (header > fs->size - at)
		return -1;
	/* The block number is in the same place in both forms: byte 16. */
	uint32_t start = le32_get(disk->start);
	_Static_assert(offsetof(struct erofs_inode_compact, start) ==
			       offsetof(struct erofs_inode_extended, start),
		       "one place");
	unsigned type = inode->mode & MODE_TYPE;
	if (type == MODE_CHARACTER || type == MODE_BLOCK) {
		inode->device = start;
		inode->size = 0;
	}
	return place_data(fs, inode, start, (format >> EROFS_FORMAT_LAYOUT_SHIFT) & 7,
			  at + header);
}

const uint8_t *erofs_data(const struct erofs *fs, const struct erofs_inode *inode,
			  uint64_t offset, size_t *run)
{
	if (offset >= inode->size)
		return NULL;
	uint64_t whole =
		inode->tail_at ? inode->size - inode->size % EROFS_BLOCK : inode->size;
	if (offset < whole) {
		*run = (size_t)(whole - offset);
		return fs->bytes + inode->data_at + offset;
	}
	*run = (size_t)(inode->size - offset);
	return fs->bytes + inode->tail_at + (offset - whole);
}

/* One block of a folder. */
struct names {
	const uint8_t *bytes;
	size_t size;
	size_t count; /* of entries, at least one */
};

static int names_open(const struct erofs *fs, const struct erofs_inode *directory,
		      uint64_t block, struct names *names)
{
	size_t run = 0;
	names->bytes = erofs_data(fs, directory, block * EROFS_BLOCK, &run);
	names->size = run < EROFS_BLOCK ? run : EROFS_BLOCK;
	if (!names->bytes || names->size < sizeof(struct erofs_dirent))
		return -1;
	const struct erofs_dirent *first = (const void *)names->bytes;
	size_t names_at = le16_get(first->name_at);
	if (!names_at || names_at % sizeof(*first) || names_at >= names->size)
		return -1;
	names->count = names_at / sizeof(*first);
	return 0;
}

static uint8_t dirent_type(unsigned type)
{
	/* enum erofs_file_type to what getdents64 says: the mode's type bits, shifted. */
	static const uint8_t types[] = {0, 8, 4, 2, 6, 1, 12, 10};
	return type < sizeof(types) ? types[type] : 0;
}

static int names_get(const struct names *names, size_t index, struct erofs_entry *entry)
{
	const struct erofs_dirent *table = (const void *)names->bytes;
	size_t from = le16_get(table[index].name_at);
	size_t to = names->size;
	if (from < names->count * sizeof(*table) || from >= names->size)
		return -1;
	if (index + 1 < names->count) {
		to = le16_get(table[index + 1].name_at);
		if (to > names->size)
			return -1;
	} else { /* the last one is zero padded, or ends with the block */
		const uint8_t *nul = memchr(names->bytes + from, 0, to - from);
		if (nul)
			to = (size_t)(nul - names->bytes);
	}
	if (to <= from || to - from > EROFS_NAME_MAX)
		return -1;
	*entry = (struct erofs_entry){.name = (const char *)names->bytes + from,
				      .name_size = to - from,
				      .nid = le64_get(table[index].nid),
				      .type = dirent_type(table[index].type)};
	if (memchr(entry->name, 0, entry->name_size) ||
	    memchr(entry->name, '/', entry->name_size))
		return -1;
	return 0;
}

/* A position is the byte offset of an entry in the folder's bytes. */
int erofs_entry(const struct erofs *fs, const struct erofs_inode *directory,
		uint64_t *position, struct erofs_entry *entry)
{
	struct names names;
	while (*position < directory->size) {
		uint64_t block = *position / EROFS_BLOCK;
		size_t index = (size_t)(*position % EROFS_BLOCK +
					sizeof(struct erofs_dirent) - 1) /
			       sizeof(struct erofs_dirent);
		if (names_open(fs, directory, block, &names))
			return -1;
		if (index < names.count) {
			*position = block * EROFS_BLOCK +
				    (index + 1) * sizeof(struct erofs_dirent);
			return names_get(&names, index, entry) ? -1 : 1;
		}
		*position = (block + 1) * EROFS_BLOCK;
	}
	return 0;
}

static int compare(const struct erofs_entry *entry, const char *name, size_t size)
{
	size_t shared = entry->name_size < size ? entry->name_size : size;
	int order = memcmp(entry->name, name, shared);
	if (order)
		return order;
	return (entry->name_size > size) - (entry->name_size < size);
}

/* Finds the last block whose first name is not after the one sought. */
static int seek_block(const struct erofs *fs, const struct erofs_inode *directory,
		      const char *name, size_t size, struct names *names)
{
	uint64_t low = 0, high = (directory->size + EROFS_BLOCK - 1) / EROFS_BLOCK;
	struct erofs_entry first;
	if (!high)
		return 0;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (names_open(fs, directory, middle, names) ||
		    names_get(names, 0, &first))
			return -1;
		if (compare(&first, name, size) <= 0)
			low = middle;
		else
			high = middle;
	}
	return names_open(fs, directory, low, names) ? -1 : 1;
}

int erofs_lookup(const struct erofs *fs, const struct erofs_inode *directory,
		 const char *name, size_t name_size, struct erofs_entry *entry)
{
	struct names names;
	int rc = seek_block(fs, directory, name, name_size, &names);
	if (rc <= 0)
		return rc;
	size_t low = 0, high = names.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (names_get(&names, middle, entry))
			return -1;
		int order = compare(entry, name, name_size);
		if (!order)
			return 1;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* erofs.c: packing a tree into an EROFS file system.
 *
 *   block 0      superblock at 1024; inodes from byte 1152 on, in the order of the tree,
 * each with the tail of its folder or link behind it blocks       the whole blocks of
 * folders and long links blocks       file contents, each from a block of its own, equal
 * ones once
 *
 * Two passes: the first gives every inode its place, the second writes them. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "imgfmt/abi/erofs.h"
#include "imgfmt/crc.h"
#include "imgfmt/erofs.h"
#include "imgfmt/erofs_read.h"

#define FIRST_INODE (EROFS_SUPER_AT + sizeof(struct erofs_super))

/* What the first pass decides for an inode. */
struct place {
	struct tree_node *node; /* the first name in tree order */
	struct tree_inode *inode;
	uint64_t size;        /* of a folder: of its blocks */
	uint64_t at;          /* byte offset of the inode */
	uint64_t block;       /* first whole block */
	uint64_t whole, tail; /* bytes in blocks, and in line */
	size_t same;          /* files: the place that holds the contents */
	bool extended;
};

struct plan {
	struct place *list;
	size_t count, room;
	uint64_t inodes_end; /* bytes */
	uint64_t blocks;     /* so far */
	uint64_t metadata_blocks;
};

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* The i-th entry of a folder in byte order, with "." and ".." where they belong. Both
 * come before every name but those that start with a byte below '.', or ".-" and the
 * like. */
struct listing {
	const struct tree_node *folder;
	size_t next;   /* child */
	unsigned dots; /* 0, 1, 2: how many of "." and ".." are out */
};

static bool listing_next(struct listing *listing, const char **name,
			 struct tree_node **node)
{
	static const char *const dots[] = {".", ".."};
	const struct tree_node *folder = listing->folder;
	struct tree_node *child = listing->next < folder->child_count
					  ? folder->children[listing->next]
					  : NULL;
	if (listing->dots < 2 &&
	    (!child || strcmp(dots[listing->dots], child->name) < 0)) {
		*name = dots[listing->dots];
		*node = listing->dots++ ? folder->parent : (struct tree_node *)folder;
		return true;
	}
	if (!child)
		return false;
	listing->next++;
	*name = child->name;
	*node = child;
	return true;
}

/* Bytes of a folder's blocks: each takes as many entries as fit. */
static uint64_t folder_size(const struct tree_node *folder)
{
	struct listing listing = {.folder = folder};
	struct tree_node *node = NULL;
	const char *name = NULL;
	uint64_t blocks = 0, used = 0;
	while (listing_next(&listing, &name, &node)) {
		uint64_t need = sizeof(struct erofs_dirent) + strlen(name);
		if (used + need > EROFS_BLOCK) {
			blocks++;
			used = 0;
		}
		used += need;
	}
	return blocks * EROFS_BLOCK + used;
}

static int plan_add(struct plan *plan, struct tree_node *node, struct diag *why)
{
	struct tree_inode *inode = node->inode;
	if (inode->number)
		return 0; /* another name of a file that has its place */
	if (plan->count == plan->room) {
		size_t room = plan->room ? 2 * plan->room : 64;
		struct place *list = realloc(plan->list, room * sizeof(*list));
		if (!list)
			return diag_set(why, "out of memory");
		plan->list = list;
		plan->room = room;
	}
	plan->list[plan->count] = (struct place){
		.node = node,
		.inode = inode,
		.size = S_ISDIR(inode->mode) ? folder_size(node) : inode->size,
		.same = plan->count};
	inode->number = (uint32_t)++plan->count;
	return 0;
}

static int plan_collect(struct plan *plan, struct tree_node *node, struct diag *why)
{
	int rc = plan_add(plan, node, why);
	for (size_t i = 0; !rc && i < node->child_count; i++)
		rc = plan_collect(plan, node->children[i], why);
	return rc;
}

static uint32_t link_count(const struct place *place)
{
	if (!S_ISDIR(place->inode->mode))
		return place->inode->links;
	uint32_t links = 2;
	for (size_t i = 0; i < place->node->child_count; i++)
		links += S_ISDIR(place->node->children[i]->inode->mode);
	return links;
}

/* Gives the inode its slots. In-line tails must lie in the inode's own block. */
static void place_inode(struct plan *plan, struct place *place)
{
	place->extended = place->size > UINT32_MAX || link_count(place) > UINT16_MAX;
	uint64_t header = place->extended ? sizeof(struct erofs_inode_extended)
					  : sizeof(struct erofs_inode_compact);
	place->tail = S_ISREG(place->inode->mode) ? 0 : place->size % EROFS_BLOCK;
	if (header + place->tail > EROFS_BLOCK)
		place->tail = 0;
	place->whole = place->size - place->tail;
	uint64_t at = plan->inodes_end;
	if (at % EROFS_BLOCK + header + place->tail > EROFS_BLOCK)
		at = round_up(at, EROFS_BLOCK);
	place->at = at;
	place->inode->nid = at / EROFS_SLOT;
	plan->inodes_end = round_up(at + header + place->tail, EROFS_SLOT);
}

static void place_blocks(struct plan *plan, struct place *place)
{
	if (!place->whole)
		return;
	place->block = plan->blocks;
	plan->blocks += round_up(place->whole, EROFS_BLOCK) / EROFS_BLOCK;
}

static int by_contents(const void *a, const void *b)
{
	const struct place *x = *(struct place *const *)a, *y = *(struct place *const *)b;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	int order =
		x->size ? memcmp(x->inode->bytes, y->inode->bytes, (size_t)x->size) : 0;
	return order ? order : (x > y) - (x < y);
}

/* Points every file at the first of those with the same contents. */
static int find_equal_files(struct plan *plan, uint64_t *shared, struct diag *why)
{
	struct place **files = calloc(plan->count, sizeof(struct place *));
	size_t count = 0;
	if (!files)
		return diag_set(why, "out of memory");
	for (size_t i = 0; i < plan->count; i++)
		if (S_ISREG(plan->list[i].inode->mode) && plan->list[i].size)
			files[count++] = &plan->list[i];
	qsort(files, count, sizeof(struct place *), by_contents);
	for (size_t i = 1; i < count; i++) {
		struct place *before = files[i - 1], *file = files[i];
		if (file->size == before->size &&
		    memcmp(file->inode->bytes, before->inode->bytes,
			   (size_t)file->size) == 0) {
			file->same = before->same;
			*shared += round_up(file->size, EROFS_BLOCK);
		}
	}
	free(files);
	return 0;
}

static int plan_place(struct plan *plan, uint64_t *shared, struct diag *why)
{
	plan->inodes_end = FIRST_INODE;
	if (find_equal_files(plan, shared, why))
		return -1;
	for (size_t i = 0; i < plan->count; i++)
		place_inode(plan, &plan->list[i]);
	plan->blocks = round_up(plan->inodes_end, EROFS_BLOCK) / EROFS_BLOCK;
	for (size_t i = 0; i < plan->count; i++)
		if (!S_ISREG(plan->list[i].inode->mode))
			place_blocks(plan, &plan->list[i]);
	plan->metadata_blocks = plan->blocks;
	for (size_t i = 0; i < plan->count; i++)
		if (S_ISREG(plan->list[i].inode->mode) && plan->list[i].same == i)
			place_blocks(plan, &plan->list[i]);
	for (size_t i = 0; i < plan->count; i++)
		plan->list[i].block = plan->list[plan->list[i].same].block;
	return plan->blocks > UINT32_MAX ? diag_set(why, "more than 16 TiB to pack") : 0;
}

static void write_inode(const struct place *place, uint8_t *metadata, uint64_t build_time)
{
	unsigned format = (unsigned)(place->tail ? EROFS_FLAT_INLINE : EROFS_FLAT_PLAIN)
			  << EROFS_FORMAT_LAYOUT_SHIFT;
	void *at = metadata + place->at;
	if (!place->extended) {
		*(struct erofs_inode_compact *)at = (struct erofs_inode_compact){
			.format = le16_make((uint16_t)format),
			.mode = le16_make((uint16_t)place->inode->mode),
			.links = le16_make((uint16_t)link_count(place)),
			.size = le32_make((uint32_t)place->size),
			.start = le32_make((uint32_t)place->block),
			.number = le32_make(place->inode->number)};
		return;
	}
	*(struct erofs_inode_extended *)at = (struct erofs_inode_extended){
		.format = le16_make((uint16_t)(format | EROFS_FORMAT_EXTENDED)),
		.mode = le16_make((uint16_t)place->inode->mode),
		.size = le64_make(place->size),
		.start = le32_make((uint32_t)place->block),
		.number = le32_make(place->inode->number),
		.mtime = le64_make(build_time),
		.links = le32_make(link_count(place))};
}

/* Where byte offset of a folder's or link's contents lies in the metadata. */
static uint8_t *contents_at(const struct place *place, uint8_t *metadata, uint64_t offset)
{
	if (offset < place->whole)
		return metadata + place->block * EROFS_BLOCK + offset;
	uint64_t header = place->extended ? sizeof(struct erofs_inode_extended)
					  : sizeof(struct erofs_inode_compact);
	return metadata + place->at + header + (offset - place->whole);
}

static uint8_t file_type(uint32_t mode)
{
	if (S_ISDIR(mode))
		return EROFS_DIRECTORY;
	return S_ISLNK(mode) ? EROFS_LINK : EROFS_REGULAR;
}

/* Writes entries [*from's position, as many as fit] into one block. */
static void write_folder_block(struct listing *from, uint8_t *block)
{
	struct listing measure = *from;
	struct tree_node *node = NULL;
	const char *name = NULL;
	size_t used = 0, count = 0;
	while (listing_next(&measure, &name, &node)) {
		used += sizeof(struct erofs_dirent) + strlen(name);
		if (used > EROFS_BLOCK)
			break;
		count++;
	}
	size_t name_at = count * sizeof(struct erofs_dirent);
	for (size_t i = 0; i < count; i++) {
		struct erofs_dirent *entry = (struct erofs_dirent *)block + i;
		listing_next(from, &name, &node);
		*entry = (struct erofs_dirent){.nid = le64_make(node->inode->nid),
					       .name_at = le16_make((uint16_t)name_at),
					       .type = file_type(node->inode->mode)};
		size_t size = strlen(name);
		memcpy(block + name_at, name, size);
		name_at += size;
	}
}

static void write_contents(const struct place *place, uint8_t *metadata)
{
	if (S_ISDIR(place->inode->mode)) {
		struct listing listing = {.folder = place->node};
		for (uint64_t at = 0; at < place->size; at += EROFS_BLOCK)
			write_folder_block(&listing, contents_at(place, metadata, at));
	} else if (S_ISLNK(place->inode->mode)) {
		memcpy(contents_at(place, metadata, 0), place->inode->bytes,
		       place->inode->size);
	}
}

static void write_super(const struct plan *plan, const struct tree *tree,
			uint8_t *metadata, uint64_t build_time)
{
	struct erofs_super *super = (void *)(metadata + EROFS_SUPER_AT);
	*super = (struct erofs_super){.magic = le32_make(EROFS_MAGIC),
				      .features_compat = le32_make(EROFS_COMPAT_CHECKSUM),
				      .block_bits = EROFS_BLOCK_BITS,
				      .root = le16_make((uint16_t)tree->root->inode->nid),
				      .inode_count = le64_make(plan->count),
				      .build_time = le64_make(build_time),
				      .block_count = le32_make((uint32_t)plan->blocks),
				      .volume_name = "elfpack"};
	super->checksum = le32_make(crc32c_raw(super, EROFS_BLOCK - EROFS_SUPER_AT));
}

int erofs_write(struct erofs_image *image, struct tree *tree, uint64_t build_time,
		struct diag *why)
{
	struct plan plan = {0};
	int rc = -1;
	*image = (struct erofs_image){0};
	if (plan_collect(&plan, tree->root, why) ||
	    plan_place(&plan, &image->bytes_shared, why))
		goto out;
	image->metadata = calloc((size_t)plan.metadata_blocks, EROFS_BLOCK);
	if (!image->metadata) {
		diag_set(why, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < plan.count; i++) {
		write_inode(&plan.list[i], image->metadata, build_time);
		write_contents(&plan.list[i], image->metadata);
	}
	write_super(&plan, tree, image->metadata, build_time);
	rc = extents_add(&image->extents, 0, image->metadata,
			 (size_t)plan.metadata_blocks * EROFS_BLOCK);
	for (size_t i = 0; !rc && i < plan.count; i++)
		if (S_ISREG(plan.list[i].inode->mode) && plan.list[i].same == i)
			rc = extents_add(
				&image->extents, plan.list[i].block * EROFS_BLOCK,
				plan.list[i].inode->bytes, plan.list[i].inode->size);
	image->extents.size = plan.blocks * EROFS_BLOCK;
	image->inode_count = (uint32_t)plan.count;
	if (rc)
		diag_set(why, "out of memory");
out:
	for (size_t i = 0; i < plan.count; i++)
		plan.list[i].inode->number =
			0; /* so that the tree can be written again */
	free(plan.list);
	if (rc)
		erofs_image_free(image);
	return rc;
}

void erofs_image_free(struct erofs_image *image)
{
	extents_free(&image->extents);
	free(image->metadata);
	*image = (struct erofs_image){0};
}

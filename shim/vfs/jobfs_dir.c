/* jobfs_dir.c: directories of a job's tree: names made here over the packed ones, looking
 * them up and listing them. Making, moving and removing names is jobfs_change.c's.
 *
 * Positions: 0 ".", 1 "..", then LOWER_AT + the packed directory's own, then UPPER_AT +
 * the entry's cookie. Both are stable when names come and go. */
#include "shim/lib/errno.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/vfs/jobfs.h"

#define LOWER_AT      2ull
#define UPPER_AT      (1ull << 40)
#define BUCKETS_FIRST 8u
#define BUCKETS_MAX   (1u << 18)

/* Seeded, so that a program cannot choose names that all fall in one bucket. */
static uint32_t name_hash(const char *name, size_t size)
{
	static uint64_t seed;
	if (!seed)
		seed = random_u64() | 1;
	uint64_t h = seed;
	for (size_t i = 0; i < size; i++)
		h = (h ^ (uint8_t)name[i]) * 0x9fb21c651e98df25ull, h ^= h >> 32;
	return (uint32_t)h;
}

static struct entry **bucket_of(struct table *table, uint32_t hash)
{
	return &table->bucket[hash & (table->bucket_count - 1)];
}

static struct entry *find(struct table *table, const char *name, size_t size)
{
	if (!table)
		return NULL;
	uint32_t hash = name_hash(name, size);
	struct entry *entry = *bucket_of(table, hash);
	while (entry && (entry->hash != hash || entry->name_size != size ||
			 memcmp(entry->name, name, size) != 0))
		entry = entry->next;
	return entry;
}

static struct table *table_make(struct account *account)
{
	struct table *table = kzalloc(account, sizeof(*table));
	if (!table)
		return NULL;
	table->bucket = kzalloc(account, BUCKETS_FIRST * sizeof(struct entry *));
	if (!table->bucket) {
		kfree(table);
		return NULL;
	}
	table->bucket_count = BUCKETS_FIRST;
	list_init(&table->order);
	return table;
}

/* More buckets, if there is memory; without, chains grow. */
static void table_grow(struct table *table, struct account *account)
{
	uint32_t count = table->bucket_count * 4;
	if (table->used < table->bucket_count || count > BUCKETS_MAX)
		return;
	struct entry **bucket = kzalloc(account, count * sizeof(struct entry *));
	if (!bucket)
		return;
	kfree(table->bucket);
	table->bucket = bucket;
	table->bucket_count = count;
	list_for_each(entry, &table->order, struct entry, link) {
		struct entry **at = bucket_of(table, entry->hash);
		entry->next = *at;
		*at = entry;
	}
}

/* The directory goes, and with it the whole tree or nothing but whiteouts. */
void table_free(struct node *directory)
{
	struct table *table = directory->table;
	if (!table)
		return;
	list_for_each_safe(entry, &table->order, struct entry, link)
		kfree(entry);
	kfree(table->bucket);
	kfree(table);
	directory->table = NULL;
}

static int lower_find(const struct node *directory, const char *name, size_t size,
		      struct erofs_entry *out)
{
	const struct erofs *fs = &directory->vnode.root->fs;
	struct erofs_inode inode;
	if (directory->nid == NO_NID)
		return 0;
	if (erofs_inode(fs, directory->nid, &inode) < 0)
		return 0;
	return erofs_lookup(fs, &inode, name, size, out) == 1;
}

int directory_populate(struct node *directory)
{
	if (!directory->populate)
		return 0;
	directory->populate = false;
	return devfs_populate(&directory->vnode);
}

/* Makes vnode known by this name. */
static void set_name(struct vnode *vnode, struct node *directory, const char *name,
		     size_t size)
{
	struct vnode *old = vnode->parent;
	vnode_get(&directory->vnode);
	vnode->parent = &directory->vnode;
	vnode->name = name;
	vnode->name_size = (uint16_t)size;
	vnode->unlinked = false;
	if (vnode->ops == &jobfs_ops) {
		kfree(node_of(vnode)->kept);
		node_of(vnode)->kept = NULL;
	}
	if (old)
		vnode_put(old);
}

static struct entry *entry_make(struct node *directory, const char *name, size_t size)
{
	struct account *account = directory->vnode.root->account;
	if (!directory->table)
		directory->table = table_make(account);
	struct table *table = directory->table;
	struct entry *entry = table ? kzalloc(account, sizeof(*entry) + size) : NULL;
	if (!entry)
		return NULL;
	memcpy(entry->name, name, size);
	entry->name_size = (uint8_t)size;
	entry->hash = name_hash(name, size);
	table_grow(table, account);
	struct entry **at = bucket_of(table, entry->hash);
	entry->next = *at;
	*at = entry;
	list_append(&table->order, &entry->link);
	entry->cookie = table->next_cookie++;
	table->used++;
	return entry;
}

static void entry_free(struct table *table, struct entry *entry)
{
	struct entry **at = bucket_of(table, entry->hash);
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	list_remove(&entry->link);
	table->used--;
	kfree(entry);
}

int entry_reserve(struct node *directory, const char *name, size_t size,
		  struct entry **out)
{
	struct erofs_entry lower;
	struct node *node = NULL;
	*out = find(directory->table, name, size);
	if (*out)
		return 0;
	bool over = lower_find(directory, name, size, &lower);
	if (over) {
		int rc = node_for_nid(directory->vnode.root, directory, &lower, &node);
		if (rc < 0)
			return rc;
	}
	struct entry *entry = entry_make(directory, name, size);
	if (!entry) {
		if (node)
			vnode_put(&node->vnode);
		return -ENOMEM;
	}
	entry->over_lower = over;
	if (node) {
		entry->node = &node->vnode; /* takes over the reference */
		directory->table->names++;
	}
	node_changed(directory);
	*out = entry;
	return 0;
}

void entry_set(struct node *directory, struct entry *entry, struct vnode *vnode)
{
	struct table *table = directory->table;
	vnode_get(vnode);
	if (!entry->node) {
		list_remove(&entry->link);
		list_append(&table->order, &entry->link);
		entry->cookie = table->next_cookie++;
		table->names++;
	}
	entry->node = vnode;
	set_name(vnode, directory, entry->name, entry->name_size);
}

void entry_clear(struct node *directory, struct entry *entry)
{
	struct table *table = directory->table;
	struct vnode *vnode = entry->node;
	entry->node = NULL;
	table->names -= vnode != NULL;
	bool named_by_it = vnode && vnode->parent == &directory->vnode &&
			   vnode->name_size == entry->name_size &&
			   memcmp(vnode->name, entry->name, entry->name_size) == 0;
	if (named_by_it)
		vnode->unlinked = true;
	if (entry->over_lower)
		return;
	if (named_by_it && vnode->name == entry->name && vnode->ops == &jobfs_ops) {
		/* Its name is still shown as "... (deleted)": the node keeps the text. */
		struct entry *kept =
			kzalloc(vnode->root->account, sizeof(*kept) + entry->name_size);
		if (kept)
			memcpy(kept->name, entry->name, entry->name_size);
		vnode->name = kept ? kept->name : "";
		vnode->name_size = kept ? entry->name_size : 0;
		kfree(node_of(vnode)->kept);
		node_of(vnode)->kept = kept;
	}
	entry_free(table, entry);
}

int directory_add(struct node *directory, const char *name, size_t size,
		  struct vnode *vnode)
{
	struct entry *entry;
	int rc = entry_reserve(directory, name, size, &entry);
	if (rc < 0)
		return rc;
	struct vnode *old = entry->node;
	entry_set(directory, entry, vnode);
	if (old)
		vnode_put(old);
	return 0;
}

int jobfs_lookup(struct vnode *vnode, const char *name, size_t size, struct vnode **out)
{
	struct node *directory = node_of(vnode), *node;
	struct erofs_entry lower;
	if (directory->dead_directory)
		return -ENOENT;
	if (size > NAME_MAX)
		return -ENAMETOOLONG;
	int rc = directory_populate(directory);
	if (rc < 0)
		return rc;
	struct entry *entry = find(directory->table, name, size);
	if (entry) {
		if (!entry->node)
			return -ENOENT;
		*out = entry->node;
		vnode_get(*out);
		if ((*out)->unlinked)
			set_name(*out, directory, entry->name, entry->name_size);
		return 0;
	}
	if (!lower_find(directory, name, size, &lower))
		return -ENOENT;
	rc = node_for_nid(vnode->root, directory, &lower, &node);
	if (rc == 0)
		*out = &node->vnode;
	return rc;
}

/* Listing. */

static uint64_t inode_of(struct vnode *vnode)
{
	struct stat_values values;
	if (vnode->ops == &jobfs_ops)
		return node_of(vnode)->inode;
	return vnode_stat(vnode, &values) == 0 ? values.inode : 1;
}

static bool put_dots(struct vnode *vnode, uint64_t *position, struct entry_sink *sink)
{
	if (*position == 0) {
		if (!sink->put(sink, ".", 1, inode_of(vnode), 4, 1))
			return false;
		*position = 1;
	}
	if (*position == 1) {
		struct vnode *parent = vnode->parent ? vnode->parent : vnode;
		if (!sink->put(sink, "..", 2, inode_of(parent), 4, LOWER_AT))
			return false;
		*position = LOWER_AT;
	}
	return true;
}

static int put_lower(struct node *directory, uint64_t *position, struct entry_sink *sink)
{
	const struct erofs *fs = &directory->vnode.root->fs;
	struct erofs_inode inode, child;
	struct erofs_entry entry;
	if (directory->nid == NO_NID || erofs_inode(fs, directory->nid, &inode) < 0)
		return 1;
	uint64_t at = *position - LOWER_AT;
	int rc;
	while ((rc = erofs_entry(fs, &inode, &at, &entry)) == 1) {
		bool dots = entry.name[0] == '.' &&
			    (entry.name_size == 1 ||
			     (entry.name_size == 2 && entry.name[1] == '.'));
		if (!dots && !find(directory->table, entry.name, entry.name_size) &&
		    erofs_inode(fs, entry.nid, &child) == 0 &&
		    !sink->put(sink, entry.name, entry.name_size, child.number,
			       mode_entry_type(child.mode), at + LOWER_AT))
			return 0;
		*position = at + LOWER_AT;
	}
	return rc < 0 ? -EIO : 1;
}

int jobfs_entries(struct vnode *vnode, uint64_t *position, struct entry_sink *sink)
{
	struct node *directory = node_of(vnode);
	int rc = directory_populate(directory);
	if (rc < 0 || directory->dead_directory)
		return rc < 0 ? rc : -ENOENT;
	if (!put_dots(vnode, position, sink))
		return 0;
	if (*position < UPPER_AT) {
		rc = put_lower(directory, position, sink);
		if (rc <= 0)
			return rc;
		*position = UPPER_AT;
	}
	if (!directory->table)
		return 0;
	list_for_each(entry, &directory->table->order, struct entry, link) {
		uint64_t after = UPPER_AT + entry->cookie + 1;
		if (after <= *position || !entry->node)
			continue;
		if (!sink->put(sink, entry->name, entry->name_size, inode_of(entry->node),
			       mode_entry_type(entry->node->mode), after))
			return 0;
		*position = after;
	}
	return 0;
}

bool directory_is_empty(struct node *directory)
{
	const struct erofs *fs = &directory->vnode.root->fs;
	struct erofs_inode inode;
	struct erofs_entry entry;
	uint64_t at = 0;
	if (directory->table && directory->table->names)
		return false;
	if (directory->nid == NO_NID || erofs_inode(fs, directory->nid, &inode) < 0)
		return true;
	while (erofs_entry(fs, &inode, &at, &entry) == 1) {
		bool dots = entry.name[0] == '.' &&
			    (entry.name_size == 1 ||
			     (entry.name_size == 2 && entry.name[1] == '.'));
		if (!dots && !find(directory->table, entry.name, entry.name_size))
			return false;
	}
	return true;
}

uint32_t directory_links(struct node *directory)
{
	return directory->links ? 2 + directory->subdirectories : 0;
}

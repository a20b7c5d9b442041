/* jobfs_change.c: what changes the directories of a job's tree: making, linking, renaming
 * and removing names.
 *
 * A change first reserves an entry for each name it is about, which is all that can fail
 * for want of memory; setting and clearing entries cannot fail. */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/vfs/inotify.h"
#include "shim/vfs/jobfs.h"

static struct node *new_node(struct rootfs *root, const struct vnode_new *what)
{
	struct node *node = node_make(root, what->mode);
	if (!node)
		return NULL;
	node->device = what->device;
	if (!what->target)
		return node;
	node->target = kmalloc(root->account, what->target_size + 1);
	if (!node->target) {
		node->links = 0;
		vnode_put(&node->vnode);
		return NULL;
	}
	memcpy(node->target, what->target, what->target_size);
	node->target[what->target_size] = '\0';
	node->size = what->target_size;
	return node;
}

static uint32_t directory_bit(const struct vnode *vnode)
{
	return vnode_is_directory(vnode) ? IN_ISDIR : 0;
}

int jobfs_create(struct vnode *vnode, const char *name, size_t size,
		 const struct vnode_new *what, struct vnode **out)
{
	struct node *directory = node_of(vnode);
	struct entry *entry;
	if (directory->dead_directory)
		return -ENOENT;
	int rc = directory_populate(directory);
	if (rc == 0)
		rc = entry_reserve(directory, name, size, &entry);
	if (rc < 0)
		return rc;
	if (entry->node)
		return -EEXIST;
	struct node *node = new_node(vnode->root, what);
	if (!node) {
		entry_clear(directory, entry);
		return -ENOMEM;
	}
	if (vnode->mode & S_ISGID) {
		node->gid = directory->gid;
		node->vnode.mode |= mode_is(what->mode, S_IFDIR) ? S_ISGID : 0;
	}
	entry_set(directory, entry, &node->vnode);
	directory->subdirectories += mode_is(what->mode, S_IFDIR);
	node_touch(directory);
	inotify_name(vnode, name, size, IN_CREATE | directory_bit(&node->vnode), 0);
	*out = &node->vnode;
	return 0;
}

/* The name's node lost that name; its entry's reference goes too. */
static void lost(struct node *directory, struct vnode *vnode)
{
	struct node *node = node_of(vnode);
	if (vnode_is_directory(vnode)) {
		directory->subdirectories -= directory->subdirectories > 0;
		node->dead_directory = true;
	}
	inotify_event(vnode, IN_ATTRIB);
	if (node->links <= 1)
		inotify_event(vnode, IN_DELETE_SELF);
	node_lost_name(node);
	vnode_put(vnode);
}

static int may_remove(struct vnode *vnode, bool is_directory)
{
	if (is_directory && !vnode_is_directory(vnode))
		return -ENOTDIR;
	if (!is_directory && vnode_is_directory(vnode))
		return -EISDIR;
	if (vnode->mount)
		return -EBUSY;
	return is_directory && !directory_is_empty(node_of(vnode)) ? -ENOTEMPTY : 0;
}

int jobfs_remove(struct vnode *vnode, const char *name, size_t size, bool is_directory)
{
	struct node *directory = node_of(vnode);
	struct vnode *child;
	struct entry *entry;
	int rc = jobfs_lookup(vnode, name, size, &child);
	if (rc < 0)
		return rc;
	rc = may_remove(child, is_directory);
	if (rc == 0)
		rc = entry_reserve(directory, name, size, &entry);
	if (rc == 0) {
		uint32_t bit = directory_bit(child);
		entry_clear(directory, entry);
		node_touch(directory);
		lost(directory, child); /* the entry's reference */
		inotify_name(vnode, name, size, IN_DELETE | bit, 0);
	}
	vnode_put(child);
	return rc;
}

int jobfs_link(struct vnode *vnode, const char *name, size_t size, struct vnode *target)
{
	struct node *directory = node_of(vnode), *node;
	struct entry *entry;
	if (target->ops != &jobfs_ops || target->root != vnode->root)
		return -EXDEV;
	if (directory->dead_directory)
		return -ENOENT;
	if (vnode_is_directory(target))
		return -EPERM;
	node = node_of(target);
	if (node->links == 0 && !node->linkable)
		return -ENOENT;
	int rc = directory_populate(directory);
	if (rc == 0)
		rc = entry_reserve(directory, name, size, &entry);
	if (rc < 0)
		return rc;
	if (entry->node)
		return -EEXIST;
	entry_set(directory, entry, target);
	node->links++;
	node->linkable = false;
	node->ctime_ns = time_now_ns();
	node_changed(node);
	node_touch(directory);
	inotify_name(vnode, name, size, IN_CREATE, 0);
	return 0;
}

/* Is the directory above (or the same as) below? */
static bool is_above(const struct vnode *above, const struct vnode *below)
{
	while (below && below != above)
		below = below->parent;
	return below != NULL;
}

static int may_rename(const struct vnode *from, struct vnode *moved,
		      const struct vnode *to, struct vnode *replaced, unsigned flags)
{
	bool directory = vnode_is_directory(moved);
	if (replaced && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!replaced && (flags & RENAME_EXCHANGE))
		return -ENOENT;
	if (directory && is_above(moved, to))
		return -EINVAL;
	if (replaced && vnode_is_directory(replaced) && is_above(replaced, from))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (moved->mount || (replaced && replaced->mount))
		return -EBUSY;
	if (!replaced || moved == replaced || (flags & RENAME_EXCHANGE))
		return 0;
	if (directory != vnode_is_directory(replaced))
		return directory ? -ENOTDIR : -EISDIR;
	return directory && !directory_is_empty(node_of(replaced)) ? -ENOTEMPTY : 0;
}

static void count_directory(struct node *from, struct node *to, const struct vnode *moved)
{
	if (vnode_is_directory(moved)) {
		from->subdirectories -= from->subdirectories > 0;
		to->subdirectories++;
	}
}

static void exchange(struct node *from, struct entry *source, struct node *to,
		     struct entry *target)
{
	struct vnode *a = source->node, *b = target->node;
	count_directory(from, to, a);
	count_directory(to, from, b);
	entry_set(to, target, a); /* a reference more each; the old ones go below */
	entry_set(from, source, b);
	node_of(a)->ctime_ns = node_of(b)->ctime_ns = time_now_ns();
	node_changed(node_of(a));
	node_changed(node_of(b));
	vnode_put(a);
	vnode_put(b);
}

static void move(struct node *from, struct entry *source, struct node *to,
		 struct entry *target)
{
	struct vnode *moved = source->node, *replaced = target->node;
	if (replaced && replaced->parent == &to->vnode &&
	    replaced->name == target->name) {
		replaced->name = ""; /* the text is the other's now */
		replaced->name_size = 0;
	}
	if (replaced)
		replaced->unlinked = true;
	count_directory(from, to, moved);
	vnode_get(moved);
	entry_set(to, target, moved);
	entry_clear(from, source);
	moved->unlinked = false;
	vnode_put(moved);
	vnode_put(moved); /* the source entry's */
	node_of(moved)->ctime_ns = time_now_ns();
	node_changed(node_of(moved));
	if (replaced)
		lost(to, replaced);
}

static int rename_nodes(struct node *from, const char *name, size_t size, struct node *to,
			const char *new_name, size_t new_size, unsigned flags)
{
	struct entry *source, *target;
	int rc = entry_reserve(from, name, size, &source);
	if (rc == 0)
		rc = entry_reserve(to, new_name, new_size, &target);
	if (rc < 0)
		return rc;
	static uint32_t cookie;
	struct vnode *moved = source->node;
	uint32_t bit = directory_bit(moved);
	vnode_get(moved);
	if (flags & RENAME_EXCHANGE)
		exchange(from, source, to, target);
	else
		move(from, source, to, target);
	node_touch(from);
	node_touch(to);
	cookie++;
	inotify_name(&from->vnode, name, size, IN_MOVED_FROM | bit, cookie);
	inotify_name(&to->vnode, new_name, new_size, IN_MOVED_TO | bit, cookie);
	inotify_event(moved, IN_MOVE_SELF);
	vnode_put(moved);
	return 0;
}

int jobfs_rename(struct vnode *from, const char *name, size_t size, struct vnode *to,
		 const char *new_name, size_t new_size, unsigned flags)
{
	struct vnode *moved, *replaced = NULL;
	int rc = jobfs_lookup(from, name, size, &moved);
	if (rc < 0)
		return rc;
	rc = jobfs_lookup(to, new_name, new_size, &replaced);
	if (rc == -ENOENT) {
		replaced = NULL;
		rc = node_of(to)->dead_directory ? -ENOENT : 0;
	}
	if (rc == 0)
		rc = may_rename(from, moved, to, replaced, flags);
	if (rc == 0 && moved != replaced)
		rc = rename_nodes(node_of(from), name, size, node_of(to), new_name,
				  new_size, flags);
	if (replaced)
		vnode_put(replaced);
	vnode_put(moved);
	return rc;
}

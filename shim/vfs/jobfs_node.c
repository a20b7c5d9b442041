/* jobfs_node.c: the lives of a job's nodes: made or found again, pinned by a change, kept
 * a while though unused, and forgotten. */
#include "shim/lib/errno.h"
#include "shim/mm/kmem.h"
#include "shim/vfs/inotify.h"
#include "shim/vfs/jobfs.h"
#include "shim/vfs/locks.h"
#include "shim/vfs/xattr.h"

/* Nodes of unchanged packed files that are kept though nobody uses them: the folders of a
 * search path, headers that are tested for before they are read. */
#define UNUSED_MAX 128u

static uint32_t nid_bucket(uint64_t nid)
{
	return (uint32_t)(nid * 0x9e3779b97f4a7c15ull >> 56) % NID_BUCKETS;
}

struct node *node_make(struct rootfs *root, uint32_t mode)
{
	struct node *node = kzalloc(root->account, sizeof(*node));
	if (!node)
		return NULL;
	node->vnode.ops = &jobfs_ops;
	node->vnode.root = root;
	node->vnode.refs = 1;
	node->vnode.mode = mode;
	list_init(&node->vnode.watches);
	list_init(&node->unused);
	node->nid = NO_NID;
	node->inode = root->next_inode++;
	node->links = 1;
	node->atime_ns = node->mtime_ns = node->ctime_ns = time_now_ns();
	list_append(&root->nodes, &node->all);
	return node;
}

static void fill_from_packed(struct node *node, const struct erofs *fs,
			     const struct erofs_inode *inode)
{
	node->nid = inode->nid;
	node->inode = inode->number;
	bool directory = mode_is(inode->mode, S_IFDIR);
	node->links = directory ? 1 : inode->links;
	node->subdirectories = directory && inode->links > 2 ? inode->links - 2 : 0;
	node->uid = inode->uid;
	node->gid = inode->gid;
	node->device = inode->device;
	node->size = inode->size;
	node->atime_ns = node->mtime_ns = node->ctime_ns = inode->mtime_ns;
	if (mode_is(inode->mode, S_IFREG) && inode->size) {
		size_t run;
		node->lower = erofs_data(fs, inode, 0, &run);
		node->lower_size = node->lower ? run : 0;
	}
}

static struct node *find_nid(struct rootfs *root, uint64_t nid)
{
	struct node *node = root->by_nid[nid_bucket(nid)];
	while (node && node->nid != nid)
		node = node->nid_next;
	return node;
}

static void forget_nid(struct node *node)
{
	struct node **at = &node->vnode.root->by_nid[nid_bucket(node->nid)];
	while (*at != node)
		at = &(*at)->nid_next;
	*at = node->nid_next;
}

struct node *node_make_for_nid(struct rootfs *root, uint64_t nid)
{
	struct erofs_inode inode;
	if (erofs_inode(&root->fs, nid, &inode) < 0)
		return NULL;
	struct node *node = node_make(root, inode.mode);
	if (!node)
		return NULL;
	fill_from_packed(node, &root->fs, &inode);
	struct node **bucket = &root->by_nid[nid_bucket(nid)];
	node->nid_next = *bucket;
	*bucket = node;
	return node;
}

int node_for_nid(struct rootfs *root, struct node *parent,
		 const struct erofs_entry *entry, struct node **out)
{
	struct node *node = find_nid(root, entry->nid);
	if (node) {
		vnode_get(&node->vnode);
	} else {
		node = node_make_for_nid(root, entry->nid);
		if (!node)
			return root->account->refused ? -ENOMEM : -EIO;
	}
	struct vnode *vnode = &node->vnode;
	if (!vnode->parent || vnode->unlinked) {
		if (vnode->parent)
			vnode_put(vnode->parent);
		vnode->unlinked = false;
		vnode->parent = &parent->vnode;
		vnode_get(vnode->parent);
		vnode->name = entry->name;
		vnode->name_size = (uint16_t)entry->name_size;
	}
	*out = node;
	return 0;
}

void node_changed(struct node *node)
{
	if (node->pinned || node->links == 0)
		return;
	node->pinned = true;
	vnode_get(&node->vnode);
}

void node_lost_name(struct node *node)
{
	node->links -= node->links > 0;
	node->ctime_ns = time_now_ns();
	if (node->links > 0) {
		node_changed(node);
	} else if (node->pinned) {
		node->pinned = false;
		vnode_put(&node->vnode);
	}
}

void node_touch(struct node *node)
{
	node->mtime_ns = node->ctime_ns = time_now_ns();
	node_changed(node);
}

void node_drop_set_ids(struct vnode *vnode)
{
	vnode->mode &= ~S_ISUID;
	if (vnode->mode & 010)
		vnode->mode &= ~S_ISGID;
}

void node_modified(struct node *node)
{
	node_drop_set_ids(&node->vnode);
	node_touch(node);
}

void node_destroy(struct node *node)
{
	data_free(node);
	table_free(node);
	locks_free(&node->vnode);
	inotify_free(&node->vnode);
	xattr_free(node->xattrs);
	kfree(node->target);
	kfree(node->kept);
	list_remove(&node->all);
	kfree(node);
}

/* The node's parent, if that has lost its last reference too. */
static struct vnode *node_forget(struct node *node)
{
	struct vnode *parent = node->vnode.parent;
	if (!list_empty(&node->unused)) {
		list_remove(&node->unused);
		node->vnode.root->unused_count--;
	}
	if (node->nid != NO_NID)
		forget_nid(node);
	node_destroy(node);
	return parent && --parent->refs == 0 ? parent : NULL;
}

/* A loop, up from parent to parent, as removed directories make a chain as long as a
 * program likes. */
void jobfs_free(struct vnode *vnode)
{
	while (vnode) {
		struct node *node = node_of(vnode);
		struct rootfs *root = vnode->root;
		if (node->nid != NO_NID && node->links && !vnode->unlinked &&
		    !vnode->locks) {
			list_append(&root->unused, &node->unused);
			if (++root->unused_count <= UNUSED_MAX)
				return;
			node = list_entry(root->unused.next, struct node, unused);
		}
		vnode = node_forget(node);
	}
}

void vnode_get(struct vnode *vnode)
{
	if (vnode->refs++ == 0 && vnode->ops == &jobfs_ops) {
		list_remove(&node_of(vnode)->unused);
		vnode->root->unused_count--;
	}
}

void vnode_put(struct vnode *vnode)
{
	if (--vnode->refs == 0)
		vnode->ops->free(vnode);
}

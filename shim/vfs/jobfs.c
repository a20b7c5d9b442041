/* jobfs.c: the tree of a job, from making to taking apart, its metadata, and what others
 * ask of a vnode. Its nodes' lives are jobfs_node.c's, names jobfs_dir.c's, bytes
 * jobfs_data.c's, open files jobfs_file.c's. */
#include "shim/vfs/jobfs.h"

#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/vfs/inotify.h"
#include "shim/vfs/locks.h"

#define TMPFS_MAGIC  0x01021994u
#define JOBFS_DEVICE 20u
#define INODE_FIRST  (1ull << 32) /* above every packed inode number */

/* A directory of the kernel's own making over whatever is packed there. */
static int add_mount(struct rootfs *root, const char *name, struct vnode *vnode)
{
	if (!vnode)
		return -ENOMEM;
	vnode->mount = true;
	return directory_add(root->top, name, strlen(name), vnode);
}

static int add_directories(struct rootfs *root)
{
	struct node *dev = node_make(root, S_IFDIR | 0755);
	int rc = add_mount(root, "dev", dev ? &dev->vnode : NULL);
	if (dev) {
		dev->populate = true;
		vnode_put(&dev->vnode);
	}
	root->proc = procfs_make(root);
	root->sys = sysfs_make(root);
	if (rc == 0)
		rc = add_mount(root, "proc", root->proc);
	if (rc == 0)
		rc = add_mount(root, "sys", root->sys);
	struct vnode *tmp;
	if (rc == 0 && jobfs_lookup(&root->top->vnode, "tmp", 3, &tmp) == -ENOENT) {
		struct vnode_new what = {.mode = S_IFDIR | S_ISVTX | 0777};
		rc = jobfs_create(&root->top->vnode, "tmp", 3, &what, &tmp);
		if (rc < 0)
			return rc;
	} else if (rc < 0) {
		return rc;
	}
	vnode_put(tmp);
	return 0;
}

struct rootfs *rootfs_make(struct account *account, const void *erofs, size_t erofs_size,
			   uint64_t file_limit_bytes)
{
	struct rootfs *root = kzalloc(account, sizeof(*root));
	if (!root)
		return NULL;
	root->account = account;
	root->pages_limit = file_limit_bytes / PAGE_SIZE;
	root->next_inode = INODE_FIRST;
	list_init(&root->nodes);
	list_init(&root->unused);
	list_init(&root->files);
	root->has_lower = erofs && erofs_open(&root->fs, erofs, erofs_size) == 0;
	if (erofs && !root->has_lower)
		kprint("rootfs: the packed file system cannot be read\n");
	root->top = root->has_lower ? node_make_for_nid(root, root->fs.root)
				    : node_make(root, S_IFDIR | 0755);
	if (!root->top || add_directories(root) < 0) {
		rootfs_destroy(root);
		return NULL;
	}
	return root;
}

static const struct file_ops gone_file_ops = {.name = "gone"};

static void detach_file(struct file *file)
{
	const struct file_ops *ops = file->ops;
	locks_file_closed(file);
	if (ops->release)
		ops->release(file);
	file->ops = &gone_file_ops;
	file->data = NULL;
	struct vnode *vnode = file->vnode;
	file->vnode = NULL;
	vnode_put(vnode);
}

void rootfs_destroy(struct rootfs *root)
{
	list_for_each_safe(file, &root->files, struct file, tree_link) {
		list_remove(&file->tree_link);
		detach_file(file);
	}
	/* Everything goes at once: references between nodes need no counting any more. */
	list_for_each_safe(node, &root->nodes, struct node, all)
		node_destroy(node);
	kfree(root->proc);
	kfree(root->sys);
	kfree(root);
}

int rootfs_add_image_file(struct rootfs *root, const char *path, const void *bytes,
			  size_t size, uint32_t mode)
{
	struct node *node = node_make(root, S_IFREG | (mode & MODE_BITS));
	if (!node)
		return -ENOMEM;
	node->lower = size ? bytes : NULL;
	node->lower_size = node->size = size;
	int rc = directory_add(root->top, path + 1, strlen(path + 1), &node->vnode);
	if (rc == 0)
		node_changed(node);
	vnode_put(&node->vnode);
	return rc;
}

struct vnode *rootfs_vnode(struct rootfs *root)
{
	return &root->top->vnode;
}

struct vnode *rootfs_make_unnamed(struct rootfs *root, uint32_t mode, bool linkable)
{
	struct node *node = node_make(root, mode);
	if (!node)
		return NULL;
	node->links = 0;
	node->linkable = linkable;
	node->vnode.unlinked = true;
	return &node->vnode;
}

struct account *rootfs_account(struct rootfs *root)
{
	return root->account;
}

struct rootfs_space rootfs_space(const struct rootfs *root)
{
	return (struct rootfs_space){root->pages_used, root->pages_limit};
}

void rootfs_track_file(struct rootfs *root, struct file *file)
{
	list_append(&root->files, &file->tree_link);
}

/* Metadata. */

static int jobfs_stat(struct vnode *vnode, struct stat_values *out)
{
	struct node *node = node_of(vnode);
	bool directory = vnode_is_directory(vnode);
	*out = (struct stat_values){
		.device = JOBFS_DEVICE,
		.inode = node->inode,
		.mode = vnode->mode,
		.links = directory ? directory_links(node) : node->links,
		.uid = node->uid,
		.gid = node->gid,
		.size = directory ? PAGE_SIZE : node->size,
		.blocks = directory ? 8 : data_pages(node) * (PAGE_SIZE / 512),
		.block_size = PAGE_SIZE,
		.device_number = node->device,
		.atime_ns = node->atime_ns,
		.mtime_ns = node->mtime_ns,
		.ctime_ns = node->ctime_ns,
	};
	return 0;
}

static int jobfs_change(struct vnode *vnode, const struct vnode_change *change)
{
	struct node *node = node_of(vnode);
	if (change->fields & CHANGE_MODE)
		vnode->mode = (vnode->mode & S_IFMT) | (change->mode & MODE_BITS);
	if (change->fields & CHANGE_UID)
		node->uid = change->uid;
	if (change->fields & CHANGE_GID)
		node->gid = change->gid;
	if (change->fields & CHANGE_ATIME)
		node->atime_ns = change->atime_ns;
	if (change->fields & CHANGE_MTIME)
		node->mtime_ns = change->mtime_ns;
	node->ctime_ns = time_now_ns();
	node_changed(node);
	inotify_event(vnode, IN_ATTRIB);
	return 0;
}

static const char *jobfs_link_text(struct vnode *vnode, size_t *size)
{
	struct node *node = node_of(vnode);
	*size = node->size;
	if (node->target)
		return node->target;
	struct erofs_inode inode;
	size_t run;
	if (erofs_inode(&vnode->root->fs, node->nid, &inode) < 0)
		return NULL;
	const uint8_t *text = erofs_data(&vnode->root->fs, &inode, 0, &run);
	if (text && run < *size)
		*size = run;
	return (const char *)text;
}

static int jobfs_truncate(struct vnode *vnode, uint64_t size, bool timed)
{
	struct node *node = node_of(vnode);
	timed = timed || size != node->size || data_pages(node);
	int rc = data_truncate(node, size);
	if (rc < 0)
		return rc;
	if (timed)
		node_modified(node);
	else
		node_drop_set_ids(vnode);
	inotify_event(vnode, IN_MODIFY);
	return 0;
}

const struct vnode_ops jobfs_ops = {
	.type = "tmpfs",
	.magic = TMPFS_MAGIC,
	.stat = jobfs_stat,
	.open = jobfs_open,
	.free = jobfs_free,
	.link_text = jobfs_link_text,
	.lookup = jobfs_lookup,
	.entries = jobfs_entries,
	.create = jobfs_create,
	.remove = jobfs_remove,
	.link = jobfs_link,
	.rename = jobfs_rename,
	.change = jobfs_change,
	.truncate = jobfs_truncate,
};

int vnode_stat(struct vnode *vnode, struct stat_values *out)
{
	return vnode->ops->stat(vnode, out);
}

struct rootfs *vnode_root(const struct vnode *vnode)
{
	return vnode->root;
}

uint32_t vnode_mode(const struct vnode *vnode)
{
	return vnode->mode;
}

static bool is_regular_node(const struct vnode *vnode)
{
	return vnode->ops == &jobfs_ops && mode_is(vnode->mode, S_IFREG);
}

uint64_t vnode_size(const struct vnode *vnode)
{
	return vnode->ops == &jobfs_ops ? node_of_const(vnode)->size : 0;
}

int vnode_page(struct vnode *vnode, uint64_t index, bool write, struct page **out)
{
	if (!is_regular_node(vnode))
		return -EINVAL;
	struct node *node = node_of(vnode);
	if (index >= (node->size + PAGE_MASK) / PAGE_SIZE)
		return -ENXIO;
	int rc = data_page(node, index, write, out);
	if (rc == 0) {
		vnode->mapped = true;
		page_get(*out);
	}
	return rc;
}

void vnode_written(struct vnode *vnode)
{
	if (vnode->ops == &jobfs_ops)
		node_touch(node_of(vnode));
}

bool vnode_has_page(const struct vnode *vnode, uint64_t index, const struct page *page)
{
	return is_regular_node(vnode) && data_has_page(node_of_const(vnode), index, page);
}

const void *vnode_image_bytes(struct vnode *vnode, size_t *size)
{
	if (!is_regular_node(vnode))
		return NULL;
	struct node *node = node_of(vnode);
	if (!node->lower || node->data_changed)
		return NULL;
	*size = node->size;
	return node->lower;
}

uint64_t vnode_packed_id(const struct vnode *vnode)
{
	if (!is_regular_node(vnode))
		return 0;
	const struct node *node = node_of_const(vnode);
	return node->nid == NO_NID || node->data_changed ? 0 : node->nid;
}

long vnode_read_kernel(struct vnode *vnode, uint64_t offset, void *to, size_t size)
{
	if (!is_regular_node(vnode))
		return vnode_is_directory(vnode) ? -EISDIR : -EINVAL;
	struct node *node = node_of(vnode);
	size_t done = 0;
	if (offset >= node->size)
		return 0;
	if (size > node->size - offset)
		size = node->size - offset;
	while (done < size) {
		struct page *page;
		int rc = data_page(node, (offset + done) >> PAGE_SHIFT, false, &page);
		if (rc < 0)
			return rc;
		size_t in_page = (offset + done) & PAGE_MASK, n = PAGE_SIZE - in_page;
		if (n > size - done)
			n = size - done;
		memcpy((char *)to + done, (const char *)page_va(page) + in_page, n);
		done += n;
	}
	return (long)done;
}

/* memfd.c: memfd_create(2): a file of the job's tree that has no name, and its seals. */
#include "shim/vfs/memfd.h"

#include "shim/lib/errno.h"
#include "shim/proc/process.h"
#include "shim/vfs/jobfs.h"

int memfd_make(bool may_seal, uint32_t flags, struct file **out)
{
	struct vnode *vnode =
		rootfs_make_unnamed(job_current()->rootfs, S_IFREG | 0777, false);
	if (!vnode)
		return -ENOMEM;
	node_of(vnode)->seals = may_seal ? 0 : F_SEAL_SEAL;
	node_of(vnode)->memfd = true;
	int rc = vnode_open(vnode, flags, out);
	vnode_put(vnode);
	return rc;
}

int memfd_may_write(uint32_t seals, bool grows)
{
	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return grows && (seals & F_SEAL_GROW) ? -EPERM : 0;
}

static struct node *sealed_node(struct file *file)
{
	struct vnode *vnode = file->vnode;
	if (!vnode || vnode->ops != &jobfs_ops || !mode_is(vnode->mode, S_IFREG))
		return NULL;
	return node_of(vnode);
}

int memfd_may_resize(struct file *file, uint64_t size)
{
	const struct node *node = sealed_node(file);
	if (!node)
		return 0;
	if (size < node->size && (node->seals & F_SEAL_SHRINK))
		return -EPERM;
	return size > node->size && (node->seals & F_SEAL_GROW) ? -EPERM : 0;
}

long memfd_seals_get(struct file *file)
{
	const struct node *node = sealed_node(file);
	return node && node->memfd ? (long)node->seals : -EINVAL;
}

int memfd_seals_add(struct file *file, uint32_t seals)
{
	struct node *node = sealed_node(file);
	if (!(file->flags & O_ACCMODE))
		return -EPERM;
	if (!node || !node->memfd || (seals & ~0x1fu))
		return -EINVAL;
	if (node->seals & F_SEAL_SEAL)
		return -EPERM;
	node->seals |= seals;
	return 0;
}

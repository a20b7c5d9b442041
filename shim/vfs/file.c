/* file.c: open files: making, sharing and letting go of them. */
#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/vfs/async.h"
#include "shim/vfs/epoll.h"
#include "shim/vfs/file.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/inotify.h"
#include "shim/vfs/locks.h"

uint64_t time_now_ns(void)
{
	return clock_now_ns() + clock_realtime_offset_ns();
}

struct file *file_make(struct account *account, const struct file_ops *ops,
		       uint32_t flags, void *data)
{
	struct file *file = kzalloc(account, sizeof(*file));
	if (!file)
		return NULL;
	file->ops = ops;
	file->refs = 1;
	file->flags = flags;
	file->data = data;
	list_init(&file->epolls);
	list_init(&file->tree_link);
	return file;
}

void file_get(struct file *file)
{
	file->refs++;
}

void file_put(struct file *file)
{
	if (--file->refs)
		return;
	epoll_forget_file(file);
	async_forget_file(file);
	if (file->vnode) {
		locks_file_closed(file);
		inotify_closed(file);
	}
	if (file->ops->release)
		file->ops->release(file);
	list_remove(&file->tree_link);
	if (file->vnode)
		vnode_put(file->vnode);
	kfree(file);
}

const struct file_ops path_file_ops = {.name = "path"};

int vnode_open(struct vnode *vnode, uint32_t flags, struct file **out)
{
	if (!vnode->ops->open && !(flags & O_PATH))
		return -ENXIO;
	struct file *file =
		file_make(&job_current()->account, &path_file_ops, flags, NULL);
	if (!file)
		return -ENOMEM;
	file->vnode = vnode;
	vnode_get(vnode);
	if (!(flags & O_PATH)) {
		int rc = vnode->ops->open(vnode, file);
		if (rc < 0) {
			file->ops = &path_file_ops; /* nothing to release */
			file_put(file);
			return rc;
		}
	}
	file->flags &= ~O_NOCTTY; /* the open's own, not the file's */
	if (vnode->root)
		rootfs_track_file(vnode->root, file);
	*out = file;
	return 0;
}

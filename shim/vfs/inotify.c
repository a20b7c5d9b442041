/* inotify.c: inotify(7). A watch is in the list of its vnode and in that of its inotify;
 * an event goes to the watches of the vnode and, with its name, to those of its
 * directory. */
#include "shim/vfs/inotify.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/inode.h"

#define IN_UNMOUNT     0x2000u
#define IN_Q_OVERFLOW  0x4000u
#define IN_IGNORED     0x8000u
#define IN_ALL_EVENTS  0xfffu
#define IN_MASK_CREATE (1u << 28)
#define IN_MASK_ADD    (1u << 29)
#define IN_ONESHOT     (1u << 31)
#define EVENTS_MAX     16384u
#define FIONREAD       0x541bu

struct inotify {
	struct account *account;
	struct list watches, events;
	uint32_t event_count, bytes;
	int next_watch;
	struct waitq changed;
};

struct watch {
	struct list of_vnode, of_inotify;
	struct inotify *inotify;
	struct vnode *vnode; /* counted */
	uint32_t mask;
	int number;
};

/* As struct inotify_event on the wire, with its padded name. */
struct event {
	struct list link;
	uint32_t size;
	struct {
		int32_t watch;
		uint32_t mask, cookie, name_size;
	} head;
	char name[];
};

static void queue(struct inotify *inotify, int watch, uint32_t mask, uint32_t cookie,
		  const char *name, size_t size)
{
	size_t padded = size ? (size + 16) & ~(size_t)15 : 0;
	bool overflow = inotify->event_count >= EVENTS_MAX;
	if (inotify->event_count > EVENTS_MAX)
		return;
	if (overflow)
		padded = size = 0;
	if (!list_empty(&inotify->events)) { /* the same again is told once */
		const struct event *last =
			list_entry(inotify->events.prev, struct event, link);
		if (last->head.watch == watch && last->head.mask == mask &&
		    last->head.cookie == cookie && last->head.name_size == padded &&
		    memcmp(last->name, name, size) == 0 && (!padded || !last->name[size]))
			return;
	}
	struct event *event = kzalloc(inotify->account, sizeof(*event) + padded);
	if (!event)
		return;
	event->head.watch = overflow ? -1 : watch;
	event->head.mask = overflow ? IN_Q_OVERFLOW : mask;
	event->head.cookie = overflow ? 0 : cookie;
	event->head.name_size = (uint32_t)padded;
	event->size = (uint32_t)(sizeof(event->head) + padded);
	memcpy(event->name, name, size);
	list_append(&inotify->events, &event->link);
	inotify->event_count++;
	inotify->bytes += event->size;
	waitq_wake(&inotify->changed, POLLIN | POLLRDNORM);
}

static void watch_free(struct watch *watch)
{
	queue(watch->inotify, watch->number, IN_IGNORED, 0, "", 0);
	list_remove(&watch->of_vnode);
	list_remove(&watch->of_inotify);
	vnode_put(watch->vnode);
	kfree(watch);
}

static void tell(struct vnode *vnode, uint32_t event, uint32_t cookie, const char *name,
		 size_t size)
{
	list_for_each_safe(watch, &vnode->watches, struct watch, of_vnode) {
		if (!(watch->mask & event & IN_ALL_EVENTS))
			continue;
		queue(watch->inotify, watch->number, event, cookie, name, size);
		if ((watch->mask & IN_ONESHOT) || (event & IN_DELETE_SELF))
			watch_free(watch);
	}
}

void inotify_event(struct vnode *vnode, uint32_t event)
{
	bool self_only = event & (IN_DELETE_SELF | IN_MOVE_SELF);
	struct vnode *parent = vnode->parent;
	if (list_empty(&vnode->watches) && (!parent || list_empty(&parent->watches)))
		return;
	if (vnode_is_directory(vnode) && !self_only)
		event |= IN_ISDIR;
	vnode_get(vnode);
	if (parent && !vnode->unlinked && !self_only)
		tell(parent, event, 0, vnode->name, vnode->name_size);
	tell(vnode, event, 0, "", 0);
	vnode_put(vnode);
}

void inotify_name(struct vnode *directory, const char *name, size_t size, uint32_t event,
		  uint32_t cookie)
{
	if (!list_empty(&directory->watches))
		tell(directory, event, cookie, name, size);
}

void inotify_closed(struct file *file)
{
	if (file->flags & O_PATH)
		return;
	inotify_event(file->vnode, (file->flags & O_ACCMODE) == O_RDONLY
					   ? IN_CLOSE_NOWRITE
					   : IN_CLOSE_WRITE);
}

/* Watches hold their vnode, so only the end of a whole tree comes here with some left:
 * their inotify is of the same job and gone, or must lose them without touching the tree.
 */
void inotify_free(struct vnode *vnode)
{
	list_for_each_safe(watch, &vnode->watches, struct watch, of_vnode) {
		list_remove(&watch->of_vnode);
		list_remove(&watch->of_inotify);
		kfree(watch);
	}
}

static long inotify_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct inotify *inotify = file->data;
	long done = 0;
	(void)pos;
	while (list_empty(&inotify->events)) {
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(&inotify->changed, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
	while (!list_empty(&inotify->events)) {
		struct event *event =
			list_entry(inotify->events.next, struct event, link);
		if (event->size > uio->left)
			return done ? done : -EINVAL;
		if (uio_write_out(uio, &event->head, event->size) != (long)event->size)
			return done ? done : -EFAULT;
		done += event->size;
		inotify->bytes -= event->size;
		inotify->event_count--;
		list_remove(&event->link);
		kfree(event);
	}
	return done;
}

static uint32_t inotify_poll(struct file *file, struct poll_table *table)
{
	struct inotify *inotify = file->data;
	poll_add(table, &inotify->changed);
	return list_empty(&inotify->events) ? 0 : POLLIN | POLLRDNORM;
}

static long inotify_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	int32_t bytes = (int32_t)((struct inotify *)file->data)->bytes;
	if (command != FIONREAD)
		return -ENOTTY;
	return copy_to_user((uaddr){argument}, &bytes, sizeof(bytes));
}

static void inotify_release(struct file *file)
{
	struct inotify *inotify = file->data;
	list_for_each_safe(watch, &inotify->watches, struct watch, of_inotify)
		watch_free(watch);
	list_for_each_safe(event, &inotify->events, struct event, link)
		kfree(event);
	kfree(inotify);
}

static const struct file_ops inotify_ops = {
	.name = "anon_inode:inotify",
	.read = inotify_read,
	.poll = inotify_poll,
	.async = FILE_ASYNC_EVENTS,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
};

int inotify_make(uint32_t flags, struct file **out)
{
	struct account *account = &job_current()->account;
	struct inotify *inotify = kzalloc(account, sizeof(*inotify));
	if (!inotify)
		return -ENOMEM;
	inotify->account = account;
	inotify->next_watch = 1;
	list_init(&inotify->watches);
	list_init(&inotify->events);
	waitq_init(&inotify->changed);
	*out = file_make(account, &inotify_ops, flags, inotify);
	if (*out)
		return 0;
	kfree(inotify);
	return -ENOMEM;
}

int inotify_watch(struct file *file, struct vnode *vnode, uint32_t mask)
{
	struct inotify *inotify = file->data;
	if (file->ops != &inotify_ops || !(mask & IN_ALL_EVENTS))
		return -EINVAL;
	if (vnode->root != job_current()->rootfs)
		return -EACCES; /* the watch would outlive the tree */
	list_for_each(watch, &vnode->watches, struct watch, of_vnode) {
		if (watch->inotify != inotify)
			continue;
		if (mask & IN_MASK_CREATE)
			return -EEXIST;
		watch->mask = mask & IN_MASK_ADD ? watch->mask | mask : mask;
		return watch->number;
	}
	struct watch *watch = kzalloc(inotify->account, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	watch->inotify = inotify;
	watch->vnode = vnode;
	watch->mask = mask;
	watch->number = inotify->next_watch++;
	vnode_get(vnode);
	list_append(&vnode->watches, &watch->of_vnode);
	list_append(&inotify->watches, &watch->of_inotify);
	return watch->number;
}

int inotify_unwatch(struct file *file, int number)
{
	struct inotify *inotify = file->data;
	if (file->ops != &inotify_ops)
		return -EINVAL;
	list_for_each(watch, &inotify->watches, struct watch, of_inotify)
		if (watch->number == number) {
			watch_free(watch);
			return 0;
		}
	return -EINVAL;
}

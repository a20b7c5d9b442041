/* inotify.h: telling programs what happens to files: inotify(7). */
#ifndef SHIM_VFS_INOTIFY_H
#define SHIM_VFS_INOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct vnode;

enum {
	IN_ACCESS = 1,
	IN_MODIFY = 2,
	IN_ATTRIB = 4,
	IN_CLOSE_WRITE = 8,
	IN_CLOSE_NOWRITE = 0x10,
	IN_OPEN = 0x20,
	IN_MOVED_FROM = 0x40,
	IN_MOVED_TO = 0x80,
	IN_CREATE = 0x100,
	IN_DELETE = 0x200,
	IN_DELETE_SELF = 0x400,
	IN_MOVE_SELF = 0x800,
	IN_ISDIR = 0x40000000,
};

int inotify_make(uint32_t flags, struct file **out);
int inotify_watch(struct file *inotify, struct vnode *vnode, uint32_t mask);
int inotify_unwatch(struct file *inotify, int watch);

/* Events. vnode's own watches see event, those of its parent see it with its name. */
void inotify_event(struct vnode *vnode, uint32_t event);
/* About a name in a directory; cookie joins the halves of a move. */
void inotify_name(struct vnode *directory, const char *name, size_t size, uint32_t event,
		  uint32_t cookie);
void inotify_closed(struct file *file);
void inotify_free(struct vnode *vnode); /* the vnode goes: so do its watches */

#endif

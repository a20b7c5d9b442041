/* inode.h: what a vnode is made of, for the kinds of tree alone: jobfs.c, procfs.c and
 * path.c, which walks them. Others use vnode.h. */
#ifndef SHIM_VFS_INODE_H
#define SHIM_VFS_INODE_H

#include "shim/vfs/abi.h"
#include "shim/vfs/vnode.h"

/* What a new name shall be. */
struct vnode_new {
	uint32_t mode;      /* type and permissions */
	uint32_t device;    /* of device nodes */
	const char *target; /* of symbolic links */
	size_t target_size;
};

enum change_fields {
	CHANGE_MODE = 1,
	CHANGE_UID = 2,
	CHANGE_GID = 4,
	CHANGE_ATIME = 8,
	CHANGE_MTIME = 16,
	CHANGE_INVALID = 32, /* a field has no legal value: -EINVAL */
};
struct vnode_change {
	unsigned fields;
	uint32_t mode, uid, gid;
	uint64_t atime_ns, mtime_ns;
};

/* One name of a directory, as vnode_ops.entries hands it on. position_after is what d_off
 * shows. False: no more room. */
struct entry_sink {
	bool (*put)(struct entry_sink *self, const char *name, size_t size,
		    uint64_t inode, uint8_t type, uint64_t position_after);
};

/* Names handed to these are single components, not "." or "..", at most NAME_MAX bytes,
 * not NUL-terminated. Members may be NULL where the comment gives the answer. */
struct vnode_ops {
	const char *type; /* as /proc/mounts names it */
	uint64_t magic;   /* statfs' f_type */
	int (*stat)(struct vnode *vnode, struct stat_values *out);
	/* Gives file its ops and data; file->flags and file->vnode are set. NULL: -ENXIO.
	 */
	int (*open)(struct vnode *vnode, struct file *file);
	void (*free)(struct vnode *vnode); /* the last reference is gone */
	/* Symbolic links: the text, which lives as long as the vnode; or, for those of
	 * /proc that lead to an object itself, follow and readlink. */
	const char *(*link_text)(struct vnode *vnode, size_t *size);
	int (*follow)(struct vnode *vnode, struct vnode **out);
	long (*readlink)(struct vnode *vnode, char *out, size_t room);
	/* Directories. */
	int (*lookup)(struct vnode *directory, const char *name, size_t size,
		      struct vnode **out);
	int (*entries)(struct vnode *directory, uint64_t *position,
		       struct entry_sink *sink);
	/* NULL: a tree that cannot be changed. */
	int (*create)(struct vnode *directory, const char *name, size_t size,
		      const struct vnode_new *what, struct vnode **out);
	int (*remove)(struct vnode *directory, const char *name, size_t size,
		      bool is_directory);
	int (*link)(struct vnode *directory, const char *name, size_t size,
		    struct vnode *target);
	int (*rename)(struct vnode *from, const char *name, size_t size, struct vnode *to,
		      const char *new_name, size_t new_size, unsigned flags);
	int (*change)(struct vnode *vnode, const struct vnode_change *change);
	/* Regular files. NULL: -EINVAL. */
	/* timed: the times change in any case (ftruncate and O_TRUNC). */
	int (*truncate)(struct vnode *vnode, uint64_t size, bool timed);
};

struct file_locks;

struct vnode {
	const struct vnode_ops *ops;
	struct rootfs *root;
	uint32_t refs;
	uint32_t mode;
	struct vnode *parent; /* counted; of the name it was last seen by. NULL: a root */
	const char *name;     /* in parent; not NUL-terminated */
	uint16_t name_size;
	bool unlinked; /* that name is gone */
	bool mount;    /* cannot be removed or renamed */
	bool mapped;   /* was, at some time: address spaces may hold its pages */
	struct file_locks *locks; /* locks.c */
	struct list watches;      /* inotify.c */
};

static inline bool mode_is(uint32_t mode, uint32_t type)
{
	return (mode & S_IFMT) == type;
}
static inline bool vnode_is_directory(const struct vnode *vnode)
{
	return mode_is(vnode->mode, S_IFDIR);
}
static inline uint8_t mode_entry_type(uint32_t mode)
{
	return (uint8_t)((mode & S_IFMT) >> 12); /* DT_* are the mode's own bits */
}

/* jobfs.c, for devfs.c, memfd and others. */
/* A file without a name (O_TMPFILE, memfd); linkable: linkat may give it one. */
struct vnode *rootfs_make_unnamed(struct rootfs *root, uint32_t mode, bool linkable);
struct account *rootfs_account(struct rootfs *root);
struct rootfs_space {
	uint64_t pages_used, pages_limit;
};
struct rootfs_space rootfs_space(const struct rootfs *root);
void rootfs_track_file(struct rootfs *root, struct file *file);
/* The names in /dev of a new job; called at the first look into it. */
int devfs_populate(struct vnode *directory);
int devfs_open(uint32_t device, struct file *file);
/* The roots of /proc and /sys; NULL without memory. */
struct vnode *procfs_make(struct rootfs *root);
struct vnode *sysfs_make(struct rootfs *root);

/* file.c. */
uint64_t time_now_ns(void); /* CLOCK_REALTIME */
int vnode_open(struct vnode *vnode, uint32_t flags, struct file **out);
/* A file that only names its vnode (O_PATH). */
extern const struct file_ops path_file_ops;
extern const struct file_ops directory_file_ops; /* jobfs_file.c */

#endif

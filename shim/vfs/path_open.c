/* path_open.c: open(2): what a path leads to, made when it is to be, as an open file. */
#include "shim/vfs/path_walk.h"

#include "shim/lib/errno.h"
#include "shim/proc/process.h"
#include "shim/vfs/inotify.h"

static int may_open(const struct vnode *vnode, unsigned oflags, bool foreign)
{
	uint32_t type = vnode->mode & S_IFMT;
	bool writes = (oflags & O_ACCMODE) != O_RDONLY || (oflags & O_TRUNC);
	if (foreign && (!vnode->ops->create || (type != S_IFREG && type != S_IFDIR)))
		return -EACCES; /* front never opens what a payload could make wait */
	if ((oflags & O_DIRECTORY) && type != S_IFDIR)
		return -ENOTDIR;
	if (type == S_IFLNK && !(oflags & O_PATH))
		return -ELOOP;
	if (oflags & O_PATH)
		return 0;
	if (type == S_IFDIR && (writes || (oflags & O_CREAT)))
		return -EISDIR;
	if (type == S_IFSOCK)
		return -ENXIO;
	return 0;
}

static int open_found(const struct path_context *context, struct vnode *vnode,
		      unsigned oflags, bool created, struct file **out)
{
	bool foreign = context->root != job_current()->rootfs;
	int rc = may_open(vnode, oflags, foreign);
	if (rc == 0 && (oflags & O_TRUNC) && !(oflags & O_PATH) && !created &&
	    mode_is(vnode->mode, S_IFREG) && vnode->ops->truncate)
		rc = vnode->ops->truncate(vnode, 0, true);
	if (rc < 0)
		return rc;
	unsigned kept = oflags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
	if (oflags & O_PATH)
		kept &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
	rc = vnode_open(vnode, kept, out);
	if (rc == 0 && !(oflags & O_PATH))
		inotify_event(vnode, IN_OPEN);
	return rc;
}

static int create_file(struct vnode *directory, const struct path_parent *at,
		       uint32_t mode, struct vnode **out)
{
	struct vnode_new what = {.mode = S_IFREG | (mode & MODE_BITS)};
	if (!directory->ops->create)
		return directory->ops->type[0] == 'p' ? -ENOENT : -EACCES;
	return directory->ops->create(directory, at->name, at->size, &what, out);
}

/* The last name with O_CREAT. 0: *vnode found or made; 1: a link was entered, go on. */
static int find_or_create(struct walk *walk, const struct path_parent *at,
			  unsigned oflags, uint32_t mode, struct vnode **vnode,
			  bool *created)
{
	struct vnode *directory = walk->at;
	*created = false;
	if (at->slash)
		return -EISDIR;
	int rc = directory->ops->lookup(directory, at->name, at->size, vnode);
	if (rc == -ENOENT) {
		rc = create_file(directory, at, mode, vnode);
		*created = rc == 0;
		return rc;
	}
	if (rc < 0)
		return rc;
	if (oflags & O_EXCL)
		rc = -EEXIST;
	else if (mode_is((*vnode)->mode, S_IFLNK) && (oflags & O_NOFOLLOW))
		rc = -ELOOP;
	else if (mode_is((*vnode)->mode, S_IFLNK)) {
		rc = walk_enter_link(walk, *vnode);
		rc = rc == 0 ? 1 : rc;
	}
	if (rc != 0)
		vnode_put(*vnode);
	return rc;
}

static int open_creating(const struct path_context *context, const char *path,
			 unsigned flags, unsigned oflags, uint32_t mode,
			 struct file **out)
{
	struct walk walk;
	struct path_parent at;
	struct vnode *vnode = NULL;
	bool created = false;
	int rc = walk_start(&walk, context, path, flags);
	if (rc < 0)
		return rc;
	do {
		rc = walk_to_parent(&walk, &at);
		if (rc < 0)
			break;
		if (at.last == LAST_ROOT) {
			/* "/", or a link of /proc that led to the file itself. */
			vnode = walk.at;
			vnode_get(vnode);
		} else if (at.last != LAST_NAME) {
			rc = oflags & O_EXCL ? -EEXIST : -EISDIR;
		} else {
			rc = find_or_create(&walk, &at, oflags, mode, &vnode, &created);
		}
	} while (rc > 0);
	walk_end(&walk);
	vnode_put(walk.at);
	if (rc < 0)
		return rc;
	rc = open_found(context, vnode, oflags, created, out);
	vnode_put(vnode);
	return rc;
}

static int open_unnamed(const struct path_context *context, const char *path,
			unsigned flags, unsigned oflags, uint32_t mode, struct file **out)
{
	struct vnode *directory;
	int rc = path_lookup(context, path, flags, &directory);
	if (rc < 0)
		return rc;
	if (!vnode_is_directory(directory))
		rc = -ENOTDIR;
	else if (!directory->ops->create)
		rc = -EOPNOTSUPP;
	struct vnode *vnode = NULL;
	if (rc == 0) {
		vnode = rootfs_make_unnamed(context->root, S_IFREG | (mode & MODE_BITS),
					    !(oflags & O_EXCL));
		rc = vnode ? vnode_open(vnode, oflags & ~(O_EXCL | O_CLOEXEC), out)
			   : -ENOMEM;
	}
	if (vnode)
		vnode_put(vnode);
	vnode_put(directory);
	return rc;
}

int path_check_open(unsigned oflags)
{
	if (oflags & O_PATH)
		return 0;
	if ((oflags & O_TMPFILE) == O_TMPFILE)
		return (oflags & O_ACCMODE) == O_RDONLY ? -EINVAL : 0;
	return (oflags & O_CREAT) && (oflags & O_DIRECTORY) ? -EINVAL : 0;
}

int path_open(const struct path_context *context, const char *path, unsigned flags,
	      int oflags, uint32_t mode, struct file **out)
{
	unsigned o = (unsigned)oflags;
	struct vnode *vnode;
	flags |= o & O_NOFOLLOW ? 0 : PATH_FOLLOW;
	int rc = path_check_open(o);
	if (rc < 0)
		return rc;
	if (o & O_PATH)
		o &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((o & O_TMPFILE) == O_TMPFILE)
		return open_unnamed(context, path, flags, o, mode, out);
	if (o & O_CREAT)
		return open_creating(context, path, flags, o, mode, out);
	rc = path_lookup(context, path, flags, &vnode);
	if (rc < 0)
		return rc;
	rc = open_found(context, vnode, o, false, out);
	vnode_put(vnode);
	return rc;
}

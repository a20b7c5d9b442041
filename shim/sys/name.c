/* sys/name.c: system calls that make, change and remove names. */
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/path.h"

/* A parent and a last name; end with target_put. */
struct target {
	struct path_text path;
	struct path_parent at;
	bool found;
};

static int target_get(struct target *t, int directory, uaddr user_path)
{
	struct path_context context;
	struct file *base = NULL;
	t->found = false;
	int rc = path_text_get(&t->path, user_path);
	if (rc < 0)
		return rc;
	rc = path_context_at(directory, t->path.text, &context, &base);
	if (rc == 0)
		rc = path_parent(&context, t->path.text, 0, &t->at);
	if (base)
		file_put(base);
	t->found = rc == 0;
	if (rc < 0)
		path_text_put(&t->path);
	return rc;
}

static void target_put(struct target *t)
{
	if (!t->found)
		return;
	vnode_put(t->at.directory);
	path_text_put(&t->path);
	t->found = false;
}

/* 0: there is something of that name. */
static int look(const struct target *t)
{
	struct vnode *vnode;
	struct vnode *directory = t->at.directory;
	int rc = directory->ops->lookup(directory, t->at.name, t->at.size, &vnode);
	if (rc == 0)
		vnode_put(vnode);
	return rc;
}

/* May a name be made there? As Linux' filename_create orders it. */
static int check_creation(const struct target *t, bool directory)
{
	if (t->at.last != LAST_NAME)
		return -EEXIST;
	int rc = look(t);
	if (rc != -ENOENT)
		return rc < 0 ? rc : -EEXIST;
	if (t->at.slash && !directory)
		return -ENOENT;
	if (!t->at.directory->ops->create)
		return t->at.directory->ops->type[0] == 'p' ? -ENOENT : -EPERM;
	return 0;
}

static long create(int directory, uaddr path, const struct vnode_new *what)
{
	struct target t;
	struct vnode *made;
	int rc = target_get(&t, directory, path);
	if (rc < 0)
		return rc;
	rc = check_creation(&t, mode_is(what->mode, S_IFDIR));
	if (rc == 0)
		rc = t.at.directory->ops->create(t.at.directory, t.at.name, t.at.size,
						 what, &made);
	if (rc == 0)
		vnode_put(made);
	target_put(&t);
	return rc;
}

static uint32_t masked(uint64_t mode)
{
	return (uint32_t)mode & ~process_current()->fs->umask;
}

static long make_directory(int directory, uaddr path, uint64_t mode)
{
	struct vnode_new what = {.mode = S_IFDIR | (masked(mode) & (S_ISVTX | 0777))};
	return create(directory, path, &what);
}

long sys_mkdir(const struct sysargs *a)
{
	return make_directory(AT_FDCWD, arg_user(a, 0), a->arg[1]);
}

long sys_mkdirat(const struct sysargs *a)
{
	return make_directory((int)a->arg[0], arg_user(a, 1), a->arg[2]);
}

static long make_node(int directory, uaddr path, uint64_t mode, uint64_t device)
{
	uint32_t type = (uint32_t)mode & S_IFMT;
	struct vnode_new what = {.mode = (type ? type : S_IFREG) |
					 (masked(mode) & MODE_BITS)};
	if (type == S_IFDIR)
		return -EPERM;
	if (type == S_IFCHR || type == S_IFBLK)
		return -EPERM; /* as without CAP_MKNOD */
	if (type && type != S_IFREG && type != S_IFIFO && type != S_IFSOCK)
		return -EINVAL;
	(void)device;
	return create(directory, path, &what);
}

long sys_mknod(const struct sysargs *a)
{
	return make_node(AT_FDCWD, arg_user(a, 0), a->arg[1], a->arg[2]);
}

long sys_mknodat(const struct sysargs *a)
{
	return make_node((int)a->arg[0], arg_user(a, 1), a->arg[2], a->arg[3]);
}

static long make_symlink(uaddr text, int directory, uaddr path)
{
	struct path_text target;
	int rc = path_text_get(&target, text);
	if (rc < 0)
		return rc;
	struct vnode_new what = {.mode = S_IFLNK | 0777,
				 .target = target.text,
				 .target_size = strlen(target.text)};
	long result = what.target_size ? create(directory, path, &what) : -ENOENT;
	path_text_put(&target);
	return result;
}

long sys_symlink(const struct sysargs *a)
{
	return make_symlink(arg_user(a, 0), AT_FDCWD, arg_user(a, 1));
}

long sys_symlinkat(const struct sysargs *a)
{
	return make_symlink(arg_user(a, 0), (int)a->arg[1], arg_user(a, 2));
}

static long make_link(int from, uaddr from_path, int to, uaddr to_path, unsigned flags)
{
	struct target t;
	struct vnode *vnode;
	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	unsigned how = flags & AT_EMPTY_PATH;
	if (!(flags & AT_SYMLINK_FOLLOW))
		how |= AT_SYMLINK_NOFOLLOW;
	int rc = name_vnode(from, from_path, how, &vnode);
	if (rc < 0)
		return rc;
	rc = target_get(&t, to, to_path);
	if (rc == 0)
		rc = check_creation(&t, false);
	if (rc == 0)
		rc = t.at.directory->ops->link(t.at.directory, t.at.name, t.at.size,
					       vnode);
	target_put(&t);
	vnode_put(vnode);
	return rc;
}

long sys_link(const struct sysargs *a)
{
	return make_link(AT_FDCWD, arg_user(a, 0), AT_FDCWD, arg_user(a, 1), 0);
}

long sys_linkat(const struct sysargs *a)
{
	return make_link((int)a->arg[0], arg_user(a, 1), (int)a->arg[2], arg_user(a, 3),
			 (unsigned)a->arg[4]);
}

static long remove_name(int directory, uaddr path, bool is_directory)
{
	struct target t;
	int rc = target_get(&t, directory, path);
	if (rc < 0)
		return rc;
	const struct vnode_ops *ops = t.at.directory->ops;
	if (is_directory && t.at.last != LAST_NAME)
		rc = t.at.last == LAST_DOT       ? -EINVAL
		     : t.at.last == LAST_DOT_DOT ? -ENOTEMPTY
						 : -EBUSY;
	else if (t.at.last != LAST_NAME)
		rc = -EISDIR;
	else
		rc = look(&t);
	if (rc == 0 && !ops->remove)
		rc = -EPERM;
	struct vnode *vnode;
	if (rc == 0 && t.at.slash && !is_directory) {
		rc = ops->lookup(t.at.directory, t.at.name, t.at.size, &vnode);
		if (rc == 0) {
			rc = vnode_is_directory(vnode) ? -EISDIR : -ENOTDIR;
			vnode_put(vnode);
		}
	}
	if (rc == 0)
		rc = ops->remove(t.at.directory, t.at.name, t.at.size, is_directory);
	target_put(&t);
	return rc;
}

long sys_unlink(const struct sysargs *a)
{
	return remove_name(AT_FDCWD, arg_user(a, 0), false);
}

long sys_rmdir(const struct sysargs *a)
{
	return remove_name(AT_FDCWD, arg_user(a, 0), true);
}

long sys_unlinkat(const struct sysargs *a)
{
	if (a->arg[2] & ~(uint64_t)AT_REMOVEDIR)
		return -EINVAL;
	return remove_name((int)a->arg[0], arg_user(a, 1), a->arg[2] & AT_REMOVEDIR);
}

/* As Linux' do_renameat2 orders it; what depends on both is the directory's own rename.
 */
static int check_rename(const struct target *from, const struct target *to,
			unsigned flags)
{
	struct vnode *moved, *replaced = NULL, *directory = from->at.directory;
	if (directory->root != to->at.directory->root ||
	    directory->ops != to->at.directory->ops)
		return -EXDEV;
	if (from->at.last != LAST_NAME || to->at.last != LAST_NAME)
		return flags & RENAME_NOREPLACE && from->at.last == LAST_NAME ? -EEXIST
									      : -EBUSY;
	if (!directory->ops->rename)
		return -EPERM;
	int rc = directory->ops->lookup(directory, from->at.name, from->at.size, &moved);
	if (rc < 0)
		return rc;
	rc = to->at.directory->ops->lookup(to->at.directory, to->at.name, to->at.size,
					   &replaced);
	bool slash = from->at.slash || (to->at.slash && !(flags & RENAME_EXCHANGE));
	if (rc == 0 && (flags & RENAME_NOREPLACE))
		rc = -EEXIST;
	else if (rc == 0 && (flags & RENAME_EXCHANGE) && to->at.slash &&
		 !vnode_is_directory(replaced))
		rc = -ENOTDIR;
	else if (rc == -ENOENT && !(flags & RENAME_EXCHANGE))
		rc = 0;
	if (rc == 0 && !vnode_is_directory(moved) && slash)
		rc = -ENOTDIR;
	if (replaced)
		vnode_put(replaced);
	vnode_put(moved);
	return rc;
}

static long rename_at(int from, uaddr from_path, int to, uaddr to_path, unsigned flags)
{
	struct target source, target;
	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	int rc = target_get(&source, from, from_path);
	if (rc < 0)
		return rc;
	rc = target_get(&target, to, to_path);
	if (rc == 0)
		rc = check_rename(&source, &target, flags);
	if (rc == 0)
		rc = source.at.directory->ops->rename(
			source.at.directory, source.at.name, source.at.size,
			target.at.directory, target.at.name, target.at.size, flags);
	target_put(&target);
	target_put(&source);
	return rc;
}

long sys_rename(const struct sysargs *a)
{
	return rename_at(AT_FDCWD, arg_user(a, 0), AT_FDCWD, arg_user(a, 1), 0);
}

long sys_renameat(const struct sysargs *a)
{
	return rename_at((int)a->arg[0], arg_user(a, 1), (int)a->arg[2], arg_user(a, 3),
			 0);
}

long sys_renameat2(const struct sysargs *a)
{
	return rename_at((int)a->arg[0], arg_user(a, 1), (int)a->arg[2], arg_user(a, 3),
			 (unsigned)a->arg[4]);
}

/* sys/stat.c: system calls that ask about files: stat, access, links' texts, file
 * systems. Changing them is attributes.c's, listing directories getdents.c's. */
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"
#include "shim/sys/time.h"
#include "shim/vfs/inode.h"

static int file_stat(struct file *file, struct stat_values *out)
{
	if (file->ops->stat)
		return file->ops->stat(file, out);
	if (file->vnode)
		return vnode_stat(file->vnode, out);
	/* An anonymous inode, as eventfd and epoll have. */
	*out = (struct stat_values){.device = 13,
				    .inode = 1,
				    .mode = 0600,
				    .links = 1,
				    .block_size = PAGE_SIZE};
	return 0;
}

/* AT_EMPTY_PATH works for any file, also for one without a vnode. */
static int stat_at(int directory, uaddr path, unsigned flags, struct stat_values *out)
{
	struct vnode *vnode;
	char first = 1;
	if ((flags & AT_EMPTY_PATH) && directory != AT_FDCWD) {
		if (!uaddr_is_null(path) && copy_from_user(&first, path, 1) < 0)
			return -EFAULT;
		if (uaddr_is_null(path) || first == '\0') {
			struct file *file =
				fdtable_lookup(process_current()->fds, directory);
			if (!file)
				return -EBADF;
			int rc = file_stat(file, out);
			file_put(file);
			return rc;
		}
	}
	int rc = name_vnode(directory, path, flags, &vnode);
	if (rc < 0)
		return rc;
	rc = vnode_stat(vnode, out);
	vnode_put(vnode);
	return rc;
}

static long put_stat(const struct stat_values *v, uaddr to)
{
	struct linux_stat out = {
		.dev = v->device,
		.ino = v->inode,
		.nlink = v->links,
		.mode = v->mode,
		.uid = v->uid,
		.gid = v->gid,
		.rdev = v->device_number,
		.size = (int64_t)v->size,
		.blksize = v->block_size,
		.blocks = (int64_t)v->blocks,
		.atime = (int64_t)(v->atime_ns / NS_PER_SECOND),
		.atime_ns = (int64_t)(v->atime_ns % NS_PER_SECOND),
		.mtime = (int64_t)(v->mtime_ns / NS_PER_SECOND),
		.mtime_ns = (int64_t)(v->mtime_ns % NS_PER_SECOND),
		.ctime = (int64_t)(v->ctime_ns / NS_PER_SECOND),
		.ctime_ns = (int64_t)(v->ctime_ns % NS_PER_SECOND),
	};
	return copy_to_user(to, &out, sizeof(out));
}

static long stat_call(int directory, uaddr path, unsigned flags, uaddr to)
{
	struct stat_values values;
	int rc = stat_at(directory, path, flags, &values);
	return rc < 0 ? rc : put_stat(&values, to);
}

long sys_stat(const struct sysargs *a)
{
	return stat_call(AT_FDCWD, arg_user(a, 0), 0, arg_user(a, 1));
}

long sys_lstat(const struct sysargs *a)
{
	return stat_call(AT_FDCWD, arg_user(a, 0), AT_SYMLINK_NOFOLLOW, arg_user(a, 1));
}

long sys_fstat(const struct sysargs *a)
{
	struct stat_values values;
	struct file *file = file_or_path_of(a, 0);
	if (!file)
		return -EBADF;
	int rc = file_stat(file, &values);
	file_put(file);
	return rc < 0 ? rc : put_stat(&values, arg_user(a, 1));
}

long sys_newfstatat(const struct sysargs *a)
{
	unsigned flags = (unsigned)a->arg[3];
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	return stat_call((int)a->arg[0], arg_user(a, 1), flags, arg_user(a, 2));
}

#define STATX_BASIC    0x7ffu
#define STATX_RESERVED 0x80000000u

static struct linux_statx_time statx_time(uint64_t ns)
{
	return (struct linux_statx_time){.seconds = (int64_t)(ns / NS_PER_SECOND),
					 .nanoseconds = (uint32_t)(ns % NS_PER_SECOND)};
}

long sys_statx(const struct sysargs *a)
{
	struct stat_values v;
	unsigned flags = (unsigned)a->arg[2];
	if ((a->arg[3] & STATX_RESERVED) ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
		       AT_STATX_SYNC_TYPE)))
		return -EINVAL;
	int rc = stat_at((int)a->arg[0], arg_user(a, 1), flags, &v);
	if (rc < 0)
		return rc;
	struct linux_statx out = {
		.mask = STATX_BASIC,
		.blksize = v.block_size,
		.nlink = v.links,
		.uid = v.uid,
		.gid = v.gid,
		.mode = (uint16_t)v.mode,
		.ino = v.inode,
		.size = v.size,
		.blocks = v.blocks,
		.atime = statx_time(v.atime_ns),
		.ctime = statx_time(v.ctime_ns),
		.mtime = statx_time(v.mtime_ns),
		.rdev_major = (uint32_t)v.device_number >> 8,
		.rdev_minor = (uint32_t)v.device_number & 0xff,
		.dev_major = (uint32_t)v.device >> 8,
		.dev_minor = (uint32_t)v.device & 0xff,
	};
	return copy_to_user(arg_user(a, 4), &out, sizeof(out));
}

/* One user, who is root: everything may be read and written; executed what anybody may.
 */
static long access_call(int directory, uaddr path, uint64_t mode, unsigned flags)
{
	struct vnode *vnode;
	if ((mode & ~7ull) ||
	    (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH)))
		return -EINVAL;
	int rc = name_vnode(directory, path, flags & ~AT_EACCESS, &vnode);
	if (rc < 0)
		return rc;
	if ((mode & 1) && !vnode_is_directory(vnode) && !(vnode->mode & 0111))
		rc = -EACCES;
	vnode_put(vnode);
	return rc;
}

long sys_access(const struct sysargs *a)
{
	return access_call(AT_FDCWD, arg_user(a, 0), a->arg[1], 0);
}

long sys_faccessat(const struct sysargs *a)
{
	return access_call((int)a->arg[0], arg_user(a, 1), a->arg[2], 0);
}

long sys_faccessat2(const struct sysargs *a)
{
	return access_call((int)a->arg[0], arg_user(a, 1), a->arg[2],
			   (unsigned)a->arg[3]);
}

/* Links. */

static long put_link(struct vnode *vnode, uaddr to, uint64_t room)
{
	size_t size;
	if (!mode_is(vnode->mode, S_IFLNK))
		return -EINVAL;
	if (vnode->ops->link_text && !vnode->ops->readlink) {
		const char *text = vnode->ops->link_text(vnode, &size);
		if (!text)
			return -EIO;
		size = size < room ? size : room;
		return copy_to_user(to, text, size) < 0 ? -EFAULT : (long)size;
	}
	char *text = kmalloc(&job_current()->account, PATH_MAX);
	if (!text)
		return -ENOMEM;
	long rc = vnode->ops->readlink(vnode, text, PATH_MAX);
	if (rc >= 0) {
		size = (uint64_t)rc < room ? (size_t)rc : room;
		rc = copy_to_user(to, text, size) < 0 ? -EFAULT : (long)size;
	}
	kfree(text);
	return rc;
}

static long read_link(int directory, uaddr path, uaddr to, int64_t room)
{
	struct vnode *vnode;
	if ((int32_t)room <= 0)
		return -EINVAL;
	int rc = name_vnode(directory, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &vnode);
	if (rc < 0)
		return rc;
	long result = put_link(vnode, to, (uint64_t)room);
	vnode_put(vnode);
	return result;
}

long sys_readlink(const struct sysargs *a)
{
	struct vnode *vnode;
	if ((int32_t)a->arg[2] <= 0)
		return -EINVAL;
	int rc = name_vnode(AT_FDCWD, arg_user(a, 0), AT_SYMLINK_NOFOLLOW, &vnode);
	if (rc < 0)
		return rc;
	long result = put_link(vnode, arg_user(a, 1), a->arg[2]);
	vnode_put(vnode);
	return result;
}

long sys_readlinkat(const struct sysargs *a)
{
	return read_link((int)a->arg[0], arg_user(a, 1), arg_user(a, 2),
			 (int64_t)a->arg[3]);
}

/* File systems. */

static long put_statfs(struct vnode *vnode, uint64_t magic, uaddr to)
{
	struct linux_statfs out = {.type = (int64_t)magic,
				   .bsize = PAGE_SIZE,
				   .frsize = PAGE_SIZE,
				   .namelen = NAME_MAX,
				   .flags = 0x20 /* ST_VALID */};
	if (vnode && vnode->ops->create) {
		struct rootfs_space space = rootfs_space(vnode->root);
		const struct account *account = rootfs_account(vnode->root);
		uint64_t left = account->limit_pages - account->used_pages;
		if (left > page_count_free())
			left = page_count_free();
		if (left > space.pages_limit - space.pages_used)
			left = space.pages_limit - space.pages_used;
		out.blocks = space.pages_used + left;
		out.bfree = out.bavail = left;
		out.files = out.ffree = 1u << 20;
	}
	return copy_to_user(to, &out, sizeof(out));
}

long sys_statfs(const struct sysargs *a)
{
	struct vnode *vnode;
	int rc = name_vnode(AT_FDCWD, arg_user(a, 0), 0, &vnode);
	if (rc < 0)
		return rc;
	long result = put_statfs(vnode, vnode->ops->magic, arg_user(a, 1));
	vnode_put(vnode);
	return result;
}

#define ANON_INODE_MAGIC 0x09041934u

long sys_fstatfs(const struct sysargs *a)
{
	struct file *file = file_or_path_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = put_statfs(file->vnode,
			     file->vnode ? file->vnode->ops->magic : ANON_INODE_MAGIC,
			     arg_user(a, 1));
	file_put(file);
	return rc;
}

/* sys/truncate.c: the sizes of files: truncate, ftruncate, fallocate. */
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/jobfs.h"
#include "shim/vfs/memfd.h"
#include "shim/vfs/path.h"
#include "shim/vfs/pipe.h"

/* May the file be so large? Linux' inode_newsize_ok. */
static int check_limit(struct vnode *vnode, uint64_t size)
{
	struct signal_info info = {.signo = SIGXFSZ};
	if (size <= vnode_size(vnode) ||
	    size <= process_current()->rlimits[RLIMIT_FSIZE_INDEX].soft)
		return 0;
	signal_send_thread(thread_current(), &info);
	return -EFBIG;
}

static long resize(struct vnode *vnode, int64_t size, bool timed)
{
	if (size < 0)
		return -EINVAL;
	if (vnode_is_directory(vnode))
		return -EISDIR;
	if (!mode_is(vnode->mode, S_IFREG) || !vnode->ops->truncate)
		return -EINVAL;
	int rc = check_limit(vnode, (uint64_t)size);
	return rc < 0 ? rc : vnode->ops->truncate(vnode, (uint64_t)size, timed);
}

long sys_truncate(const struct sysargs *a)
{
	struct path_text path;
	struct vnode *vnode;
	struct path_context context = process_paths(process_current());
	if ((int64_t)a->arg[1] < 0)
		return -EINVAL;
	long rc = path_text_get(&path, arg_user(a, 0));
	if (rc < 0)
		return rc;
	rc = path_lookup(&context, path.text, PATH_FOLLOW, &vnode);
	path_text_put(&path);
	if (rc < 0)
		return rc;
	rc = resize(vnode, (int64_t)a->arg[1], false);
	vnode_put(vnode);
	return rc;
}

long sys_ftruncate(const struct sysargs *a)
{
	int64_t size = (int64_t)a->arg[1];
	if (size < 0)
		return -EINVAL;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = file_writes(file) && file->vnode ? 0 : -EINVAL;
	if (rc == 0)
		rc = memfd_may_resize(file, (uint64_t)size);
	if (rc == 0)
		rc = resize(file->vnode, size, true);
	file_put(file);
	return rc;
}

#define FALLOC_FL_KEEP_SIZE      1u
#define FALLOC_FL_PUNCH_HOLE     2u
#define FALLOC_FL_COLLAPSE_RANGE 8u
#define FALLOC_FL_ZERO_RANGE     16u
#define FALLOC_FL_INSERT_RANGE   32u
#define FALLOC_FL_UNSHARE_RANGE  64u

/* All or, as on Linux' tmpfs, none of the pages. */
static long allocate_pages(const struct file *file, uint64_t start, uint64_t end)
{
	struct node *node = node_of(file->vnode);
	uint64_t first = start >> PAGE_SHIFT, index = first;
	long rc = 0;
	for (; index < (end + PAGE_MASK) >> PAGE_SHIFT; index++) {
		rc = data_allocate(node, index);
		if (rc < 0)
			break;
		if (index % 256 != 255)
			continue;
		thread_yield();
		if (!file->vnode)
			return -EIO; /* its tree is gone meanwhile: jobfs.c */
		if (thread_must_die(thread_current())) {
			rc = -EINTR;
			break;
		}
	}
	if (rc < 0)
		data_unallocate(node, first, index + 1);
	return rc;
}

/* As Linux' vfs_fallocate orders it. Zeroing is more than its tmpfs does. */
static long check_allocation(const struct file *file, unsigned mode, int64_t offset,
			     int64_t size, int64_t *end)
{
	unsigned how = mode & ~FALLOC_FL_KEEP_SIZE;
	bool keeps = mode & FALLOC_FL_KEEP_SIZE;
	if (offset < 0 || size <= 0)
		return -EINVAL;
	if ((how == FALLOC_FL_PUNCH_HOLE && !keeps) ||
	    ((how == FALLOC_FL_COLLAPSE_RANGE || how == FALLOC_FL_INSERT_RANGE) &&
	     keeps) ||
	    (how & (how - 1)) || how > FALLOC_FL_UNSHARE_RANGE)
		return -EOPNOTSUPP;
	if (!file_writes(file))
		return -EBADF;
	if (!file->vnode || !mode_is(file->vnode->mode, S_IFREG))
		return pipe_is(file)                                    ? -ESPIPE
		       : file->vnode && vnode_is_directory(file->vnode) ? -EISDIR
									: -ENODEV;
	if (__builtin_add_overflow(offset, size, end))
		return -EFBIG;
	bool known =
		how == 0 || how == FALLOC_FL_PUNCH_HOLE || how == FALLOC_FL_ZERO_RANGE;
	return known && file->vnode->ops == &jobfs_ops ? 0 : -EOPNOTSUPP;
}

static long allocate(struct file *file, unsigned mode, int64_t offset, int64_t size)
{
	int64_t end;
	long rc = check_allocation(file, mode, offset, size, &end);
	if (rc == 0 && !(mode & FALLOC_FL_PUNCH_HOLE))
		rc = check_limit(file->vnode, (uint64_t)end);
	if (rc < 0)
		return rc;
	struct node *node = node_of(file->vnode);
	bool empties = mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE);
	bool grows = !(mode & FALLOC_FL_KEEP_SIZE) && (uint64_t)end > node->size;
	rc = memfd_may_write(empties ? node->seals : node->seals & F_SEAL_GROW, grows);
	if (rc == 0 && empties)
		rc = data_punch(node, (uint64_t)offset, (uint64_t)end);
	else if (rc == 0)
		rc = allocate_pages(file, (uint64_t)offset, (uint64_t)end);
	if (rc == 0 && grows)
		rc = data_truncate(node, (uint64_t)end);
	if (rc == 0)
		node_modified(node);
	return rc;
}

long sys_fallocate(const struct sysargs *a)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = allocate(file, (unsigned)a->arg[1], (int64_t)a->arg[2],
			   (int64_t)a->arg[3]);
	file_put(file);
	return rc;
}

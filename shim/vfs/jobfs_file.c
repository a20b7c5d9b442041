/* jobfs_file.c: open files of a job's tree: reading, writing and seeking in them. */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/vfs/inotify.h"
#include "shim/vfs/jobfs.h"
#include "shim/vfs/memfd.h"
#include "shim/vfs/pipe.h"

/* Between pieces of this many bytes another thread may have its turn. */
#define TURN_BYTES (1u << 20)

#define FILE_SIZE_MAX ((uint64_t)INT64_MAX)

/* Bytes in one piece from pos: of the image while nothing was written there, else a page.
 */
static long read_piece(struct node *node, struct uio *uio, uint64_t pos, size_t size)
{
	if (!node->data_changed && pos < node->lower_size) {
		uint64_t run = node->lower_size - pos;
		return uio_write_out(uio, node->lower + pos, size < run ? size : run);
	}
	struct page *page;
	size_t in_page = pos & PAGE_MASK, n = PAGE_SIZE - in_page;
	int rc = data_page(node, pos >> PAGE_SHIFT, false, &page);
	if (rc < 0)
		return rc;
	page_get(page); /* a fault of the reader's memory must not free it */
	long moved = uio_write_out(uio, (const char *)page_va(page) + in_page,
				   size < n ? size : n);
	page_put(page);
	return moved;
}

/* Others' turn, once a MiB, in a long call on a file. They may take its whole tree away,
 * which front's files of a job do not hold: false, and the node is gone. */
static bool file_yield(const struct file *file, long before, long done)
{
	if (before >> 20 == done >> 20)
		return true;
	thread_yield();
	return file->vnode != NULL;
}

static long regular_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct node *node = node_of(file->vnode);
	long done = 0;
	while (uio->left && *pos < node->size) {
		uint64_t n = node->size - *pos;
		if (n > uio->left)
			n = uio->left;
		if (n > TURN_BYTES)
			n = TURN_BYTES;
		long moved = read_piece(node, uio, *pos, n);
		if (moved < 0)
			return done ? done : moved;
		*pos += (uint64_t)moved;
		done += moved;
		if (!file_yield(file, done - moved, done))
			return done;
		if (moved == 0 || thread_must_die(thread_current()))
			break;
	}
	if (done)
		inotify_event(file->vnode, IN_ACCESS);
	return done;
}

/* Room up to RLIMIT_FSIZE, with the signal when there is none. */
static int64_t room_below_limit(uint64_t pos)
{
	uint64_t limit = process_current()->rlimits[RLIMIT_FSIZE_INDEX].soft;
	if (limit > FILE_SIZE_MAX)
		limit = FILE_SIZE_MAX;
	if (pos < limit)
		return (int64_t)(limit - pos);
	if (limit < FILE_SIZE_MAX) {
		struct signal_info info = {.signo = SIGXFSZ};
		signal_send_thread(thread_current(), &info);
	}
	return -EFBIG;
}

static long write_page(struct node *node, struct uio *uio, uint64_t pos, size_t size)
{
	struct page *page;
	int rc = data_page(node, pos >> PAGE_SHIFT, true, &page);
	if (rc < 0)
		return rc;
	page_get(page);
	long moved = uio_read_in(uio, (char *)page_va(page) + (pos & PAGE_MASK), size);
	page_put(page);
	if (moved > 0 && pos + (uint64_t)moved > node->size) {
		node->size = pos + (uint64_t)moved;
		node->data_changed = true;
	}
	return moved;
}

static void written(struct vnode *vnode)
{
	node_modified(node_of(vnode));
	inotify_event(vnode, IN_MODIFY);
}

static long regular_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct node *node = node_of(file->vnode);
	long done = 0;
	if (uio->left == 0)
		return 0;
	if (file_io_flags(file, uio) & O_APPEND)
		*pos = node->size;
	int rc = memfd_may_write(node->seals, *pos + uio->left > node->size);
	if (rc < 0)
		return rc;
	int64_t room = room_below_limit(*pos);
	if (room < 0)
		return room;
	while (uio->left && done < room) {
		uint64_t n = PAGE_SIZE - (*pos & PAGE_MASK);
		if (n > uio->left)
			n = uio->left;
		if (n > (uint64_t)(room - done))
			n = (uint64_t)(room - done);
		long moved = write_page(node, uio, *pos, n);
		if (moved < 0) {
			if (done == 0)
				return moved;
			break;
		}
		*pos += (uint64_t)moved;
		done += moved;
		if (!file_yield(file, done - moved, done))
			return done;
		if ((uint64_t)moved < n || thread_must_die(thread_current()))
			break;
	}
	written(file->vnode);
	return done;
}

static int64_t regular_seek(struct file *file, int64_t offset, int whence)
{
	struct node *node = node_of(file->vnode);
	int64_t size = (int64_t)node->size, at;
	switch (whence) {
	case SEEK_SET:
		at = offset;
		break;
	case SEEK_CUR:
		if (__builtin_add_overflow((int64_t)file->offset, offset, &at))
			return -EOVERFLOW;
		break;
	case SEEK_END:
		if (__builtin_add_overflow(size, offset, &at))
			return -EOVERFLOW;
		break;
	case SEEK_DATA:
	case SEEK_HOLE: {
		if (offset < 0 || offset >= size)
			return -ENXIO;
		uint64_t index = (uint64_t)offset >> PAGE_SHIFT;
		uint64_t found = data_seek(node, index, whence == SEEK_DATA);
		bool past = found >= (node->size + PAGE_MASK) / PAGE_SIZE;
		if (past && whence == SEEK_DATA)
			return -ENXIO;
		at = past             ? size
		     : found == index ? offset
				      : (int64_t)(found << PAGE_SHIFT);
		break;
	}
	default:
		return -EINVAL;
	}
	if (at < 0)
		return -EINVAL;
	file->offset = (uint64_t)at;
	return at;
}

#define FIONREAD 0x541bu

static long regular_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	if (command != FIONREAD)
		return -ENOTTY;
	int32_t left = (int32_t)(node_of(file->vnode)->size - file->offset);
	return copy_to_user((uaddr){argument}, &left, sizeof(left));
}

static const struct file_ops regular_ops = {
	.name = "file",
	.read = regular_read,
	.write = regular_write,
	.seek = regular_seek,
	.ioctl = regular_ioctl,
};

static long directory_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)file, (void)uio, (void)pos;
	return -EISDIR;
}

static int64_t directory_seek(struct file *file, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += (int64_t)file->offset;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	file->offset = (uint64_t)offset;
	return offset;
}

const struct file_ops directory_file_ops = {
	.name = "directory",
	.read = directory_read,
	.seek = directory_seek,
};

int jobfs_open(struct vnode *vnode, struct file *file)
{
	struct node *node = node_of(vnode);
	switch (vnode->mode & S_IFMT) {
	case S_IFREG:
		file->ops = &regular_ops;
		return 0;
	case S_IFDIR:
		file->ops = &directory_file_ops;
		return 0;
	case S_IFCHR:
		return devfs_open(node->device, file);
	case S_IFIFO:
		return pipe_open_fifo(&node->pipe, file);
	case S_IFLNK:
		return -ELOOP;
	default:
		return -ENXIO;
	}
}

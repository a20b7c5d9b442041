/* devfs.c: /dev: the names in it, and the devices behind them. */
#include "shim/lib/errno.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/devfs.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/pty.h"
#include "shim/vfs/tty.h"

static long null_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)file, (void)uio, (void)pos;
	return 0;
}

static long null_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)file, (void)pos;
	uint64_t size = uio->left;
	uio->left = 0;
	return (long)size;
}

static long full_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)file, (void)pos;
	return uio->left ? -ENOSPC : 0;
}

static int64_t device_seek(struct file *file, int64_t offset, int whence)
{
	(void)offset, (void)whence;
	file->offset = 0;
	return 0;
}

/* Pieces between which signals and other threads get their turn. */
#define PIECE_BYTES 65536u

static long zero_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	long done = 0;
	(void)file, (void)pos;
	while (uio->left) {
		size_t n = uio->left < PIECE_BYTES ? uio->left : PIECE_BYTES;
		long moved = uio_zero_out(uio, n);
		if (moved < 0)
			return done ? done : moved;
		done += moved;
		if ((size_t)moved < n || wait_interrupted())
			break;
		if (uio->left)
			thread_yield();
	}
	return done;
}

static long random_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	uint8_t bytes[256];
	long done = 0;
	(void)file, (void)pos;
	while (uio->left) {
		size_t n = uio->left < sizeof(bytes) ? uio->left : sizeof(bytes);
		random_bytes(bytes, n);
		long moved = uio_write_out(uio, bytes, n);
		if (moved < 0)
			return done ? done : moved;
		done += moved;
		if ((size_t)moved < n || (done % PIECE_BYTES == 0 && wait_interrupted()))
			break;
		if (uio->left && done % PIECE_BYTES == 0)
			thread_yield();
	}
	memset(bytes, 0, sizeof(bytes));
	return done;
}

static long random_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	uint8_t bytes[256];
	long done = 0;
	(void)file, (void)pos;
	while (uio->left) {
		long moved = uio_read_in(uio, bytes, sizeof(bytes));
		if (moved <= 0)
			return done ? done : moved;
		random_mix(bytes, (size_t)moved);
		done += moved;
		if (wait_interrupted())
			break;
	}
	return done;
}

/* The caller's own terminal. */
static int tty_open(struct file *file)
{
	struct tty *tty = process_current()->tty;
	if (!tty)
		return -ENXIO;
	tty->ops->open(tty, file);
	return 0;
}

static const struct file_ops null_ops = {
	.name = "null", .read = null_read, .write = null_write, .seek = device_seek};
static const struct file_ops zero_ops = {
	.name = "zero", .read = zero_read, .write = null_write, .seek = device_seek};
static const struct file_ops full_ops = {
	.name = "full", .read = zero_read, .write = full_write, .seek = device_seek};
static const struct file_ops random_ops = {.name = "random",
					   .read = random_read,
					   .write = random_write,
					   .seek = device_seek};
/* What is opened: ops, or what open gives. */
static const struct device {
	const char *name;
	uint32_t number;
	uint32_t mode;
	const struct file_ops *ops;
	const char *link;
	int (*open)(struct file *file);
} devices[] = {
	{"null", DEVICE(1, 3), S_IFCHR | 0666, &null_ops, NULL, NULL},
	{"zero", DEVICE(1, 5), S_IFCHR | 0666, &zero_ops, NULL, NULL},
	{"full", DEVICE(1, 7), S_IFCHR | 0666, &full_ops, NULL, NULL},
	{"random", DEVICE(1, 8), S_IFCHR | 0666, &random_ops, NULL, NULL},
	{"urandom", DEVICE(1, 9), S_IFCHR | 0666, &random_ops, NULL, NULL},
	{"console", DEVICE(5, 1), S_IFCHR | 0600, NULL, NULL, console_open},
	{"tty", DEVICE(5, 0), S_IFCHR | 0666, NULL, NULL, tty_open},
	{"ptmx", DEVICE(5, 2), S_IFCHR | 0666, NULL, NULL, ptmx_open},
	{"pts", 0, S_IFDIR | 0755, NULL, NULL, NULL},
	{"shm", 0, S_IFDIR | S_ISVTX | 0777, NULL, NULL, NULL},
	{"fd", 0, S_IFLNK | 0777, NULL, "/proc/self/fd", NULL},
	{"stdin", 0, S_IFLNK | 0777, NULL, "/proc/self/fd/0", NULL},
	{"stdout", 0, S_IFLNK | 0777, NULL, "/proc/self/fd/1", NULL},
	{"stderr", 0, S_IFLNK | 0777, NULL, "/proc/self/fd/2", NULL},
};
#define DEVICE_COUNT (sizeof(devices) / sizeof(devices[0]))

int devfs_populate(struct vnode *directory)
{
	for (size_t i = 0; i < DEVICE_COUNT; i++) {
		const struct device *device = &devices[i];
		struct vnode_new what = {.mode = device->mode,
					 .device = device->number,
					 .target = device->link};
		struct vnode *made;
		if (device->link)
			what.target_size = strlen(device->link);
		int rc = directory->ops->create(directory, device->name,
						strlen(device->name), &what, &made);
		if (rc < 0 && rc != -EEXIST)
			return rc;
		if (rc == 0)
			vnode_put(made);
	}
	return 0;
}

int devfs_open(uint32_t number, struct file *file)
{
	if (number >> 8 == PTS_MAJOR)
		return pts_open(number & 0xff, file);
	for (size_t i = 0; i < DEVICE_COUNT; i++) {
		const struct device *device = &devices[i];
		if (device->number != number || !number)
			continue;
		if (device->open)
			return device->open(file);
		file->ops = device->ops;
		return 0;
	}
	return -ENXIO;
}

/* devfs.c: /dev: the names in it, and the devices behind them. */
#include "shim/dev/console.h"
#include "shim/lib/errno.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/devfs.h"
#include "shim/vfs/inode.h"

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

/* The serial console as a terminal without line editing: what programs ask of their streams. */
#define TCGETS 0x5401u
#define TCSETS 0x5402u
#define TCSETSW 0x5403u
#define TCSETSF 0x5404u
#define TIOCGPGRP 0x540fu
#define TIOCSPGRP 0x5410u
#define TIOCGWINSZ 0x5413u
#define TIOCSWINSZ 0x5414u

#define LFLAG_ICANON 2u
enum { CC_VEOF = 4 };

struct linux_termios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line, cc[19];
};
_Static_assert(sizeof(struct linux_termios) == 36, "Linux ABI");

static struct linux_termios console_termios = {
	.iflag = 0x500, .oflag = 5, .cflag = 0xcb2, .lflag = 0x8a3b,
	.cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
};

static long console_file_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	char bytes[256];
	(void)pos;
	if (uio->left == 0)
		return 0;
	for (;;) {
		size_t want = uio->left < sizeof(bytes) ? uio->left : sizeof(bytes);
		int end = console_termios.lflag & LFLAG_ICANON ? console_termios.cc[CC_VEOF] : -1;
		size_t n = console_read(bytes, want, end);
		if (n == 1 && (unsigned char)bytes[0] == end)
			return 0; /* the end of file; what is typed after it can be read again */
		for (size_t i = 0; i < n; i++)
			if (bytes[i] == '\r')
				bytes[i] = '\n'; /* ICRNL */
		if (n)
			return uio_write_out(uio, bytes, n);
		if (!console_waitq())
			return 0;
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(console_waitq(), WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
}

static long console_file_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	char bytes[256];
	long done = 0;
	(void)file, (void)pos;
	while (uio->left) {
		long moved = uio_read_in(uio, bytes, sizeof(bytes));
		if (moved <= 0)
			return done ? done : moved;
		console_write(bytes, (size_t)moved);
		done += moved;
		if (wait_interrupted())
			break;
	}
	return done;
}

static uint32_t console_file_poll(struct file *file, struct poll_table *table)
{
	(void)file;
	if (console_waitq())
		poll_add(table, console_waitq());
	return POLLOUT | POLLWRNORM | (console_has_input() ? POLLIN | POLLRDNORM : 0);
}

static long console_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	static const uint16_t window[4] = {24, 80, 0, 0};
	uaddr user = {argument};
	int32_t group;
	(void)file;
	switch (command) {
	case TCGETS:
		return copy_to_user(user, &console_termios, sizeof(console_termios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return copy_from_user(&console_termios, user, sizeof(console_termios));
	case TIOCGWINSZ:
		return copy_to_user(user, window, sizeof(window));
	case TIOCSWINSZ:
	case TIOCSPGRP:
		return 0;
	case TIOCGPGRP:
		group = process_current()->pgid;
		return copy_to_user(user, &group, sizeof(group));
	default:
		return -ENOTTY;
	}
}

static int console_stat(struct file *file, struct stat_values *out)
{
	if (file->vnode)
		return vnode_stat(file->vnode, out);
	*out = (struct stat_values){.device = 6, .inode = 12, .mode = S_IFCHR | 0620, .links = 1,
				    .block_size = PAGE_SIZE, .device_number = DEVICE(5, 1)};
	return 0;
}

static const struct file_ops null_ops = {
	.name = "null", .read = null_read, .write = null_write, .seek = device_seek};
static const struct file_ops zero_ops = {
	.name = "zero", .read = zero_read, .write = null_write, .seek = device_seek};
static const struct file_ops full_ops = {
	.name = "full", .read = zero_read, .write = full_write, .seek = device_seek};
static const struct file_ops random_ops = {
	.name = "random", .read = random_read, .write = random_write, .seek = device_seek};
static const struct file_ops console_ops = {
	.name = "console", .read = console_file_read, .write = console_file_write,
	.poll = console_file_poll, .ioctl = console_ioctl, .stat = console_stat};

struct file *console_file_make(struct account *account)
{
	return file_make(account, &console_ops, O_RDWR, NULL);
}

/* The program of run mode alone has the console; others' /dev/tty is nobody's. */
static const struct device {
	const char *name;
	uint32_t number;
	uint32_t mode;
	const struct file_ops *ops;
	const char *link;
} devices[] = {
	{"null", DEVICE(1, 3), S_IFCHR | 0666, &null_ops, NULL},
	{"zero", DEVICE(1, 5), S_IFCHR | 0666, &zero_ops, NULL},
	{"full", DEVICE(1, 7), S_IFCHR | 0666, &full_ops, NULL},
	{"random", DEVICE(1, 8), S_IFCHR | 0666, &random_ops, NULL},
	{"urandom", DEVICE(1, 9), S_IFCHR | 0666, &random_ops, NULL},
	{"console", DEVICE(5, 1), S_IFCHR | 0600, &console_ops, NULL},
	{"tty", DEVICE(5, 0), S_IFCHR | 0666, NULL, NULL},
	{"shm", 0, S_IFDIR | S_ISVTX | 0777, NULL, NULL},
	{"fd", 0, S_IFLNK | 0777, NULL, "/proc/self/fd"},
	{"stdin", 0, S_IFLNK | 0777, NULL, "/proc/self/fd/0"},
	{"stdout", 0, S_IFLNK | 0777, NULL, "/proc/self/fd/1"},
	{"stderr", 0, S_IFLNK | 0777, NULL, "/proc/self/fd/2"},
};
#define DEVICE_COUNT (sizeof(devices) / sizeof(devices[0]))

int devfs_populate(struct vnode *directory)
{
	for (size_t i = 0; i < DEVICE_COUNT; i++) {
		const struct device *device = &devices[i];
		struct vnode_new what = {
			.mode = device->mode, .device = device->number, .target = device->link};
		struct vnode *made;
		if (device->link)
			what.target_size = strlen(device->link);
		int rc = directory->ops->create(directory, device->name, strlen(device->name),
						&what, &made);
		if (rc < 0 && rc != -EEXIST)
			return rc;
		if (rc == 0)
			vnode_put(made);
	}
	return 0;
}

int devfs_open(uint32_t number, struct file *file)
{
	for (size_t i = 0; i < DEVICE_COUNT; i++) {
		if (devices[i].number != number || !number || !devices[i].ops)
			continue;
		if (devices[i].ops == &console_ops && !job_current()->has_console)
			return -ENXIO;
		file->ops = devices[i].ops;
		return 0;
	}
	return -ENXIO;
}

/* pty.c: pseudo-terminals. The master is the keyboard and the screen of a tty that
 * programs use by the name /dev/pts/N, which is there as long as the master is open. */
#include "shim/vfs/pty.h"

#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/tty.h"

#define OUTPUT_SIZE 8192u /* a power of two */
#define PTYS_MAX    256u  /* minor numbers of one byte; Linux: 4096 */

#define TIOCGPTN    0x80045430u
#define TIOCSPTLCK  0x40045431u
#define TIOCGPTLCK  0x80045439u
#define TIOCGPTPEER 0x5441u
#define TIOCSIG     0x40045436u
#define FIONREAD    0x541bu

struct pty {
	struct tty tty;
	struct list link; /* ptys */
	uint32_t number;  /* in its job */
	bool locked;      /* until unlockpt */
	bool opened;      /* the slave, ever */
	uint32_t slaves;  /* open files of it */
	char output[OUTPUT_SIZE];
	uint32_t head, tail; /* free-running */
	struct waitq master; /* woken when the master can read or write more */
};

static struct list ptys = LIST_INIT(ptys); /* with an open master, of all jobs */

static struct pty *pty_of(struct tty *tty)
{
	return container_of(tty, struct pty, tty);
}

/* Towards the master. */

static size_t output_room(const struct tty *tty)
{
	const struct pty *pty = container_of(tty, struct pty, tty);
	return OUTPUT_SIZE - (pty->head - pty->tail);
}

static void output_put(struct tty *tty, const char *bytes, size_t size)
{
	struct pty *pty = pty_of(tty);
	for (size_t i = 0; i < size; i++)
		pty->output[pty->head++ % OUTPUT_SIZE] = bytes[i];
	waitq_wake(&pty->master, POLLIN | POLLRDNORM);
}

static void input_taken(struct tty *tty)
{
	waitq_wake(&pty_of(tty)->master, POLLOUT | POLLWRNORM);
}

static void pty_free(struct tty *tty)
{
	kfree(pty_of(tty));
}

static const struct file_ops slave_ops;

static void slave_open(struct tty *tty, struct file *file)
{
	struct pty *pty = pty_of(tty);
	pty->slaves++;
	pty->opened = true;
	tty_get(tty);
	file->data = pty;
	file->ops = &slave_ops;
}

static const struct tty_ops pty_tty_ops = {
	.open = slave_open,
	.room = output_room,
	.put = output_put,
	.input_taken = input_taken,
	.free = pty_free,
};

/* The master's side. */

static bool slave_gone(const struct pty *pty)
{
	return pty->opened && pty->slaves == 0;
}

static long master_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct pty *pty = file->data;
	long done = 0;
	(void)pos;
	if (uio->left == 0)
		return 0;
	while (pty->head == pty->tail) {
		if (slave_gone(pty))
			return -EIO;
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(&pty->master, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
	while (uio->left && pty->head != pty->tail) {
		uint32_t at = pty->tail % OUTPUT_SIZE, n = OUTPUT_SIZE - at;
		if (n > pty->head - pty->tail)
			n = pty->head - pty->tail;
		long moved = uio_write_out(uio, pty->output + at, n);
		if (moved < 0)
			return done ? done : moved;
		pty->tail += (uint32_t)moved;
		done += moved;
	}
	waitq_wake(&pty->tty.changed, POLLOUT | POLLWRNORM);
	return done;
}

/* Types what there is room for. */
static size_t type(struct pty *pty, const uint8_t *bytes, size_t size)
{
	size_t done = 0;
	while (done < size && tty_receive(&pty->tty, bytes[done]))
		done++;
	return done;
}

static long master_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct pty *pty = file->data;
	uint8_t bytes[256];
	long done = 0;
	(void)pos;
	while (uio->left) {
		long got = uio_read_in(uio, bytes, sizeof(bytes));
		if (got <= 0)
			return done ? done : got;
		for (size_t typed = 0;;) {
			size_t n = type(pty, bytes + typed, (size_t)got - typed);
			typed += n;
			done += (long)n;
			if (typed == (size_t)got)
				break;
			if (file_io_flags(file, uio) & O_NONBLOCK)
				return done ? done : -EAGAIN;
			if (wait_on(&pty->master, WAIT_FOREVER) == -EINTR)
				return done ? done : -ERESTARTSYS;
		}
		if (wait_interrupted())
			break;
	}
	return done;
}

static uint32_t master_poll(struct file *file, struct poll_table *table)
{
	struct pty *pty = file->data;
	poll_add(table, &pty->master);
	uint32_t events = pty->head != pty->tail ? POLLIN | POLLRDNORM : 0;
	if (tty_has_input_room(&pty->tty))
		events |= POLLOUT | POLLWRNORM;
	return events | (slave_gone(pty) ? POLLHUP : 0);
}

/* TIOCGPTPEER: the slave, whatever has become of its name. */
static long open_peer(struct pty *pty, uint32_t flags)
{
	struct path_context paths = process_paths(process_current());
	char name[24];
	struct file *file;
	ksnprintf(name, sizeof(name), "/dev/pts/%u", pty->number);
	int rc = path_open(&paths, name, 0, (int)flags, 0, &file);
	if (rc < 0)
		return rc;
	int fd = fdtable_install(process_current()->fds, file, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

static long master_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	struct pty *pty = file->data;
	uaddr user = {argument};
	int32_t value = pty->locked;
	switch (command) {
	case TIOCGPTN:
		return copy_to_user(user, &pty->number, sizeof(pty->number));
	case TIOCSPTLCK:
		if (copy_from_user(&value, user, sizeof(value)) < 0)
			return -EFAULT;
		pty->locked = value != 0;
		return 0;
	case TIOCGPTLCK:
		return copy_to_user(user, &value, sizeof(value));
	case TIOCGPTPEER:
		return open_peer(pty, (uint32_t)argument);
	case TIOCSIG:
		if (argument < 1 || argument > SIGNAL_COUNT)
			return -EINVAL;
		tty_signal_foreground(&pty->tty, (int)argument);
		return 0;
	case FIONREAD:
		value = (int32_t)(pty->head - pty->tail);
		return copy_to_user(user, &value, sizeof(value));
	default:
		return tty_ioctl(&pty->tty, command, argument, true);
	}
}

/* The name of a slave in /dev/pts: made with the master, gone with it. */
static int name_change(struct pty *pty, bool make)
{
	struct path_context paths = {.root = pty->tty.job->rootfs};
	struct vnode_new what = {.mode = S_IFCHR | 0620,
				 .device = DEVICE(PTS_MAJOR, pty->number)};
	struct vnode *folder, *made;
	char name[12];
	int rc = path_lookup(&paths, "/dev/pts", PATH_FOLLOW, &folder);
	if (rc < 0)
		return rc;
	size_t size = (size_t)ksnprintf(name, sizeof(name), "%u", pty->number);
	if (!folder->ops->create)
		rc = -EROFS;
	else if (make)
		rc = folder->ops->create(folder, name, size, &what, &made);
	else
		rc = folder->ops->remove(folder, name, size, false);
	if (rc == 0 && make)
		vnode_put(made);
	vnode_put(folder);
	return rc;
}

static void master_release(struct file *file)
{
	struct pty *pty = file->data;
	list_remove(&pty->link);
	(void)name_change(pty, false); /* whoever took the name away was first */
	tty_hang_up(&pty->tty);
	tty_put(&pty->tty);
}

static const struct file_ops master_ops = {
	.name = "ptmx",
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.async = FILE_ASYNC_TERMINAL,
	.ioctl = master_ioctl,
	.release = master_release,
};

static struct pty *find(const struct job *job, uint32_t number)
{
	list_for_each(pty, &ptys, struct pty, link)
		if (pty->tty.job == job && pty->number == number)
			return pty;
	return NULL;
}

int ptmx_open(struct file *file)
{
	struct job *job = job_current();
	uint32_t number = 0;
	while (find(job, number))
		if (++number == PTYS_MAX)
			return -ENOSPC;
	struct pty *pty = kzalloc(&job->account, sizeof(*pty));
	if (!pty)
		return -ENOMEM;
	tty_init(&pty->tty, &pty_tty_ops);
	pty->tty.job = job;
	pty->number = number;
	pty->tty.device = DEVICE(PTS_MAJOR, number);
	pty->locked = true;
	waitq_init(&pty->master);
	int rc = name_change(pty, true);
	if (rc < 0 && rc != -EEXIST) {
		kfree(pty);
		return rc;
	}
	list_append(&ptys, &pty->link);
	file->data = pty;
	file->ops = &master_ops;
	return 0;
}

/* The slave's side. */

static long slave_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)pos;
	return tty_read(&((struct pty *)file->data)->tty, file, uio);
}

static long slave_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)pos;
	return tty_write(&((struct pty *)file->data)->tty, file, uio);
}

static uint32_t slave_poll(struct file *file, struct poll_table *table)
{
	return tty_poll(&((struct pty *)file->data)->tty, table);
}

static long slave_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	return tty_ioctl(&((struct pty *)file->data)->tty, command, argument, false);
}

static void slave_release(struct file *file)
{
	struct pty *pty = file->data;
	if (--pty->slaves == 0)
		waitq_wake(&pty->master, POLLHUP | POLLIN | POLLOUT);
	tty_put(&pty->tty);
}

static const struct file_ops slave_ops = {
	.name = "pts",
	.read = slave_read,
	.write = slave_write,
	.poll = slave_poll,
	.async = FILE_ASYNC_TERMINAL,
	.ioctl = slave_ioctl,
	.release = slave_release,
};

int pts_open(uint32_t number, struct file *file)
{
	struct pty *pty = find(job_current(), number);
	if (!pty || pty->locked)
		return -EIO;
	slave_open(&pty->tty, file);
	tty_opened(&pty->tty, file);
	return 0;
}

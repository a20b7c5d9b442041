/* eventfd.c: eventfd(2): a 64-bit counter as a file. */
#include "shim/vfs/eventfd.h"

#include "shim/lib/errno.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/inode.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	uint64_t count;
	bool semaphore;
	struct waitq changed;
};

static long eventfd_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct eventfd *event = file->data;
	(void)pos;
	if (uio->left < sizeof(uint64_t))
		return -EINVAL;
	while (event->count == 0) {
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(&event->changed, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
	uint64_t value = event->semaphore ? 1 : event->count;
	event->count -= value;
	waitq_wake(&event->changed, POLLOUT | POLLWRNORM);
	return uio_write_out(uio, &value, sizeof(value));
}

static long eventfd_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct eventfd *event = file->data;
	uint64_t value;
	(void)pos;
	if (uio->left < sizeof(value))
		return -EINVAL;
	if (uio_read_in(uio, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	while (event->count > COUNT_MAX - value) {
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(&event->changed, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
	event->count += value;
	waitq_wake(&event->changed, POLLIN | POLLRDNORM);
	return sizeof(value);
}

static uint32_t eventfd_poll(struct file *file, struct poll_table *table)
{
	struct eventfd *event = file->data;
	poll_add(table, &event->changed);
	return (event->count ? POLLIN | POLLRDNORM : 0) |
	       (event->count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static void eventfd_release(struct file *file)
{
	kfree(file->data);
}

static const struct file_ops eventfd_ops = {
	.name = "anon_inode:[eventfd]",
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
};

int eventfd_make(uint64_t initial, bool semaphore, uint32_t flags, struct file **out)
{
	struct account *account = &job_current()->account;
	struct eventfd *event = kzalloc(account, sizeof(*event));
	if (!event)
		return -ENOMEM;
	event->count = initial;
	event->semaphore = semaphore;
	waitq_init(&event->changed);
	*out = file_make(account, &eventfd_ops, flags | O_RDWR, event);
	if (*out)
		return 0;
	kfree(event);
	return -ENOMEM;
}

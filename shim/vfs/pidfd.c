/* pidfd.c: processes as files, readable to poll once they have ended. */
#include "shim/vfs/pidfd.h"

#include "shim/lib/errno.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/vfs/inode.h"

struct pidfd {
	struct process *process; /* NULL: waited for */
	struct list link;        /* in process->pidfds */
	struct waitq ended;
};

static uint32_t pidfd_poll(struct file *file, struct poll_table *table)
{
	struct pidfd *pidfd = file->data;
	poll_add(table, &pidfd->ended);
	bool ended = !pidfd->process || pidfd->process->state == PROCESS_ZOMBIE;
	return ended ? POLLIN | POLLRDNORM : 0;
}

static void pidfd_release(struct file *file)
{
	struct pidfd *pidfd = file->data;
	list_remove(&pidfd->link);
	kfree(pidfd);
}

static const struct file_ops pidfd_ops = {
	.name = "anon_inode:[pidfd]",
	.poll = pidfd_poll,
	.release = pidfd_release,
};

int pidfd_make(struct process *process, uint32_t flags, struct file **out)
{
	struct account *account = &process->job->account;
	struct pidfd *pidfd = kzalloc(account, sizeof(*pidfd));
	if (!pidfd)
		return -ENOMEM;
	*out = file_make(account, &pidfd_ops, flags | O_RDWR, pidfd);
	if (!*out) {
		kfree(pidfd);
		return -ENOMEM;
	}
	pidfd->process = process;
	waitq_init(&pidfd->ended);
	list_append(&process->pidfds, &pidfd->link);
	return 0;
}

bool pidfd_is(const struct file *file)
{
	return file->ops == &pidfd_ops;
}

struct process *pidfd_process(const struct file *file)
{
	return ((const struct pidfd *)file->data)->process;
}

void pidfd_process_ended(struct process *process)
{
	list_for_each(pidfd, &process->pidfds, struct pidfd, link)
		waitq_wake(&pidfd->ended, POLLIN | POLLRDNORM);
}

void pidfd_process_freed(struct process *process)
{
	list_for_each_safe(pidfd, &process->pidfds, struct pidfd, link) {
		list_remove(&pidfd->link);
		pidfd->process = NULL;
	}
}

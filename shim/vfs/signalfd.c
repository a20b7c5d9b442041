/* signalfd.c: signalfd(2): reading takes signals that are pending for whoever reads, not
 * for whoever made the file. */
#include "shim/vfs/signalfd.h"

#include "shim/lib/errno.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/sys/sys.h"
#include "shim/vfs/inode.h"

struct signalfd {
	struct signal_mask mask;
};

/* struct signalfd_siginfo of <linux/signalfd.h>. */
struct signalfd_info {
	uint32_t signo;
	int32_t error, code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t tid, band, overrun, trap;
	int32_t status, number;
	uint64_t pointer, user_time, system_time, address;
	uint16_t address_lsb;
	uint8_t padding[46];
};
_Static_assert(sizeof(struct signalfd_info) == 128, "Linux ABI");

static struct signalfd_info info_of(const struct signal_info *from)
{
	struct signalfd_info info = {
		.signo = (uint32_t)from->signo, .error = from->error, .code = from->code};
	bool fault = from->signo == SIGILL || from->signo == SIGFPE ||
		     from->signo == SIGSEGV || from->signo == SIGBUS ||
		     from->signo == SIGTRAP;
	if (fault && from->code > 0 && from->code != SI_KERNEL) {
		info.address = from->value;
		return info;
	}
	if (from->from_file) {
		info.band = (uint32_t)from->value;
		info.fd = from->status;
		return info;
	}
	if (from->code == SI_TIMER) {
		info.tid = (uint32_t)from->pid;
		info.overrun = from->uid;
	} else {
		info.pid = (uint32_t)from->pid;
		info.uid = from->uid;
	}
	if (from->signo == SIGCHLD && from->code > 0) {
		info.status = from->status;
	} else {
		info.number = (int32_t)from->value;
		info.pointer = from->value;
	}
	return info;
}

static long signalfd_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct signalfd *signals = file->data;
	struct thread *self = thread_current();
	struct signal_info taken;
	long done = 0;
	(void)pos;
	if (uio->left < sizeof(struct signalfd_info))
		return -EINVAL;
	while (uio->left >= sizeof(struct signalfd_info)) {
		if (signal_take(self, signals->mask, &taken)) {
			struct signalfd_info info = info_of(&taken);
			long moved = uio_write_out(uio, &info, sizeof(info));
			if (moved != sizeof(info))
				return done ? done : -EFAULT;
			done += moved;
			continue;
		}
		if (done)
			break;
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(&self->job->signalled, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
	return done;
}

static uint32_t signalfd_poll(struct file *file, struct poll_table *table)
{
	const struct signalfd *signals = file->data;
	const struct thread *self = thread_current();
	poll_add(table, &self->job->signalled);
	if (!self->process)
		return 0;
	uint64_t pending =
		self->pending.pending.bits | self->process->pending.pending.bits;
	return pending & signals->mask.bits ? POLLIN | POLLRDNORM : 0;
}

static void signalfd_release(struct file *file)
{
	kfree(file->data);
}

static const struct file_ops signalfd_ops = {
	.name = "anon_inode:[signalfd]",
	.read = signalfd_read,
	.poll = signalfd_poll,
	.release = signalfd_release,
};

int signalfd_make(struct signal_mask mask, uint32_t flags, struct file **out)
{
	struct account *account = &job_current()->account;
	struct signalfd *signals = kzalloc(account, sizeof(*signals));
	if (!signals)
		return -ENOMEM;
	signals->mask = mask;
	*out = file_make(account, &signalfd_ops, flags | O_RDWR, signals);
	if (*out)
		return 0;
	kfree(signals);
	return -ENOMEM;
}

int signalfd_set(struct file *file, struct signal_mask mask)
{
	struct signalfd *signals = file->data;
	if (file->ops != &signalfd_ops)
		return -EINVAL;
	signals->mask = mask;
	waitq_wake(&job_current()->signalled, 0);
	return 0;
}

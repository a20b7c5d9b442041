/* async.c: O_ASYNC. A file that has it hangs a waiter in each of its own wait queues, as
 * epoll does; a wake-up there becomes a signal when it is one that Linux tells of. Linux
 * sends from calls of kill_fasync beside its wake-ups: which, stands in enum file_async
 * (file.h). */
#include "shim/vfs/async.h"

#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/tty.h"

/* Queues that one file may tell poll_add of. */
#define QUEUES_MAX 3u

struct async_waiter {
	struct waiter waiter;
	struct async *async;
};

struct async {
	struct file *file;
	struct job *job; /* its owner's; not counted: async_job_ended */
	struct list link;
	int fd;
	bool no_room; /* a write would have had to wait since room was last told of */
	uint32_t waiter_count;
	struct async_waiter waiter[QUEUES_MAX];
};

static struct list all = LIST_INIT(all);

/* Why, as si_code, and the si_band that goes with it: Linux' band_table. */
enum { POLL_IN = 1, POLL_OUT, POLL_MSG, POLL_ERR, POLL_PRI, POLL_HUP };
static const uint32_t bands[] = {
	[POLL_IN] = POLLIN | POLLRDNORM,
	[POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
	[POLL_ERR] = POLLERR,
	[POLL_HUP] = POLLHUP | POLLERR,
};

/* Of a signal that could not be queued the owner still hears, as SIGIO. */
static void send(struct process *process, struct thread *thread,
		 const struct signal_info *info)
{
	static const struct signal_info plain = {.signo = SIGIO, .code = SI_KERNEL};
	bool queued = thread ? signal_send_thread(thread, info)
			     : signal_send_process(process, info);
	if (queued || info->signo < SIGRTMIN || signal_is_ignored(process, info->signo))
		return;
	if (thread)
		signal_send_thread(thread, &plain);
	else
		signal_send_process(process, &plain);
}

static void tell(const struct async *async, int why)
{
	const struct file *file = async->file;
	/* Only who chose a signal learns what it is about. */
	struct signal_info info = {.signo = SIGIO, .code = SI_KERNEL};
	if (file->owner_signal)
		info = (struct signal_info){.signo = file->owner_signal,
					    .code = why,
					    .from_file = true,
					    .value = bands[why],
					    .status = async->fd};
	list_for_each_safe(process, &async->job->processes, struct process, job_link) {
		struct thread *thread = NULL;
		bool is_owner = false;
		if (file->owner_type == ASYNC_OWNER_PROCESS)
			is_owner = process->pid == file->owner;
		else if (file->owner_type == ASYNC_OWNER_GROUP)
			is_owner = process->pgid == file->owner;
		else
			thread = thread_find(process, file->owner);
		if ((is_owner || thread) && process->state == PROCESS_RUNNING)
			send(process, thread, &info);
	}
}

static bool may(const struct file *file, uint32_t not_mode)
{
	return (file->flags & O_ACCMODE) != not_mode;
}

/* What a wake-up means to the owner; 0: nothing. first: of the file's first queue, which
 * hears of everything but room. */
static int reason(struct async *async, uint32_t events, bool first)
{
	struct file *file = async->file;
	enum file_async kind = file->ops->async;
	if (kind == FILE_ASYNC_PIPE) {
		if (may(file, O_WRONLY) && (events & POLLIN))
			return POLL_IN;
		return may(file, O_RDONLY) && (events & POLLOUT) ? POLL_OUT : 0;
	}
	if (events & POLLHUP) {
		if (kind != FILE_ASYNC_SOCKET || !first)
			return 0;
		return file->ops->poll(file, NULL) & POLLHUP ? POLL_HUP : POLL_IN;
	}
	if (events & POLLIN)
		return first ? POLL_IN : 0;
	if ((events & POLLOUT) && async->no_room) {
		async->no_room = false;
		return POLL_OUT;
	}
	return first && (events & POLLERR) ? POLL_ERR : 0;
}

static bool async_woken(struct waiter *self, uint32_t events)
{
	struct async_waiter *w = container_of(self, struct async_waiter, waiter);
	struct async *async = w->async;
	int why = async->file->owner ? reason(async, events, w == async->waiter) : 0;
	if (why)
		tell(async, why);
	return false;
}

struct async_poll {
	struct poll_table table;
	struct async *async;
	const struct waitq *first;
};

static void add_queue(struct poll_table *table, struct waitq *q)
{
	struct async_poll *poll = container_of(table, struct async_poll, table);
	struct async *async = poll->async;
	KASSERT(async->waiter_count < QUEUES_MAX);
	if (!poll->first)
		poll->first = q;
	struct async_waiter *w = &async->waiter[async->waiter_count++];
	w->async = async;
	w->waiter.wake = async_woken;
	waitq_add(q, &w->waiter);
}

/* A terminal without an owner gets one: its foreground, or who asked (Linux' tty_fasync).
 */
static void adopt(struct file *file, const struct waitq *q)
{
	const struct process *self = process_current();
	bool own = self->tty && q == &self->tty->changed;
	int group = own ? self->tty->foreground : 0;
	file->owner_type = group > 0 ? ASYNC_OWNER_GROUP : ASYNC_OWNER_PROCESS;
	file->owner = group > 0 ? group : self->pid;
}

static int start(struct file *file, int fd)
{
	struct async *async = kzalloc(&job_current()->account, sizeof(*async));
	if (!async)
		return -ENOMEM;
	async->file = file;
	async->job = job_current();
	async->fd = fd;
	list_append(&all, &async->link);
	file->async = async;
	file->flags |= O_ASYNC;
	struct async_poll poll = {{add_queue}, async, NULL};
	(void)file->ops->poll(file, &poll.table);
	if (!file->owner && file->ops->async == FILE_ASYNC_TERMINAL)
		adopt(file, poll.first);
	return 0;
}

static void stop(struct async *async)
{
	for (uint32_t i = 0; i < async->waiter_count; i++)
		waitq_remove(&async->waiter[i].waiter);
	list_remove(&async->link);
	async->file->async = NULL;
	async->file->flags &= ~O_ASYNC;
	kfree(async);
}

int async_set(struct file *file, int fd, bool on)
{
	if (file->ops->async == FILE_ASYNC_NONE)
		return 0;
	if (!on) {
		async_forget_file(file);
		return 0;
	}
	if (!file->async)
		return start(file, fd);
	file->async->fd = fd;
	return 0;
}

void async_no_room(struct file *file)
{
	if (file->async)
		file->async->no_room = true;
}

void async_forget_file(struct file *file)
{
	if (file->async)
		stop(file->async);
}

void async_job_ended(const struct job *job)
{
	list_for_each_safe(async, &all, struct async, link)
		if (async->job == job)
			stop(async);
}

static bool exists(int type, int id)
{
	const struct signal_info ask = {0};
	struct job *job = job_current();
	return type == ASYNC_OWNER_GROUP ? signal_send_group(job, id, &ask)
					 : process_with(job, id) != NULL;
}

int async_owner_set(struct file *file, int type, int id)
{
	if (id && !exists(type, id))
		return -ESRCH;
	file->owner_type = (uint8_t)type;
	file->owner = id;
	return 0;
}

int async_owner(const struct file *file)
{
	return file->owner && exists(file->owner_type, file->owner) ? file->owner : 0;
}

/* epoll.c: epoll(7). An item is one watched file (and the number it was named by); its
 * waiters sit in the file's wait queues and move it to the ready list. */
#include "shim/vfs/epoll.h"

#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/vfs/inode.h"

#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP    (1u << 29)
#define EPOLLONESHOT   (1u << 30)
#define EPOLLET        (1u << 31)
#define ALWAYS         (POLLERR | POLLHUP)
#define FLAGS          (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)
/* Linux' list of what may stand beside EPOLLEXCLUSIVE. */
#define WITH_EXCLUSIVE                                                                   \
	(POLLIN | POLLOUT | ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define NESTING_MAX 5u
/* Queues that one file may tell poll_add of. */
#define QUEUES_MAX  3u

enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL, EPOLL_CTL_MOD };

struct epoll {
	struct account *account;
	struct list items;
	struct list ready;
	struct waitq changed;
};

struct item;
struct item_waiter {
	struct waiter waiter;
	struct item *item;
};

struct item {
	struct epoll *epoll;
	struct file *file; /* not counted: its last put removes the item */
	int fd;
	struct list link;       /* epoll->items */
	struct list file_link;  /* file->epolls */
	struct list ready_link; /* epoll->ready, or empty */
	struct epoll_event_bytes event;
	bool disabled; /* EPOLLONESHOT has fired */
	uint32_t waiter_count;
	struct item_waiter waiter[QUEUES_MAX];
};

static const struct file_ops epoll_ops;

/* Did somebody wait for that? */
static bool mark_ready(struct item *item)
{
	struct epoll *epoll = item->epoll;
	if (item->disabled || !list_empty(&item->ready_link))
		return false;
	bool awaited = !list_empty(&epoll->changed.waiters);
	list_append(&epoll->ready, &item->ready_link);
	waitq_wake(&epoll->changed, POLLIN | POLLRDNORM);
	return awaited;
}

static bool item_woken(struct waiter *self, uint32_t events)
{
	struct item *item = container_of(self, struct item_waiter, waiter)->item;
	uint32_t wanted = (item->event.events & ~FLAGS) | ALWAYS;
	return (!events || (events & wanted)) && mark_ready(item);
}

struct item_poll {
	struct poll_table table;
	struct item *item;
};

static void add_queue(struct poll_table *table, struct waitq *q)
{
	struct item *item = container_of(table, struct item_poll, table)->item;
	KASSERT(item->waiter_count < QUEUES_MAX);
	struct item_waiter *w = &item->waiter[item->waiter_count++];
	w->item = item;
	w->waiter.wake = item_woken;
	w->waiter.exclusive = item->event.events & EPOLLEXCLUSIVE;
	waitq_add(q, &w->waiter);
}

static uint32_t item_events(struct item *item, struct poll_table *table)
{
	struct file *file = item->file;
	uint32_t events = file->ops->poll ? file->ops->poll(file, table)
					  : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return events & ((item->event.events & ~FLAGS) | ALWAYS);
}

static void item_free(struct item *item)
{
	for (uint32_t i = 0; i < item->waiter_count; i++)
		waitq_remove(&item->waiter[i].waiter);
	list_remove(&item->link);
	list_remove(&item->file_link);
	list_remove(&item->ready_link);
	kfree(item);
}

void epoll_forget_file(struct file *file)
{
	list_for_each_safe(item, &file->epolls, struct item, file_link)
		item_free(item);
}

static void epoll_release(struct file *file)
{
	struct epoll *epoll = file->data;
	list_for_each_safe(item, &epoll->items, struct item, link)
		item_free(item);
	kfree(epoll);
}

static uint32_t epoll_poll(struct file *file, struct poll_table *table)
{
	struct epoll *epoll = file->data;
	poll_add(table, &epoll->changed);
	list_for_each_safe(item, &epoll->ready, struct item, ready_link) {
		if (item_events(item, NULL))
			return POLLIN | POLLRDNORM;
		list_remove(&item->ready_link);
	}
	return 0;
}

static const struct file_ops epoll_ops = {
	.name = "anon_inode:[eventpoll]",
	.poll = epoll_poll,
	.release = epoll_release,
};

int epoll_make(struct file **out)
{
	struct account *account = &job_current()->account;
	struct epoll *epoll = kzalloc(account, sizeof(*epoll));
	if (!epoll)
		return -ENOMEM;
	epoll->account = account;
	list_init(&epoll->items);
	list_init(&epoll->ready);
	waitq_init(&epoll->changed);
	*out = file_make(account, &epoll_ops, O_RDWR, epoll);
	if (*out)
		return 0;
	kfree(epoll);
	return -ENOMEM;
}

static struct item *find(struct epoll *epoll, const struct file *file, int fd)
{
	/* Of the two lists the file's is short: most files are watched once. */
	list_for_each(item, &file->epolls, struct item, file_link)
		if (item->epoll == epoll && item->fd == fd)
			return item;
	return NULL;
}

/* Would watching file let a wake-up come back to epoll, or nest too deep? */
static bool would_loop(const struct epoll *epoll, const struct file *file, unsigned depth)
{
	if (file->ops != &epoll_ops)
		return false;
	const struct epoll *inner = file->data;
	if (inner == epoll || depth >= NESTING_MAX)
		return true;
	list_for_each(item, &inner->items, struct item, link)
		if (would_loop(epoll, item->file, depth + 1))
			return true;
	return false;
}

static int add(struct epoll *epoll, struct file *file, int fd,
	       const struct epoll_event_bytes *event)
{
	if (event->events & EPOLLEXCLUSIVE &&
	    (event->events & ~WITH_EXCLUSIVE || file->ops == &epoll_ops))
		return -EINVAL;
	if (would_loop(epoll, file, 1))
		return -ELOOP;
	struct item *item = kzalloc(epoll->account, sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->epoll = epoll;
	item->file = file;
	item->fd = fd;
	item->event = *event;
	list_append(&epoll->items, &item->link);
	list_append(&file->epolls, &item->file_link);
	list_init(&item->ready_link);
	struct item_poll poll = {{add_queue}, item};
	if (item_events(item, &poll.table))
		(void)mark_ready(item);
	return 0;
}

int epoll_change(struct file *epoll_file, int operation, struct file *target, int fd,
		 const struct epoll_event_bytes *event)
{
	struct epoll *epoll = epoll_file->data;
	struct vnode *vnode = target->vnode;
	bool plain = vnode && (mode_is(vnode_mode(vnode), S_IFREG) ||
			       mode_is(vnode_mode(vnode), S_IFDIR));
	if (plain && !target->ops->poll)
		return -EPERM;
	if (epoll_file->ops != &epoll_ops || epoll_file == target)
		return -EINVAL;
	struct item *item = find(epoll, target, fd);
	switch (operation) {
	case EPOLL_CTL_ADD:
		return item ? -EEXIST : add(epoll, target, fd, event);
	case EPOLL_CTL_DEL:
		if (!item)
			return -ENOENT;
		item_free(item);
		return 0;
	case EPOLL_CTL_MOD:
		if (!item)
			return -ENOENT;
		if ((item->event.events | event->events) & EPOLLEXCLUSIVE)
			return -EINVAL;
		item->event = *event;
		item->disabled = false;
		if (item_events(item, NULL))
			(void)mark_ready(item);
		return 0;
	default:
		return -EINVAL;
	}
}

int epoll_collect(struct file *file, uaddr to, int count)
{
	struct epoll *epoll = file->data;
	struct list again; /* level triggered: reported now, to be looked at again */
	int taken = 0;
	bool copied = true;
	list_init(&again);
	while (copied && taken < count && !list_empty(&epoll->ready)) {
		struct item *item =
			list_entry(epoll->ready.next, struct item, ready_link);
		list_remove(&item->ready_link);
		struct epoll_event_bytes event = item->event;
		event.events = item_events(item, NULL);
		if (!event.events)
			continue;
		copied = copy_to_user(uaddr_add(to, (uint64_t)taken * sizeof(event)),
				      &event, sizeof(event)) == 0;
		if (!copied) { /* still to be told */
			list_prepend(&epoll->ready, &item->ready_link);
			break;
		}
		taken++;
		if (item->event.events & EPOLLONESHOT)
			item->disabled = true;
		else if (!(item->event.events & EPOLLET))
			list_append(&again, &item->ready_link);
	}
	while (!list_empty(&again)) {
		struct list *link = again.next;
		list_remove(link);
		list_append(&epoll->ready, link);
	}
	return copied || taken ? taken : -EFAULT;
}

struct waitq *epoll_waitq(struct file *file)
{
	return file->ops == &epoll_ops ? &((struct epoll *)file->data)->changed : NULL;
}

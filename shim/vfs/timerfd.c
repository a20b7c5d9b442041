/* timerfd.c: timerfd_create(2): a timer as a file. Expirations are counted when they are
 * asked for, so that a short interval costs nothing while nobody looks. */
#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/eventfd.h"
#include "shim/vfs/inode.h"

enum {
	CLOCK_REALTIME_ID = 0,
	CLOCK_MONOTONIC_ID = 1,
	CLOCK_BOOTTIME_ID = 7,
	CLOCK_REALTIME_ALARM_ID = 8,
	CLOCK_BOOTTIME_ALARM_ID = 9
};

struct timerfd {
	struct timer timer;
	uint64_t next_ns; /* monotonic: the next expiration not counted; 0: disarmed */
	uint64_t interval_ns;
	uint64_t expired; /* since the last read */
	bool realtime;
	struct waitq changed;
};

static const struct file_ops timerfd_ops;

static void count_expired(struct timerfd *t)
{
	uint64_t now = clock_now_ns();
	if (t->next_ns == 0 || now < t->next_ns)
		return;
	if (t->interval_ns == 0) {
		t->expired++;
		t->next_ns = 0;
		return;
	}
	uint64_t n = (now - t->next_ns) / t->interval_ns + 1;
	t->expired += n;
	t->next_ns += n * t->interval_ns;
}

static void fire(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	count_expired(t);
	waitq_wake(&t->changed, POLLIN | POLLRDNORM);
}

/* The next interrupt is wanted only until there is something to read. */
static void rearm(struct timerfd *t)
{
	if (t->next_ns && !t->expired)
		timer_set(&t->timer, t->next_ns);
}

static long timerfd_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct timerfd *t = file->data;
	(void)pos;
	if (uio->left < sizeof(uint64_t))
		return -EINVAL;
	for (count_expired(t); t->expired == 0; count_expired(t)) {
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(&t->changed, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
	uint64_t value = t->expired;
	t->expired = 0;
	rearm(t);
	return uio_write_out(uio, &value, sizeof(value));
}

static uint32_t timerfd_poll(struct file *file, struct poll_table *table)
{
	struct timerfd *t = file->data;
	poll_add(table, &t->changed);
	count_expired(t);
	return t->expired ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_release(struct file *file)
{
	struct timerfd *t = file->data;
	timer_cancel(&t->timer);
	kfree(t);
}

static const struct file_ops timerfd_ops = {
	.name = "anon_inode:[timerfd]",
	.read = timerfd_read,
	.poll = timerfd_poll,
	.release = timerfd_release,
};

int timerfd_make(int clock, uint32_t flags, struct file **out)
{
	struct account *account = &job_current()->account;
	bool realtime = clock == CLOCK_REALTIME_ID || clock == CLOCK_REALTIME_ALARM_ID;
	if (!realtime && clock != CLOCK_MONOTONIC_ID && clock != CLOCK_BOOTTIME_ID &&
	    clock != CLOCK_BOOTTIME_ALARM_ID)
		return -EINVAL;
	struct timerfd *t = kzalloc(account, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->timer.fire = fire;
	t->realtime = realtime;
	waitq_init(&t->changed);
	*out = file_make(account, &timerfd_ops, flags | O_RDWR, t);
	if (*out)
		return 0;
	kfree(t);
	return -ENOMEM;
}

int timerfd_get(struct file *file, struct timerfd_setting *out)
{
	struct timerfd *t = file->data;
	if (file->ops != &timerfd_ops)
		return -EINVAL;
	count_expired(t);
	uint64_t now = clock_now_ns();
	out->interval_ns = t->interval_ns;
	out->value_ns = t->next_ns > now ? t->next_ns - now : t->next_ns ? 1 : 0;
	return 0;
}

int timerfd_set(struct file *file, bool absolute, const struct timerfd_setting *setting,
		struct timerfd_setting *old)
{
	struct timerfd *t = file->data;
	struct timerfd_setting before;
	int rc = timerfd_get(file, &before);
	if (rc < 0)
		return rc;
	if (old)
		*old = before;
	timer_cancel(&t->timer);
	uint64_t at = setting->value_ns, now = clock_now_ns();
	if (at && absolute && t->realtime) {
		uint64_t offset = clock_realtime_offset_ns();
		at = at > offset ? at - offset : 1;
	} else if (at && !absolute) {
		at = at > UINT64_MAX / 2 ? UINT64_MAX / 2 : at + now;
	}
	t->next_ns = at;
	t->interval_ns = setting->interval_ns;
	t->expired = 0;
	rearm(t);
	return 0;
}

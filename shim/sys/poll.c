/* sys/poll.c: poll and select, and waiting for one file. */
#include "shim/arch/x86_64/clock.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/sys/fileio.h"
#include "shim/sys/pollio.h"
#include "shim/sys/time.h"
#include "shim/vfs/inode.h"

#define ALWAYS (POLLERR | POLLHUP | POLLNVAL)

int wait_mask_set(struct wait_mask *w, uaddr mask, uint64_t size)
{
	struct thread *self = thread_current();
	w->replaced = false;
	if (uaddr_is_null(mask))
		return 0;
	struct signal_mask wanted;
	if (size != sizeof(wanted))
		return -EINVAL;
	if (copy_from_user(&wanted, mask, sizeof(wanted)) < 0)
		return -EFAULT;
	wanted.bits &= ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1));
	w->before = self->mask;
	w->replaced = true;
	self->mask = wanted;
	return 0;
}

void wait_mask_reset(struct wait_mask *w, bool interrupted)
{
	struct thread *self = thread_current();
	if (!w->replaced)
		return;
	if (interrupted) { /* the handler runs under the new mask */
		self->saved_mask = w->before;
		self->restore_mask = true;
	} else {
		self->mask = w->before;
	}
}

/* Waiters for every queue that the polled files tell of. */
#define WAITERS_CHUNK 24u
struct waiters {
	struct poll_table table;
	struct waiters_chunk {
		struct waiters_chunk *next;
		uint32_t used;
		struct thread_waiter waiter[WAITERS_CHUNK];
	} * first;
	struct waiters_chunk on_stack;
	bool failed;
};

static void waiters_add(struct poll_table *table, struct waitq *q)
{
	struct waiters *w = container_of(table, struct waiters, table);
	if (w->first->used == WAITERS_CHUNK) {
		struct waiters_chunk *chunk =
			kzalloc(&job_current()->account, sizeof(*chunk));
		if (!chunk) {
			w->failed = true;
			return;
		}
		chunk->next = w->first;
		w->first = chunk;
	}
	struct thread_waiter *waiter = &w->first->waiter[w->first->used++];
	thread_waiter_init(waiter);
	waitq_add(q, &waiter->waiter);
}

static void waiters_init(struct waiters *w)
{
	w->table.add = waiters_add;
	w->first = &w->on_stack;
	w->on_stack.next = NULL;
	w->on_stack.used = 0;
	w->failed = false;
	wait_prepare();
}

static void waiters_remove(struct waiters *w)
{
	for (struct waiters_chunk *chunk = w->first; chunk;) {
		struct waiters_chunk *next = chunk->next;
		for (uint32_t i = 0; i < chunk->used; i++)
			waitq_remove(&chunk->waiter[i].waiter);
		if (chunk != &w->on_stack)
			kfree(chunk);
		chunk = next;
	}
}

struct polled {
	int32_t fd;
	int16_t events, revents;
};
_Static_assert(sizeof(struct polled) == 8, "Linux ABI");

uint32_t file_poll(struct file *file, struct poll_table *table)
{
	return file->ops->poll ? file->ops->poll(file, table)
			       : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

/* A thread that closes a polled number must not free the file under a waiter: files are
 * held for the time of the wait. */
static int poll_once(struct polled *polled, struct file **held, uint32_t count,
		     struct poll_table *table)
{
	int ready = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t wanted = (uint16_t)polled[i].events | ALWAYS, events = 0;
		if (polled[i].fd >= 0)
			events = held[i] ? file_poll(held[i], ready ? NULL : table) &
						   wanted
					 : POLLNVAL;
		polled[i].revents = (int16_t)events;
		ready += events != 0;
	}
	return ready;
}

static long poll_files(struct polled *polled, struct file **held, uint32_t count,
		       uint64_t deadline_ns)
{
	struct waiters w;
	long rc = 0;
	while (rc == 0) {
		waiters_init(&w);
		int ready = poll_once(polled, held, count, deadline_ns ? &w.table : NULL);
		if (!ready && deadline_ns)
			rc = w.failed ? -ENOMEM : wait_sleep(deadline_ns);
		waiters_remove(&w);
		if (rc == -EINTR && signal_was_stop())
			rc = 0;
		if (ready || deadline_ns == 0)
			return ready;
	}
	return rc == -ETIMEDOUT ? 0 : rc;
}

int file_wait(struct file *file, uint32_t events, uint64_t deadline_ns)
{
	struct polled polled = {.events = (int16_t)events};
	long rc = poll_files(&polled, &file, 1, deadline_ns);
	return rc < 0 ? (int)rc : rc == 0 ? -EAGAIN : 0;
}

/* polled is in kernel memory; deadline 0: do not wait. */
static long poll_numbers(struct polled *polled, uint32_t count, uint64_t deadline_ns)
{
	struct fdtable *fds = process_current()->fds;
	struct file *small[16], **held = small;
	if (count > 16) {
		held = kmalloc(&job_current()->account, count * sizeof(*held));
		if (!held)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++)
		held[i] = polled[i].fd < 0 ? NULL : fdtable_lookup(fds, polled[i].fd);
	long rc = poll_files(polled, held, count, deadline_ns);
	for (uint32_t i = 0; i < count; i++)
		if (held[i])
			file_put(held[i]);
	if (held != small)
		kfree(held);
	return rc;
}

static long poll_call(uaddr user, uint64_t count, uint64_t deadline_ns)
{
	struct polled small[32], *polled = small;
	if (count > process_current()->rlimits[RLIMIT_NOFILE_INDEX].soft ||
	    count > 1u << 18)
		return -EINVAL;
	size_t bytes = count * sizeof(*polled);
	if (count > 32) {
		polled = kmalloc(&job_current()->account, bytes);
		if (!polled)
			return -ENOMEM;
	}
	long rc = copy_from_user(polled, user, bytes);
	if (rc == 0)
		rc = poll_numbers(polled, (uint32_t)count, deadline_ns);
	/* The answers alone: another thread may have changed what is asked. */
	for (uint64_t i = 0; rc >= 0 && i < count; i++) {
		uint64_t at = i * sizeof(*polled) + offsetof(struct polled, revents);
		if (copy_to_user(uaddr_add(user, at), &polled[i].revents,
				 sizeof(polled[i].revents)) < 0)
			rc = -EFAULT;
	}
	if (polled != small)
		kfree(polled);
	return rc;
}

uint64_t wait_deadline_ms(int64_t ms)
{
	return ms < 0    ? WAIT_FOREVER
	       : ms == 0 ? 0
			 : clock_now_ns() + (uint64_t)ms * 1000000;
}

static uint64_t deadline_after(uint64_t ns)
{
	return ns ? time_add(clock_now_ns(), ns) : 0;
}

/* ppoll and pselect6 write back what is left of the time. */
static void put_left(uaddr user, uint64_t deadline_ns, bool timeval)
{
	uint64_t now = clock_now_ns(), left = deadline_ns > now ? deadline_ns - now : 0;
	if (uaddr_is_null(user))
		return;
	if (timeval)
		(void)time_put_timeval(user, left);
	else
		(void)time_put_timespec(user, left);
}

long sys_poll(const struct sysargs *a)
{
	long rc = poll_call(arg_user(a, 0), (uint32_t)a->arg[1],
			    wait_deadline_ms((int)a->arg[2]));
	return rc == -EINTR ? -ERESTARTNOHAND : rc;
}

long sys_ppoll(const struct sysargs *a)
{
	struct wait_mask mask;
	uint64_t deadline = WAIT_FOREVER, ns;
	if (!uaddr_is_null(arg_user(a, 2))) {
		int rc = time_get_timespec(arg_user(a, 2), &ns);
		if (rc < 0)
			return rc;
		deadline = deadline_after(ns);
	}
	long rc = wait_mask_set(&mask, arg_user(a, 3), a->arg[4]);
	if (rc < 0)
		return rc;
	rc = poll_call(arg_user(a, 0), (uint32_t)a->arg[1], deadline);
	wait_mask_reset(&mask, rc == -EINTR);
	put_left(arg_user(a, 2), deadline, false);
	return rc == -EINTR ? -ERESTARTNOHAND : rc;
}

/* select: three bitmaps become a list of numbers. */

#define SELECT_IN  (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define SELECT_OUT (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define SELECT_EX  POLLPRI
static const uint32_t select_events[3] = {SELECT_IN, SELECT_OUT, SELECT_EX};
static const uint32_t select_asks[3] = {POLLIN | POLLRDNORM | POLLRDBAND,
					POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI};

static uint32_t collect(const uint64_t *sets, size_t words, uint32_t count,
			struct polled *polled)
{
	uint32_t used = 0;
	for (uint32_t fd = 0; fd < count; fd++) {
		uint32_t events = 0;
		for (int s = 0; s < 3; s++)
			if (sets[(size_t)s * words + fd / 64] >> fd % 64 & 1)
				events |= select_asks[s];
		if (events)
			polled[used++] = (struct polled){(int)fd, (int16_t)events, 0};
	}
	return used;
}

static long spread(uint64_t *sets, size_t words, const uint64_t *asked,
		   const struct polled *polled, uint32_t used)
{
	long ready = 0;
	memset(sets, 0, 3 * words * sizeof(*sets));
	for (uint32_t i = 0; i < used; i++) {
		uint32_t fd = (uint32_t)polled[i].fd,
			 events = (uint16_t)polled[i].revents;
		if (events & POLLNVAL)
			return -EBADF;
		for (size_t s = 0; s < 3; s++) {
			uint64_t bit = 1ull << fd % 64;
			if ((asked[s * words + fd / 64] & bit) &&
			    (events & select_events[s])) {
				sets[s * words + fd / 64] |= bit;
				ready++;
			}
		}
	}
	return ready;
}

static long select_sets(const struct sysargs *a, uint32_t count, uint64_t deadline_ns)
{
	size_t words = (count + 63) / 64, set_bytes = (count + 7) / 8;
	size_t room = 6 * words * sizeof(uint64_t) + (count + 1) * sizeof(struct polled);
	uint64_t *asked = kzalloc(&job_current()->account, room), *sets;
	if (!asked)
		return -ENOMEM;
	sets = asked + 3 * words;
	struct polled *polled = (struct polled *)(void *)(sets + 3 * words);
	long rc = 0;
	for (size_t s = 0; s < 3 && rc == 0; s++)
		if (!uaddr_is_null(arg_user(a, (int)s + 1)))
			rc = copy_from_user(asked + s * words, arg_user(a, (int)s + 1),
					    (set_bytes + 7) / 8 * 8);
	if (rc == 0) {
		uint32_t used = collect(asked, words, count, polled);
		rc = poll_numbers(polled, used, deadline_ns);
		if (rc >= 0)
			rc = spread(sets, words, asked, polled, used);
	}
	for (size_t s = 0; s < 3 && rc >= 0; s++)
		if (!uaddr_is_null(arg_user(a, (int)s + 1)) &&
		    copy_to_user(arg_user(a, (int)s + 1), sets + s * words,
				 (set_bytes + 7) / 8 * 8) < 0)
			rc = -EFAULT;
	kfree(asked);
	return rc;
}

static long select_call(const struct sysargs *a, uint64_t deadline_ns)
{
	int count = (int)a->arg[0];
	uint64_t limit = process_current()->rlimits[RLIMIT_NOFILE_INDEX].soft;
	if (count < 0)
		return -EINVAL;
	if (limit > 1u << 18)
		limit = 1u << 18;
	return select_sets(a, (uint64_t)count < limit ? (uint32_t)count : (uint32_t)limit,
			   deadline_ns);
}

long sys_select(const struct sysargs *a)
{
	uint64_t deadline = WAIT_FOREVER, ns;
	if (!uaddr_is_null(arg_user(a, 4))) {
		int rc = time_get_timeval(arg_user(a, 4), &ns);
		if (rc < 0)
			return rc;
		deadline = deadline_after(ns);
	}
	long rc = select_call(a, deadline);
	put_left(arg_user(a, 4), deadline, true);
	return rc == -EINTR ? -ERESTARTNOHAND : rc;
}

long sys_pselect6(const struct sysargs *a)
{
	struct wait_mask mask;
	uint64_t deadline = WAIT_FOREVER, ns, pack[2] = {0, 0};
	if (!uaddr_is_null(arg_user(a, 4))) {
		int rc = time_get_timespec(arg_user(a, 4), &ns);
		if (rc < 0)
			return rc;
		deadline = deadline_after(ns);
	}
	if (!uaddr_is_null(arg_user(a, 5)) &&
	    copy_from_user(pack, arg_user(a, 5), sizeof(pack)) < 0)
		return -EFAULT;
	long rc = wait_mask_set(&mask, (uaddr){pack[0]}, pack[1]);
	if (rc < 0)
		return rc;
	rc = select_call(a, deadline);
	wait_mask_reset(&mask, rc == -EINTR);
	put_left(arg_user(a, 4), deadline, false);
	return rc == -EINTR ? -ERESTARTNOHAND : rc;
}

/* pipe.c: pipes and FIFOs: a ring of pages between writers and readers.
 * Writes of up to PIPE_BUF bytes are whole or not at all; a full pipe polls writable
 * again when a page's worth of room is there, as Linux' does. */
#include "shim/vfs/pipe.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/inode.h"

#define SLOTS_DEFAULT  16u
#define SIZE_MAX_BYTES (1u << 20)
#define FIONREAD       0x541bu

struct pipe {
	uint32_t refs; /* files, and the node's slot while it is a FIFO's */
	uint32_t readers, writers;
	uint32_t opened_readers, opened_writers; /* ever, for FIFOs' opens to meet */
	void **slot;                             /* of a FIFO's node; NULL: a pipe */
	uint64_t inode;
	uint64_t head, tail; /* bytes written and read; free-running */
	uint32_t slots;      /* pages in the ring */
	struct page *
		*page; /* byte n lies in page[n / PAGE_SIZE % slots], made when written */
	struct account *account;
	struct waitq changed;
};

static const struct file_ops pipe_ops;

static uint64_t used(const struct pipe *pipe)
{
	return pipe->head - pipe->tail;
}
/* The bytes that fit: those before the tail in its page are lost until that page is read.
 */
static uint64_t room(const struct pipe *pipe)
{
	uint64_t size = pipe->slots * PAGE_SIZE;
	return used(pipe) ? size - (pipe->tail & PAGE_MASK) - used(pipe) : size;
}

static struct pipe *pipe_new(void)
{
	static uint64_t next_inode = 1;
	struct account *account = &job_current()->account;
	struct pipe *pipe = kzalloc(account, sizeof(*pipe));
	if (!pipe)
		return NULL;
	pipe->account = account;
	pipe->slots = SLOTS_DEFAULT;
	pipe->inode = next_inode++;
	pipe->page = kzalloc(account, pipe->slots * sizeof(struct page *));
	waitq_init(&pipe->changed);
	if (!pipe->page) {
		kfree(pipe);
		return NULL;
	}
	return pipe;
}

static void pipe_free(struct pipe *pipe)
{
	for (uint32_t i = 0; i < pipe->slots; i++)
		if (pipe->page[i])
			page_put(pipe->page[i]);
	if (pipe->slot)
		*pipe->slot = NULL;
	kfree(pipe->page);
	kfree(pipe);
}

static void pipe_put(struct pipe *pipe)
{
	if (--pipe->refs == 0)
		pipe_free(pipe);
}

static bool reads(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY;
}
static bool writes(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY;
}

/* The bytes from position at on, *size of them in one page. */
static char *run_at(const struct pipe *pipe, uint64_t at, uint64_t *size)
{
	uint64_t in_page = at & PAGE_MASK, left = pipe->head - at;
	*size = left < PAGE_SIZE - in_page ? left : PAGE_SIZE - in_page;
	return (char *)page_va(pipe->page[at / PAGE_SIZE % pipe->slots]) + in_page;
}

/* Size bytes of the first run were read. A page is given back when it is read empty; the
 * last one is kept for the next write. In a full ring that starts within a page, that
 * page holds the newest bytes too. */
static void take(struct pipe *pipe, uint64_t size)
{
	struct page **slot = &pipe->page[pipe->tail / PAGE_SIZE % pipe->slots];
	pipe->tail += size;
	if ((pipe->tail & PAGE_MASK) == 0 && used(pipe) &&
	    used(pipe) <= (pipe->slots - 1) * PAGE_SIZE) {
		page_put(*slot);
		*slot = NULL;
	}
}

static long pipe_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct pipe *pipe = file->data;
	long done = 0;
	(void)pos;
	if (uio->left == 0)
		return 0;
	while (used(pipe) == 0) {
		if (pipe->writers == 0)
			return 0;
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(&pipe->changed, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
	while (uio->left && used(pipe)) {
		uint64_t n;
		const char *bytes = run_at(pipe, pipe->tail, &n);
		long moved = uio_write_out(uio, bytes, n);
		if (moved < 0 && done == 0)
			return moved;
		if (moved < 0)
			break;
		take(pipe, (uint64_t)moved);
		done += moved;
	}
	waitq_wake(&pipe->changed, POLLOUT | POLLWRNORM);
	return done;
}

static int broken(void)
{
	struct signal_info info = {.signo = SIGPIPE};
	signal_send_thread(thread_current(), &info);
	return -EPIPE;
}

/* An empty pipe starts again at the first page, with the page that it kept. */
static void restart_empty(struct pipe *pipe)
{
	if (used(pipe) || pipe->tail == 0)
		return;
	struct page **kept = &pipe->page[(pipe->tail - 1) / PAGE_SIZE % pipe->slots];
	if (!pipe->page[0]) {
		pipe->page[0] = *kept;
		*kept = NULL;
	}
	pipe->head = pipe->tail = 0;
}

/* Appends up to size bytes that fit. */
static long append(struct pipe *pipe, struct uio *uio, uint64_t size)
{
	long done = 0;
	restart_empty(pipe);
	while (size && room(pipe)) {
		uint64_t at = pipe->head & PAGE_MASK, n = PAGE_SIZE - at;
		struct page **slot = &pipe->page[pipe->head / PAGE_SIZE % pipe->slots];
		if (n > size)
			n = size;
		if (n > room(pipe))
			n = room(pipe);
		if (!*slot)
			*slot = page_alloc(pipe->account, 0, false);
		if (!*slot)
			return done ? done : -ENOMEM;
		long moved = uio_read_in(uio, (char *)page_va(*slot) + at, n);
		if (moved < 0)
			return done ? done : moved;
		pipe->head += (uint64_t)moved;
		size -= (uint64_t)moved;
		done += moved;
		if ((uint64_t)moved < n)
			break;
	}
	return done;
}

static long write_all(struct file *file, struct uio *uio)
{
	struct pipe *pipe = file->data;
	bool whole = uio->left <= PIPE_BUF;
	long done = 0;
	while (uio->left) {
		if (pipe->readers == 0)
			return done ? done : broken();
		if (whole ? room(pipe) >= uio->left : room(pipe) > 0) {
			long moved = append(pipe, uio, uio->left);
			if (moved < 0)
				return done ? done : moved;
			done += moved;
			waitq_wake(&pipe->changed, POLLIN | POLLRDNORM);
			if (uio->left == 0 || moved == 0)
				break;
			if (room(pipe))
				return done; /* memory of the writer ended */
		}
		if (file_io_flags(file, uio) & O_NONBLOCK)
			return done ? done : -EAGAIN;
		if (wait_on(&pipe->changed, WAIT_FOREVER) == -EINTR)
			return done ? done : -ERESTARTSYS;
	}
	return done;
}

static long pipe_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)pos;
	long done = write_all(file, uio);
	if (done > 0 && file->vnode)
		vnode_written(file->vnode);
	return done;
}

static uint32_t pipe_poll(struct file *file, struct poll_table *table)
{
	struct pipe *pipe = file->data;
	uint32_t events = 0;
	poll_add(table, &pipe->changed);
	if (reads(file)) {
		if (used(pipe))
			events |= POLLIN | POLLRDNORM;
		if (pipe->writers == 0 && pipe->opened_writers)
			events |= POLLHUP;
	}
	if (writes(file)) {
		if (room(pipe) >= PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (pipe->readers == 0)
			events |= POLLERR;
	}
	return events;
}

static long pipe_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	const struct pipe *pipe = file->data;
	int32_t bytes = (int32_t)used(pipe);
	if (command != FIONREAD)
		return -ENOTTY;
	return copy_to_user((uaddr){argument}, &bytes, sizeof(bytes));
}

static int pipe_stat(struct file *file, struct stat_values *out)
{
	const struct pipe *pipe = file->data;
	if (pipe->slot)
		return vnode_stat(file->vnode, out);
	*out = (struct stat_values){.device = 12,
				    .inode = pipe->inode,
				    .mode = S_IFIFO | 0600,
				    .links = 1,
				    .block_size = PAGE_SIZE};
	out->atime_ns = out->mtime_ns = out->ctime_ns = time_now_ns();
	return 0;
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->data;
	pipe->readers -= reads(file);
	pipe->writers -= writes(file);
	if (!pipe->readers || !pipe->writers)
		waitq_wake(&pipe->changed, POLLHUP | POLLERR | POLLIN | POLLOUT);
	if (pipe->readers + pipe->writers == 0)
		pipe->tail = pipe->head; /* a FIFO that nobody has open is empty */
	pipe_put(pipe);
}

static const struct file_ops pipe_ops = {
	.name = "pipe",
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.async = FILE_ASYNC_PIPE,
	.ioctl = pipe_ioctl,
	.stat = pipe_stat,
	.release = pipe_release,
};

static void count_end(struct pipe *pipe, const struct file *file)
{
	pipe->refs++;
	pipe->readers += reads(file);
	pipe->opened_readers += reads(file);
	pipe->writers += writes(file);
	pipe->opened_writers += writes(file);
}

static struct file *make_end(struct pipe *pipe, uint32_t flags)
{
	struct file *file = file_make(&job_current()->account, &pipe_ops, flags, pipe);
	if (file)
		count_end(pipe, file);
	return file;
}

int pipe_make(uint32_t flags, struct file **reader, struct file **writer)
{
	struct pipe *pipe = pipe_new();
	if (!pipe)
		return -ENOMEM;
	*reader = make_end(pipe, flags | O_RDONLY);
	*writer = *reader ? make_end(pipe, flags | O_WRONLY) : NULL;
	if (*writer)
		return 0;
	if (*reader)
		file_put(*reader);
	else
		pipe_free(pipe);
	return -ENOMEM;
}

/* open(2) of a FIFO waits for the other side; O_RDWR and O_NONBLOCK do not. */
static int meet(struct pipe *pipe, struct file *file)
{
	uint32_t *others = reads(file) ? &pipe->writers : &pipe->readers;
	uint32_t *ever = reads(file) ? &pipe->opened_writers : &pipe->opened_readers;
	uint32_t seen = *ever;
	if (reads(file) && writes(file))
		return 0;
	if (file->flags & O_NONBLOCK)
		return reads(file) || *others ? 0 : -ENXIO;
	while (*others == 0 && *ever == seen)
		if (wait_on(&pipe->changed, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	return 0;
}

int pipe_open_fifo(void **slot, struct file *file)
{
	struct pipe *pipe = *slot;
	if (!pipe) {
		pipe = pipe_new();
		if (!pipe)
			return -ENOMEM;
		pipe->slot = slot;
		*slot = pipe;
	}
	file->data = pipe;
	count_end(pipe, file);
	waitq_wake(&pipe->changed, 0);
	int rc = meet(pipe, file);
	if (rc < 0) {
		pipe_release(file);
		return rc;
	}
	file->ops = &pipe_ops;
	return 0;
}

bool pipe_is(const struct file *file)
{
	return file->ops == &pipe_ops;
}

void pipe_reopen(struct file *source, struct file *file)
{
	file->ops = &pipe_ops;
	file->data = source->data;
	count_end(file->data, file);
}

uint64_t pipe_inode(const struct file *file)
{
	return ((const struct pipe *)file->data)->inode;
}

long pipe_size_get(const struct file *file)
{
	return (long)(((const struct pipe *)file->data)->slots * PAGE_SIZE);
}

long pipe_size_set(struct file *file, uint64_t size)
{
	struct pipe *pipe = file->data;
	uint32_t slots = 1;
	if (size > SIZE_MAX_BYTES)
		return -EPERM;
	while (slots * PAGE_SIZE < size)
		slots *= 2;
	uint64_t first = pipe->tail / PAGE_SIZE,
		 count = PAGE_ROUND_UP(pipe->head) / PAGE_SIZE - first;
	if (used(pipe) == 0)
		count = 0;
	if (count > slots)
		return -EBUSY;
	struct page **page = kzalloc(pipe->account, slots * sizeof(struct page *));
	if (!page)
		return -ENOMEM;
	if (count > pipe->slots) { /* the first page holds the newest bytes too */
		struct page *last = page_alloc(pipe->account, 0, false);
		if (!last) {
			kfree(page);
			return -ENOMEM;
		}
		memcpy(page_va(last), page_va(pipe->page[first % pipe->slots]),
		       PAGE_SIZE);
		page[(first + pipe->slots) % slots] = last;
	}
	for (uint32_t i = 0; i < pipe->slots; i++) {
		uint64_t n =
			first + i; /* ring positions in order, then the unused rest */
		struct page **old = &pipe->page[n % pipe->slots];
		if (i < count)
			page[n % slots] = *old;
		else if (*old)
			page_put(*old);
	}
	kfree(pipe->page);
	pipe->page = page;
	pipe->slots = slots;
	waitq_wake(&pipe->changed, POLLOUT | POLLWRNORM);
	return (long)(slots * PAGE_SIZE);
}

long pipe_tee(struct file *from, struct file *to, uint64_t size, bool nonblock)
{
	struct pipe *in = from->data, *out = to->data;
	if (in == out)
		return -EINVAL;
	for (;;) {
		if (out->readers == 0)
			return broken();
		if (used(in) == 0 && in->writers == 0)
			return 0;
		if (used(in) && room(out))
			break;
		if (nonblock)
			return -EAGAIN;
		if (wait_on(used(in) ? &out->changed : &in->changed, WAIT_FOREVER) ==
		    -EINTR)
			return -ERESTARTSYS;
	}
	long done = 0;
	for (uint64_t at = in->tail; size && at < in->head && room(out);) {
		struct uio_segment segment;
		struct uio uio;
		uint64_t n;
		char *bytes = run_at(in, at, &n);
		if (n > size)
			n = size;
		uio_kernel(&uio, &segment, bytes, n);
		long moved = append(out, &uio, n);
		if (moved <= 0 && done == 0)
			return moved;
		if (moved <= 0)
			break;
		at += (uint64_t)moved;
		size -= (uint64_t)moved;
		done += moved;
	}
	waitq_wake(&out->changed, POLLIN | POLLRDNORM);
	return done;
}

long pipe_room(struct file *file)
{
	const struct pipe *pipe = file->data;
	return pipe->readers ? (long)room(pipe) : broken();
}

long pipe_peek(struct file *file, struct uio *uio)
{
	const struct pipe *pipe = file->data;
	uint64_t size;
	if (used(pipe) == 0)
		return pipe->writers ? -EAGAIN : 0;
	const char *bytes = run_at(pipe, pipe->tail, &size);
	return uio_write_out(uio, bytes, size);
}

void pipe_skip(struct file *file, uint64_t size)
{
	struct pipe *pipe = file->data;
	if (size == 0)
		return;
	take(pipe, size);
	waitq_wake(&pipe->changed, POLLOUT | POLLWRNORM);
}

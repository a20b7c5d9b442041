/* file.h: open files, as file descriptors refer to them, and the I/O vector that moves
 * bytes between them and memory of ring 3 or ring 0. Everything under the kernel lock,
 * but for refs of no other meaning. */
#ifndef SHIM_VFS_FILE_H
#define SHIM_VFS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/mm/account.h"
#include "shim/mm/usercopy.h"
#include "shim/proc/wait.h"

struct file;
struct vnode;
struct stat_values; /* vnode.h */

/* Where bytes of a read or write lie: up to UIO_SEGMENTS_MAX pieces. */
#define UIO_SEGMENTS_MAX 1024u
struct uio_segment {
	uint64_t base; /* a user address, or a kernel pointer when uio.kernel */
	uint64_t size;
};

struct uio {
	const struct uio_segment *segment;
	uint32_t count;
	uint32_t index;  /* segment being used */
	uint64_t offset; /* in that segment */
	uint64_t left;   /* bytes left in all */
	uint32_t flags; /* O_NONBLOCK, O_APPEND: for this call alone, beside the file's */
	bool kernel;
};

/* Single-piece forms; *segment must live as long as the uio. */
void uio_user(struct uio *uio, struct uio_segment *segment, uaddr base, uint64_t size);
void uio_kernel(struct uio *uio, struct uio_segment *segment, void *base, uint64_t size);
/* Move up to size bytes and advance. Return the bytes moved, less than min(size, left)
 * only when user memory faulted; 0 of them: -EFAULT. */
long uio_write_out(struct uio *uio, const void *from,
		   size_t size);                          /* to the uio's memory */
long uio_read_in(struct uio *uio, void *to, size_t size); /* from it */
long uio_zero_out(struct uio *uio, size_t size);

/* A caller that polls: NULL means "only tell me". file->ops->poll calls poll_add for
 * every queue whose wake-up may change its answer. */
struct poll_table {
	void (*add)(struct poll_table *self, struct waitq *q);
};
static inline void poll_add(struct poll_table *table, struct waitq *q)
{
	if (table)
		table->add(table, q);
}

/* Which wake-ups become signals with O_ASYNC: async.c. */
enum file_async {
	FILE_ASYNC_NONE,
	FILE_ASYNC_PIPE,     /* readers hear of bytes, writers of each read */
	FILE_ASYNC_SOCKET,   /* bytes, ends, and room where there was none */
	FILE_ASYNC_TERMINAL, /* bytes, and room where there was none */
	FILE_ASYNC_EVENTS,   /* the same of inotify, which has no owner by itself */
};

/* NULL members answer as Linux does for such files: read/write -EINVAL, seek -ESPIPE,
 * ioctl -ENOTTY, poll always readable and writable. */
struct file_ops {
	const char *name; /* as /proc/self/fd shows it: "pipe", "socket",
			     "anon_inode:[eventfd]" */
	/* Bytes moved, or -errno. *pos is the position to use and advance (pread's own,
	 * or the file's). Sleep only when O_NONBLOCK is not in file_io_flags(). */
	long (*read)(struct file *file, struct uio *uio, uint64_t *pos);
	long (*write)(struct file *file, struct uio *uio, uint64_t *pos);
	int64_t (*seek)(struct file *file, int64_t offset, int whence);
	uint32_t (*poll)(struct file *file, struct poll_table *table); /* POLL* bits */
	long (*ioctl)(struct file *file, uint32_t command, uint64_t argument);
	int (*stat)(struct file *file, struct stat_values *out);
	enum file_async async;
	/* Last reference gone. */
	void (*release)(struct file *file);
};

struct file {
	const struct file_ops *ops;
	uint32_t refs;
	uint32_t flags; /* O_ACCMODE and status flags (O_NONBLOCK, O_APPEND, ...) */
	uint64_t offset;
	struct vnode *vnode;     /* of a named file; else NULL */
	void *data;              /* the implementation's */
	int owner, owner_signal; /* F_SETOWN, F_SETSIG */
	uint8_t owner_type;      /* async.h */
	struct async *async;     /* NULL: O_ASYNC is off */
	struct list epolls;      /* epoll.c: items that watch this file */
	struct list tree_link; /* jobfs.c: open files of a tree, which loses them when it
				  goes */
};

/* The flags that a read or write goes by: those of the file, which calls share, and its
 * own. */
static inline uint32_t file_io_flags(const struct file *file, const struct uio *uio)
{
	return file->flags | uio->flags;
}

/* A new open file with one reference, charged to the account; NULL without memory. */
struct file *file_make(struct account *account, const struct file_ops *ops,
		       uint32_t flags, void *data);
void file_get(struct file *file);
void file_put(struct file *file);

/* Descriptor tables: fdtable.c. A table belongs to a process; threads and CLONE_FILES
 * share it by reference. Numbers are ints >= 0; lookups return NULL for EBADF. */
struct fdtable;
struct fdtable *fdtable_make(struct account *account, uint32_t limit);
struct fdtable *fdtable_copy(struct account *account, const struct fdtable *from);
void fdtable_get(struct fdtable *table);
void fdtable_put(struct fdtable *table); /* the last put closes everything */
/* A reference the caller puts back with file_put. */
struct file *fdtable_lookup(struct fdtable *table, int fd);
/* Installs at the lowest free number >= lowest; takes over the caller's reference.
 * Returns the number, -EMFILE or -ENOMEM (then the reference stays the caller's). */
int fdtable_install(struct fdtable *table, struct file *file, int lowest, bool cloexec);
/* Is there a number for one more? 0 or -EMFILE. */
int fdtable_check_free(const struct fdtable *table);
/* Installs at exactly fd, closing what was there (dup2). 0 or -errno. */
int fdtable_install_at(struct fdtable *table, struct file *file, int fd, bool cloexec);
int fdtable_close(struct fdtable *table, int fd); /* 0 or -EBADF */
void fdtable_close_on_exec(struct fdtable *table);
int fdtable_cloexec_get(struct fdtable *table, int fd);
int fdtable_cloexec_set(struct fdtable *table, int fd, bool cloexec);
void fdtable_limit_set(struct fdtable *table, uint32_t limit); /* RLIMIT_NOFILE */
/* Numbers below it need no more memory. */
uint32_t fdtable_room(const struct fdtable *table);
/* The first open descriptor >= from, or -1 (for /proc/self/fd and close_range). */
int fdtable_next(struct fdtable *table, int from);

#endif

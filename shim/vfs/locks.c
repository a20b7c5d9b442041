/* locks.c: advisory locks. All locks of a file are one list; each is a range held by an
 * owner: a descriptor table (POSIX) or an open file (flock and OFD). flock's ranges and
 * those of fcntl do not see each other, as on Linux. */
#include "shim/vfs/locks.h"

#include "shim/lib/errno.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/inode.h"

enum { F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2 };
enum { LOCK_SH = 1, LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8 };

struct lock {
	struct list link;
	const void *owner;
	bool flock, write;
	int pid;              /* -1: of an open file */
	uint64_t first, last; /* inclusive */
};

struct file_locks {
	struct list locks;
	struct waitq changed;
	uint32_t waiting; /* threads on changed: the object must stay */
};

static struct file_locks *locks_of(struct vnode *vnode)
{
	if (vnode->locks)
		return vnode->locks;
	struct file_locks *locks = kzalloc(rootfs_account(vnode->root), sizeof(*locks));
	if (!locks)
		return NULL;
	list_init(&locks->locks);
	waitq_init(&locks->changed);
	vnode->locks = locks;
	return locks;
}

static struct lock *conflict(struct file_locks *locks, const struct lock *wanted)
{
	list_for_each(lock, &locks->locks, struct lock, link)
		if (lock->flock == wanted->flock && lock->owner != wanted->owner &&
		    lock->first <= wanted->last && lock->last >= wanted->first &&
		    (lock->write || wanted->write))
			return lock;
	return NULL;
}

static void drop(struct lock *lock)
{
	list_remove(&lock->link);
	kfree(lock);
}

/* Takes [first, last] out of what the owner holds. spare: for the half that a hole in the
 * middle makes; *spare is NULL when it was used. */
static void cut(struct file_locks *locks, const struct lock *range, struct lock **spare)
{
	list_for_each_safe(lock, &locks->locks, struct lock, link) {
		if (lock->flock != range->flock || lock->owner != range->owner ||
		    lock->first > range->last || lock->last < range->first)
			continue;
		bool before = lock->first<range->first, after = lock->last> range->last;
		if (before && after) {
			struct lock *rest = *spare;
			*spare = NULL;
			*rest = *lock;
			rest->first = range->last + 1;
			list_append(&locks->locks, &rest->link);
			lock->last = range->first - 1;
		} else if (before) {
			lock->last = range->first - 1;
		} else if (after) {
			lock->first = range->last + 1;
		} else {
			drop(lock);
		}
	}
}

static int wait_for(struct file_locks *locks, const struct lock *wanted, bool wait,
		    int busy)
{
	while (conflict(locks, wanted)) {
		if (!wait)
			return busy;
		locks->waiting++;
		int rc = wait_on(&locks->changed, WAIT_FOREVER);
		locks->waiting--;
		if (rc == -EINTR)
			return -ERESTARTSYS;
	}
	return 0;
}

static int set(struct vnode *vnode, const struct lock *wanted, bool unlock, bool wait,
	       int busy)
{
	struct file_locks *locks = locks_of(vnode);
	struct account *account = rootfs_account(vnode->root);
	if (!locks)
		return -ENOLCK;
	struct lock *made = kzalloc(account, sizeof(*made));
	struct lock *spare = kzalloc(account, sizeof(*spare));
	int rc = made && spare ? 0 : -ENOLCK;
	if (rc == 0 && !unlock)
		rc = wait_for(locks, wanted, wait, busy);
	if (rc == 0) {
		cut(locks, wanted, &spare);
		if (!unlock) {
			*made = *wanted;
			list_append(&locks->locks, &made->link);
			made = NULL;
		}
		waitq_wake(&locks->changed, 0);
	}
	kfree(made);
	kfree(spare);
	return rc;
}

int locks_flock(struct file *file, unsigned operation)
{
	unsigned what = operation & ~(unsigned)LOCK_NB;
	if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
		return -EINVAL;
	if (!file->vnode || !file->vnode->root)
		return 0; /* a pipe or the like: nobody else can name it */
	struct lock wanted = {.owner = file,
			      .flock = true,
			      .write = what == LOCK_EX,
			      .pid = -1,
			      .last = UINT64_MAX};
	/* A change of kind gives up the old lock first, so it may lose it. */
	return set(file->vnode, &wanted, what == LOCK_UN, !(operation & LOCK_NB),
		   -EAGAIN);
}

static int range_of(struct file *file, struct fdtable *table, bool of_file,
		    const struct linux_flock *request, struct lock *out)
{
	int64_t start = request->start, end;
	if (!file->vnode || !file->vnode->root)
		return -EBADF;
	if (request->whence == SEEK_CUR)
		start += (int64_t)file->offset;
	else if (request->whence == SEEK_END)
		start += (int64_t)vnode_size(file->vnode);
	else if (request->whence != SEEK_SET)
		return -EINVAL;
	if (of_file && request->pid != 0)
		return -EINVAL;
	if (request->type < F_RDLCK || request->type > F_UNLCK)
		return -EINVAL;
	if (request->size < 0) {
		end = start - 1;
		start += request->size;
	} else if (request->size == 0) {
		end = INT64_MAX;
	} else if (__builtin_add_overflow(start, request->size - 1, &end)) {
		return -EOVERFLOW;
	}
	if (start < 0)
		return -EINVAL;
	*out = (struct lock){.owner = of_file ? (const void *)file : table,
			     .write = request->type == F_WRLCK,
			     .pid = of_file ? -1 : process_current()->pid,
			     .first = (uint64_t)start,
			     .last = (uint64_t)end};
	return 0;
}

int locks_get(struct file *file, struct fdtable *table, bool of_file,
	      struct linux_flock *request)
{
	struct lock wanted;
	int rc = range_of(file, table, of_file, request, &wanted);
	if (rc < 0)
		return rc;
	if (request->type == F_UNLCK)
		return -EINVAL;
	struct lock *found =
		file->vnode->locks ? conflict(file->vnode->locks, &wanted) : NULL;
	if (!found) {
		request->type = F_UNLCK;
		return 0;
	}
	request->type = found->write ? F_WRLCK : F_RDLCK;
	request->whence = SEEK_SET;
	request->start = (int64_t)found->first;
	request->size =
		found->last == INT64_MAX ? 0 : (int64_t)(found->last - found->first + 1);
	request->pid = found->pid;
	return 0;
}

int locks_set(struct file *file, struct fdtable *table, bool of_file, bool wait,
	      const struct linux_flock *request)
{
	struct lock wanted;
	int rc = range_of(file, table, of_file, request, &wanted);
	uint32_t access = file->flags & O_ACCMODE;
	if (rc < 0)
		return rc;
	if ((request->type == F_RDLCK && access == O_WRONLY) ||
	    (request->type == F_WRLCK && access == O_RDONLY))
		return -EBADF;
	return set(file->vnode, &wanted, request->type == F_UNLCK, wait, -EAGAIN);
}

static void drop_owner(struct vnode *vnode, const void *owner)
{
	struct file_locks *locks = vnode->locks;
	if (!locks)
		return;
	list_for_each_safe(lock, &locks->locks, struct lock, link)
		if (lock->owner == owner)
			drop(lock);
	waitq_wake(&locks->changed, 0);
	if (list_empty(&locks->locks) && !locks->waiting)
		locks_free(vnode);
}

void locks_descriptor_closed(struct file *file, struct fdtable *table)
{
	drop_owner(file->vnode, table);
}

void locks_file_closed(struct file *file)
{
	drop_owner(file->vnode, file);
}

void locks_free(struct vnode *vnode)
{
	struct file_locks *locks = vnode->locks;
	if (!locks)
		return;
	list_for_each_safe(lock, &locks->locks, struct lock, link)
		drop(lock);
	vnode->locks = NULL;
	kfree(locks);
}

/* sys/attributes.c: system calls that change what stat tells: chmod, chown, times. */
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"
#include "shim/sys/time.h"
#include "shim/vfs/inode.h"

static long change(struct vnode *vnode, const struct vnode_change *what)
{
	if (what->fields & CHANGE_INVALID)
		return -EINVAL;
	if ((what->fields & CHANGE_MODE) && mode_is(vnode->mode, S_IFLNK))
		return -EOPNOTSUPP;
	return vnode->ops->change ? vnode->ops->change(vnode, what) : -EPERM;
}

static long change_at(int directory, uaddr path, unsigned flags,
		      const struct vnode_change *what)
{
	struct vnode *vnode;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	int rc = name_vnode(directory, path, flags, &vnode);
	if (rc < 0)
		return rc;
	long result = change(vnode, what);
	vnode_put(vnode);
	return result;
}

static long change_file(const struct sysargs *a, const struct vnode_change *what)
{
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = file->vnode ? change(file->vnode, what) : 0;
	file_put(file);
	return rc;
}

static struct vnode_change mode_change(uint64_t mode)
{
	return (struct vnode_change){.fields = CHANGE_MODE,
				     .mode = (uint32_t)mode & MODE_BITS};
}

static struct vnode_change owner_change(uint64_t uid, uint64_t gid)
{
	struct vnode_change what = {.uid = (uint32_t)uid, .gid = (uint32_t)gid};
	what.fields |= what.uid == UINT32_MAX ? 0 : CHANGE_UID;
	what.fields |= what.gid == UINT32_MAX ? 0 : CHANGE_GID;
	return what;
}

long sys_chmod(const struct sysargs *a)
{
	struct vnode_change what = mode_change(a->arg[1]);
	return change_at(AT_FDCWD, arg_user(a, 0), 0, &what);
}

long sys_fchmod(const struct sysargs *a)
{
	struct vnode_change what = mode_change(a->arg[1]);
	return change_file(a, &what);
}

long sys_fchmodat(const struct sysargs *a)
{
	struct vnode_change what = mode_change(a->arg[2]);
	return change_at((int)a->arg[0], arg_user(a, 1), 0, &what);
}

long sys_fchmodat2(const struct sysargs *a)
{
	struct vnode_change what = mode_change(a->arg[2]);
	return change_at((int)a->arg[0], arg_user(a, 1), (unsigned)a->arg[3], &what);
}

long sys_chown(const struct sysargs *a)
{
	struct vnode_change what = owner_change(a->arg[1], a->arg[2]);
	return change_at(AT_FDCWD, arg_user(a, 0), 0, &what);
}

long sys_lchown(const struct sysargs *a)
{
	struct vnode_change what = owner_change(a->arg[1], a->arg[2]);
	return change_at(AT_FDCWD, arg_user(a, 0), AT_SYMLINK_NOFOLLOW, &what);
}

long sys_fchown(const struct sysargs *a)
{
	struct vnode_change what = owner_change(a->arg[1], a->arg[2]);
	return change_file(a, &what);
}

long sys_fchownat(const struct sysargs *a)
{
	struct vnode_change what = owner_change(a->arg[2], a->arg[3]);
	return change_at((int)a->arg[0], arg_user(a, 1), (unsigned)a->arg[4], &what);
}

/* Times. */

static void times_now(struct vnode_change *what)
{
	what->fields = CHANGE_ATIME | CHANGE_MTIME;
	what->atime_ns = what->mtime_ns = time_now_ns();
}

#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* A time that is none is CHANGE_INVALID: the file is looked for first. */
static void time_value(const struct linux_timespec *t, unsigned field,
		       struct vnode_change *what, uint64_t *ns)
{
	if (t->nanoseconds == UTIME_OMIT)
		return;
	what->fields |= field;
	*ns = time_now_ns();
	if (t->nanoseconds == UTIME_NOW)
		return;
	if (t->nanoseconds < 0 || t->nanoseconds >= (int64_t)NS_PER_SECOND) {
		what->fields |= CHANGE_INVALID;
		return;
	}
	uint64_t seconds = t->seconds < 0 ? 0 : (uint64_t)t->seconds;
	if (seconds > UINT64_MAX / NS_PER_SECOND - 1)
		seconds = UINT64_MAX / NS_PER_SECOND - 1;
	*ns = seconds * NS_PER_SECOND + (uint64_t)t->nanoseconds;
}

long sys_utimensat(const struct sysargs *a)
{
	struct linux_timespec times[2];
	struct vnode_change what = {0};
	if (uaddr_is_null(arg_user(a, 2))) {
		times_now(&what);
	} else {
		if (copy_from_user(times, arg_user(a, 2), sizeof(times)) < 0)
			return -EFAULT;
		if (times[0].nanoseconds == UTIME_OMIT &&
		    times[1].nanoseconds == UTIME_OMIT)
			return 0;
		time_value(&times[0], CHANGE_ATIME, &what, &what.atime_ns);
		time_value(&times[1], CHANGE_MTIME, &what, &what.mtime_ns);
	}
	if (!uaddr_is_null(arg_user(a, 1)))
		return change_at((int)a->arg[0], arg_user(a, 1), (unsigned)a->arg[3],
				 &what);
	if ((int)a->arg[0] == AT_FDCWD)
		return -EFAULT;
	return a->arg[3] ? -EINVAL : change_file(a, &what);
}

static long times_in_us(int directory, uaddr path, uaddr user)
{
	int64_t times[4]; /* two of seconds and microseconds */
	struct vnode_change what = {0};
	if (uaddr_is_null(user)) {
		times_now(&what);
	} else {
		if (copy_from_user(times, user, sizeof(times)) < 0)
			return -EFAULT;
		if (times[1] < 0 || times[1] > 999999 || times[3] < 0 ||
		    times[3] > 999999)
			return -EINVAL;
		struct linux_timespec at = {times[0], times[1] * 1000};
		struct linux_timespec mt = {times[2], times[3] * 1000};
		time_value(&at, CHANGE_ATIME, &what, &what.atime_ns);
		time_value(&mt, CHANGE_MTIME, &what, &what.mtime_ns);
	}
	return change_at(directory, path, 0, &what);
}

long sys_utimes(const struct sysargs *a)
{
	return times_in_us(AT_FDCWD, arg_user(a, 0), arg_user(a, 1));
}

long sys_futimesat(const struct sysargs *a)
{
	return times_in_us((int)a->arg[0], arg_user(a, 1), arg_user(a, 2));
}

long sys_utime(const struct sysargs *a)
{
	int64_t times[2];
	struct vnode_change what = {0};
	if (uaddr_is_null(arg_user(a, 1))) {
		times_now(&what);
	} else {
		if (copy_from_user(times, arg_user(a, 1), sizeof(times)) < 0)
			return -EFAULT;
		struct linux_timespec at = {times[0], 0}, mt = {times[1], 0};
		time_value(&at, CHANGE_ATIME, &what, &what.atime_ns);
		time_value(&mt, CHANGE_MTIME, &what, &what.mtime_ns);
	}
	return change_at(AT_FDCWD, arg_user(a, 0), 0, &what);
}

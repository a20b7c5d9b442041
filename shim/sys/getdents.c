/* sys/getdents.c: a directory's entries as records of the program. */
#include "shim/lib/list.h"
#include "shim/lib/string.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/inode.h"

struct listing {
	struct entry_sink sink;
	uaddr at;
	uint64_t room;
	long done;
	bool old; /* getdents: the type is the last byte of the record */
	bool fault, small;
};

struct entry_head {
	uint64_t inode;
	int64_t position;
	uint16_t size;
	uint8_t type; /* getdents64; its name follows here */
} __attribute__((packed));
#define HEAD64   19u
#define HEAD_OLD 18u

static bool put_entry(struct entry_sink *sink, const char *name, size_t size,
		      uint64_t inode, uint8_t type, uint64_t position_after)
{
	struct listing *l = container_of(sink, struct listing, sink);
	size_t head_size = l->old ? HEAD_OLD : HEAD64;
	/* The name's NUL, and for getdents the type behind it. */
	size_t bytes = (head_size + size + (l->old ? 2 : 1) + 7) & ~(size_t)7;
	char record[HEAD64 + NAME_MAX + 10] = {0};
	if (bytes > l->room) {
		l->small = l->done == 0;
		return false;
	}
	struct entry_head head = {inode, (int64_t)position_after, (uint16_t)bytes, type};
	memcpy(record, &head, head_size);
	memcpy(record + head_size, name, size);
	if (l->old)
		record[bytes - 1] = (char)type;
	if (copy_to_user(l->at, record, bytes) < 0) {
		l->fault = true;
		return false;
	}
	l->at = uaddr_add(l->at, bytes);
	l->room -= bytes;
	l->done += (long)bytes;
	return true;
}

static long list(const struct sysargs *a, bool old)
{
	struct file *file = file_of(a, 0);
	struct listing l = {.sink = {put_entry},
			    .at = arg_user(a, 1),
			    .room = (uint32_t)a->arg[2],
			    .old = old};
	if (!file)
		return -EBADF;
	long rc = file->vnode && vnode_is_directory(file->vnode) ? 0 : -ENOTDIR;
	if (rc == 0)
		rc = file->vnode->ops->entries(file->vnode, &file->offset, &l.sink);
	file_put(file);
	if (l.done || rc < 0)
		return l.done ? l.done : rc;
	return l.fault ? -EFAULT : l.small ? -EINVAL : 0;
}

long sys_getdents64(const struct sysargs *a)
{
	return list(a, false);
}

long sys_getdents(const struct sysargs *a)
{
	return list(a, true);
}

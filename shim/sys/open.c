/* sys/open.c: opening files by name, and one without a name. */
#include "shim/proc/process.h"
#include "shim/sys/fileio.h"
#include "shim/sys/nameio.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/memfd.h"
#include "shim/vfs/path.h"

static long open_at(int directory, uaddr user_path, unsigned oflags, uint32_t mode,
		    unsigned flags)
{
	struct process *process = process_current();
	struct path_text path;
	struct path_context context;
	struct file *base = NULL, *file;
	long rc = path_check_open(oflags);
	if (rc == 0)
		rc = path_text_get(&path, user_path);
	if (rc < 0)
		return rc;
	/* Inside directory, an absolute path begins there too. */
	rc = path_context_at(directory, flags & PATH_IN_ROOT ? "." : path.text, &context,
			     &base);
	if (rc == 0) /* before anything is made or truncated */
		rc = fdtable_check_free(process->fds);
	if (rc == 0)
		rc = path_open(&context, path.text, flags, (int)oflags,
			       mode & ~process->fs->umask, &file);
	if (base)
		file_put(base);
	path_text_put(&path);
	return rc < 0 ? rc : descriptor_install(file, oflags & O_CLOEXEC);
}

long sys_open(const struct sysargs *a)
{
	return open_at(AT_FDCWD, arg_user(a, 0), (unsigned)a->arg[1] | O_LARGEFILE,
		       (uint32_t)a->arg[2], 0);
}

long sys_creat(const struct sysargs *a)
{
	return open_at(AT_FDCWD, arg_user(a, 0),
		       O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, (uint32_t)a->arg[1],
		       0);
}

long sys_openat(const struct sysargs *a)
{
	return open_at((int)a->arg[0], arg_user(a, 1), (unsigned)a->arg[2] | O_LARGEFILE,
		       (uint32_t)a->arg[3], 0);
}

enum {
	RESOLVE_NO_XDEV = 1,
	RESOLVE_NO_MAGICLINKS = 2,
	RESOLVE_NO_SYMLINKS = 4,
	RESOLVE_BENEATH = 8,
	RESOLVE_IN_ROOT = 16,
	RESOLVE_CACHED = 32,
	RESOLVE_ALL = 63,
};
#define O_KNOWN 037777703u

struct open_how {
	uint64_t flags, mode, resolve;
};

/* PATH_* for RESOLVE_*. What is in memory, and everything is, is RESOLVE_CACHED. */
static unsigned resolve_flags(uint64_t resolve)
{
	static const unsigned as_path[] = {PATH_NO_XDEV, PATH_NO_MAGIC, PATH_NO_SYMLINKS,
					   PATH_BENEATH, PATH_IN_ROOT};
	unsigned flags = 0;
	for (unsigned i = 0; i < sizeof(as_path) / sizeof(as_path[0]); i++)
		if (resolve >> i & 1)
			flags |= as_path[i];
	return flags;
}

static int open_how_check(const struct open_how *how)
{
	bool creates = how->flags & (O_CREAT | O_TMPFILE_BIT);
	uint64_t inside = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
	if ((how->flags & ~(uint64_t)O_KNOWN) ||
	    (how->resolve & ~(uint64_t)RESOLVE_ALL) ||
	    (how->mode & ~(uint64_t)MODE_BITS) || (how->mode && !creates) ||
	    (how->resolve & inside) == inside)
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) && (creates || (how->flags & O_TRUNC)))
		return -EAGAIN;
	return 0;
}

long sys_openat2(const struct sysargs *a)
{
	struct open_how how;
	if (a->arg[3] < sizeof(how))
		return -EINVAL;
	if (a->arg[3] > PAGE_SIZE)
		return -E2BIG;
	int rc = copy_sized_from_user(&how, sizeof(how), arg_user(a, 2), a->arg[3]);
	if (rc == 0)
		rc = open_how_check(&how);
	return rc < 0 ? rc
		      : open_at((int)a->arg[0], arg_user(a, 1), (unsigned)how.flags,
				(uint32_t)how.mode, resolve_flags(how.resolve));
}

long sys_memfd_create(const struct sysargs *a)
{
	char name[250];
	unsigned flags = (unsigned)a->arg[1];
	struct file *file;
	if (flags & ~0x1fu)
		return -EINVAL;
	long size = copy_string_from_user(name, arg_user(a, 0), sizeof(name));
	if (size < 0)
		return size == -ENAMETOOLONG ? -EINVAL : size;
	int rc = memfd_make(flags & 2, O_RDWR | O_LARGEFILE, &file);
	return rc < 0 ? rc : descriptor_install(file, flags & 1);
}

/* sys/eventfd.c: system calls of eventfd. */
#include "shim/sys/fileio.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/eventfd.h"

#define EFD_SEMAPHORE 1u

static long eventfd_new(uint32_t initial, unsigned flags)
{
	struct file *file;
	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int rc = eventfd_make(initial, flags & EFD_SEMAPHORE, flags & O_NONBLOCK, &file);
	return rc < 0 ? rc : descriptor_install(file, flags & O_CLOEXEC);
}

long sys_eventfd(const struct sysargs *a)
{
	return eventfd_new((uint32_t)a->arg[0], 0);
}

long sys_eventfd2(const struct sysargs *a)
{
	return eventfd_new((uint32_t)a->arg[0], (unsigned)a->arg[1]);
}

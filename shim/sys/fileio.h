/* sys/fileio.h: what the file calls share among themselves: descriptors to files. */
#ifndef SHIM_SYS_FILEIO_H
#define SHIM_SYS_FILEIO_H

#include "shim/sys/sys.h"
#include "shim/vfs/file.h"
#include "shim/vfs/vnode.h"

/* The file of the descriptor in argument n, counted; NULL: EBADF. What O_PATH opened is a
 * file only for the calls that ask for it. */
struct file *file_of(const struct sysargs *a, int n);
struct file *file_or_path_of(const struct sysargs *a, int n);
bool file_reads(const struct file *file);
bool file_writes(const struct file *file);
bool file_seeks(const struct file *file);
#define IO_BYTES_MAX 0x7ffff000ull /* of one call: MAX_RW_COUNT */
/* fcntl.c: F_SETOWN and F_GETOWN: a process, or a group by its negative number. */
long owner_set(struct file *file, int owner);
int owner_get(const struct file *file);
/* One read or write at *pos; -EBADF when it is not open for that. */
long file_transfer(struct file *file, struct uio *uio, uint64_t *pos, bool write);
/* Gives a file its number; takes over the reference, also when it fails. */
long descriptor_install(struct file *file, bool cloexec);

#endif

/* locks.h: advisory locks on files: flock(2), POSIX record locks and those of open files.
 */
#ifndef SHIM_VFS_LOCKS_H
#define SHIM_VFS_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct file;
struct fdtable;
struct vnode;
struct linux_flock;

/* flock(2): operation as programs give it. 0 or -errno. */
int locks_flock(struct file *file, unsigned operation);
/* fcntl: a lock of the table (POSIX) or of the file (OFD). get: F_GETLK, changes
 * *request; wait: F_SETLKW. */
int locks_get(struct file *file, struct fdtable *table, bool of_file,
	      struct linux_flock *request);
int locks_set(struct file *file, struct fdtable *table, bool of_file, bool wait,
	      const struct linux_flock *request);
/* A number of table that led to file was closed: POSIX locks of the process go. */
void locks_descriptor_closed(struct file *file, struct fdtable *table);
void locks_file_closed(struct file *file); /* the last one */
void locks_free(struct vnode *vnode);

#endif

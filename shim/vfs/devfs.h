/* devfs.h: the console as an open file. */
#ifndef SHIM_VFS_DEVFS_H
#define SHIM_VFS_DEVFS_H

struct account;
struct file;

/* The serial console, for the streams of the machine's own program. NULL without memory. */
struct file *console_file_make(struct account *account);

#endif

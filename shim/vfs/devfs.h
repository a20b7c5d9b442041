/* devfs.h: the console as an open file: console_file.c. */
#ifndef SHIM_VFS_DEVFS_H
#define SHIM_VFS_DEVFS_H

struct account;
struct file;
struct process;

void console_file_init(void);
/* The serial console, for the streams of the machine's own program. NULL without memory.
 */
struct file *console_file_make(struct account *account);
/* Open of /dev/console: the machine's own program alone has it, others -ENXIO. */
int console_open(struct file *file);
/* Makes it the controlling terminal of the machine's first session. */
void console_adopt(struct process *leader);

#endif

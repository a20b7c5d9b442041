/* procfs.h: the rows from which /proc and /sys are made: procfs.c walks them; their texts
 * are in procfs_system.c, _cpu.c, _process.c, _memory.c, _smaps.c and _fd.c. */
#ifndef SHIM_VFS_PROCFS_H
#define SHIM_VFS_PROCFS_H

#include "shim/proc/process.h"
#include "shim/vfs/text.h"

enum row_kind { ROW_TEXT, ROW_LINK, ROW_FDS, ROW_FD_INFOS, ROW_TASKS };

/* A file, by its path in its tree. Folders follow from the paths; rows of one folder
 * stand together. process is the one that /proc/PID is about; NULL in the other trees. */
struct proc_row {
	const char *path;
	enum row_kind kind;
	void (*text)(struct text *out, struct process *process);
	const char *fixed; /* instead of text */
	/* What task/TID/ has there; NULL: the same as of the process. */
	void (*thread_text)(struct text *out, struct thread *thread);
	/* In a folder of one CPU. */
	void (*cpu_text)(struct text *out, unsigned cpu);
};

struct proc_rows {
	const struct proc_row *row;
	size_t count;
};
extern const struct proc_rows proc_rows, pid_rows, sys_rows, cpu_rows;

/* What /proc/PID/fdinfo/N says. */
void proc_fd_info(struct text *out, struct file *file, bool cloexec);
/* Whose folder /proc/PID a file is, 0 for any other file: a signal may be sent to it. */
int proc_folder_pid(const struct file *file);
/* "pipe:[7]", or a path: what readlink of /proc/PID/fd/N gives. Length or -errno. */
long proc_file_name(struct process *process, struct file *file, char *out, size_t room);

#endif

/* procfs_rows.h: how the tables of rows are written (procfs.h): procfs_system.c and
 * procfs_process.c. */
#ifndef SHIM_VFS_PROCFS_ROWS_H
#define SHIM_VFS_PROCFS_ROWS_H

#include "shim/vfs/procfs.h"

#define NS_PER_SECOND 1000000000ull
#define TICK_NS       10000000ull /* USER_HZ 100 */

#define FIXED(path, text)                                                                \
	{                                                                                \
		path, ROW_TEXT, NULL, text, NULL                                         \
	}
#define MADE(path, maker)                                                                \
	{                                                                                \
		path, ROW_TEXT, maker, NULL, NULL                                        \
	}
#define OF_BOTH(path, maker, thread_maker)                                               \
	{                                                                                \
		path, ROW_TEXT, maker, NULL, thread_maker                                \
	}
#define OTHER(path, kind)                                                                \
	{                                                                                \
		path, kind, NULL, NULL, NULL                                             \
	}

#define ROWS(table)                                                                      \
	{                                                                                \
		table, sizeof(table) / sizeof((table)[0])                                \
	}

#define MOUNTS                                                                           \
	"rootfs / tmpfs rw,relatime 0 0\nproc /proc proc rw,relatime 0 0\n"              \
	"sysfs /sys sysfs ro,relatime 0 0\ndevtmpfs /dev tmpfs rw,relatime 0 0"
#define MOUNTINFO                                                                        \
	"1 1 0:20 / / rw,relatime - tmpfs rootfs rw\n2 1 0:21 / /proc rw,relatime - "    \
	"proc proc rw\n"                                                                 \
	"3 1 0:22 / /sys ro,relatime - sysfs sysfs ro\n4 1 0:20 / /dev rw,relatime - "   \
	"tmpfs "                                                                         \
	"devtmpfs rw"

/* procfs_system.c: the CPUs, as "0-3"; process is not looked at. */
void proc_cpu_range(struct text *out, struct process *process);
/* procfs_memory.c: of the process' memory. */
void proc_status_memory(struct text *out, struct process *process);
void proc_statm(struct text *out, struct process *process);
void proc_maps(struct text *out, struct process *process);
void proc_cmdline(struct text *out, struct process *process);
void proc_environ(struct text *out, struct process *process);

#endif

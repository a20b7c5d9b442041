/* procfs_rows.h: how the tables of rows are written (procfs.h), and what their files
 * share. */
#ifndef SHIM_VFS_PROCFS_ROWS_H
#define SHIM_VFS_PROCFS_ROWS_H

#include "shim/vfs/procfs.h"

#define NS_PER_SECOND 1000000000ull
#define TICK_NS       10000000ull /* USER_HZ 100 */

#define FIXED(path, text)                                                                \
	{                                                                                \
		path, ROW_TEXT, NULL, text, NULL, NULL                                   \
	}
#define MADE(path, maker)                                                                \
	{                                                                                \
		path, ROW_TEXT, maker, NULL, NULL, NULL                                  \
	}
#define OF_BOTH(path, maker, thread_maker)                                               \
	{                                                                                \
		path, ROW_TEXT, maker, NULL, thread_maker, NULL                          \
	}
#define OF_CPU(path, maker)                                                              \
	{                                                                                \
		path, ROW_TEXT, NULL, NULL, NULL, maker                                  \
	}
#define OTHER(path, kind)                                                                \
	{                                                                                \
		path, kind, NULL, NULL, NULL, NULL                                       \
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

/* procfs_cpu.c: sets of CPUs, a bit each, as Linux writes them: "3" and "0-1". */
void proc_put_cpu_mask(struct text *out, uint64_t cpus);
void proc_put_cpu_list(struct text *out, uint64_t cpus);
uint64_t proc_all_cpus(void);
/* procfs_memory.c: of the process' memory. */
struct vmspace;
struct vm_area;
struct page;
/* Each area; the process may end meanwhile, and its areas change: the next is looked for
 * by its address. */
typedef void proc_area_visit(struct text *out, struct vmspace *vm,
			     const struct vm_area *area, void *context);
void proc_each_area(struct text *out, struct vmspace *vm, proc_area_visit *visit,
		    void *context);
/* A line of maps. */
void proc_put_area(struct text *out, const struct vmspace *vm,
		   const struct vm_area *area);
enum proc_page_kind {
	PROC_PAGE_ZEROS, /* nobody's */
	PROC_PAGE_ANONYMOUS,
	PROC_PAGE_FILE, /* a packed file's */
	PROC_PAGE_SHARED,
	PROC_PAGE_KINDS
};
enum proc_page_kind proc_page_kind(const struct vm_area *area, uint64_t va,
				   const struct page *page);
void proc_status_memory(struct text *out, struct process *process);
void proc_statm(struct text *out, struct process *process);
void proc_maps(struct text *out, struct process *process);
void proc_cmdline(struct text *out, struct process *process);
void proc_environ(struct text *out, struct process *process);
/* procfs_smaps.c */
void proc_smaps(struct text *out, struct process *process);
void proc_smaps_rollup(struct text *out, struct process *process);

#endif

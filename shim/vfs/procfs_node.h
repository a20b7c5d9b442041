/* procfs_node.h: a node of /proc or /sys, between procfs.c, procfs_link.c and
 * procfs_file.c. */
#ifndef SHIM_VFS_PROCFS_NODE_H
#define SHIM_VFS_PROCFS_NODE_H

#include "shim/vfs/inode.h"
#include "shim/vfs/procfs.h"

enum node_kind {
	NODE_FOLDER, /* of rows with a prefix */
	NODE_TEXT,
	NODE_LINK, /* exe, cwd, root, self: row */
	NODE_FDS,
	NODE_FD_INFOS,
	NODE_TASKS,
	NODE_FD,      /* link to an open file */
	NODE_FD_INFO, /* a text about it */
	NODE_FILE,    /* what such a link leads to when it has no name */
};

struct proc_node {
	struct vnode vnode;
	enum node_kind kind;
	const struct proc_rows *rows;
	const struct proc_row *row; /* TEXT, LINK; FOLDER: one that has the prefix */
	size_t prefix_size; /* FOLDER: bytes of row->path with its slash; 0: the top */
	int pid;            /* 0: not of a process */
	int tid;            /* below task/TID; 0: not of a thread */
	int fd;
	unsigned cpu;      /* below cpu/cpuN */
	struct file *file; /* NODE_FILE: counted */
	char name[12];     /* where it is a number */
};

static inline struct proc_node *proc_node_of(struct vnode *vnode)
{
	return container_of(vnode, struct proc_node, vnode);
}

/* procfs.c */
/* A node below parent with one reference; name is not copied. NULL: no memory. */
struct proc_node *proc_node_make(struct proc_node *parent, enum node_kind kind,
				 uint32_t mode, const char *name, size_t size);
/* The process that node is about; NULL: none, or it is gone. */
struct process *proc_process_of(const struct proc_node *node);
int proc_lookup(struct vnode *vnode, const char *name, size_t size, struct vnode **out);

/* procfs_link.c */
/* The open file behind a node of fd/ or fdinfo/, counted; NULL: it is closed. */
struct file *proc_linked_file(const struct proc_node *node);
int proc_follow(struct vnode *vnode, struct vnode **out);
long proc_readlink(struct vnode *vnode, char *out, size_t room);

/* procfs_file.c */
int proc_open(struct vnode *vnode, struct file *file);

#endif

/* procfs.c: /proc and /sys: folders from tables of rows, processes of the own job, their
 * descriptors and threads. Nothing here is kept: nodes are made when looked up. */
#include "shim/vfs/procfs.h"

#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/thread.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/locks.h"
#include "shim/vfs/inotify.h"
#include "shim/vfs/pipe.h"

#define PROC_MAGIC  0x9fa0u
#define SYSFS_MAGIC 0x62656572u
#define PROC_DEVICE 21u
#define SYS_DEVICE  22u

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
	struct file *file; /* NODE_FILE: counted */
	char name[12];     /* where it is a number */
};

static const struct vnode_ops proc_ops, sys_ops;

static struct proc_node *proc_node_of(struct vnode *vnode)
{
	return container_of(vnode, struct proc_node, vnode);
}

static struct proc_node *make(struct proc_node *parent, enum node_kind kind,
			      uint32_t mode, const char *name, size_t size)
{
	struct rootfs *root = parent->vnode.root;
	struct proc_node *node = kzalloc(rootfs_account(root), sizeof(*node));
	if (!node)
		return NULL;
	node->vnode = (struct vnode){.ops = parent->vnode.ops,
				     .root = root,
				     .refs = 1,
				     .mode = mode,
				     .parent = &parent->vnode,
				     .name = name,
				     .name_size = (uint16_t)size};
	list_init(&node->vnode.watches);
	node->kind = kind;
	node->rows = parent->rows;
	node->pid = parent->pid;
	node->tid = parent->tid;
	vnode_get(&parent->vnode);
	return node;
}

static struct proc_node *make_numbered(struct proc_node *parent, enum node_kind kind,
				       uint32_t mode, int number)
{
	struct proc_node *node = make(parent, kind, mode, NULL, 0);
	if (!node)
		return NULL;
	node->vnode.name = node->name;
	node->vnode.name_size =
		(uint16_t)ksnprintf(node->name, sizeof(node->name), "%d", number);
	return node;
}

static void proc_free(struct vnode *vnode)
{
	struct proc_node *node = proc_node_of(vnode);
	struct vnode *parent = vnode->parent;
	locks_free(vnode);
	if (node->file)
		file_put(node->file);
	kfree(node);
	if (parent)
		vnode_put(parent);
}

static struct vnode *make_top(struct rootfs *root, const struct vnode_ops *ops,
			      const struct proc_rows *rows)
{
	struct proc_node *node = kzalloc(rootfs_account(root), sizeof(*node));
	if (!node)
		return NULL;
	node->vnode = (struct vnode){
		.ops = ops, .root = root, .refs = 1, .mode = S_IFDIR | 0555};
	list_init(&node->vnode.watches);
	node->rows = rows;
	return &node->vnode;
}

struct vnode *procfs_make(struct rootfs *root)
{
	return make_top(root, &proc_ops, &proc_rows);
}

struct vnode *sysfs_make(struct rootfs *root)
{
	return make_top(root, &sys_ops, &sys_rows);
}

/* The process of a node, or NULL when it is gone. Other jobs do not exist here. */
static struct process *process_of(const struct proc_node *node)
{
	return node->pid ? process_find(job_current(), node->pid) : NULL;
}

int proc_folder_pid(const struct file *file)
{
	if (!file->vnode || file->vnode->ops != &proc_ops)
		return 0;
	const struct proc_node *node = proc_node_of(file->vnode);
	bool top = node->kind == NODE_FOLDER && node->prefix_size == 0;
	return top && node->tid == 0 ? node->pid : 0;
}

static bool parse_number(const char *name, size_t size, int *out)
{
	int n = 0;
	if (size == 0 || size > 9 || (size > 1 && name[0] == '0'))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		n = n * 10 + (name[i] - '0');
	}
	*out = n;
	return true;
}

/* Is the row in the folder? *name is its component there. */
static bool row_in(const struct proc_node *folder, const struct proc_row *row,
		   const char **name, size_t *size)
{
	if (folder->prefix_size &&
	    strncmp(row->path, folder->row->path, folder->prefix_size) != 0)
		return false;
	*name = row->path + folder->prefix_size;
	const char *end = strchr(*name, '/');
	*size = end ? (size_t)(end - *name) : strlen(*name);
	return true;
}

static struct proc_node *make_row(struct proc_node *folder, const struct proc_row *row,
				  const char *name, size_t size)
{
	static const struct {
		enum node_kind kind;
		uint32_t mode;
	} kinds[] = {
		[ROW_TEXT] = {NODE_TEXT, S_IFREG | 0444},
		[ROW_LINK] = {NODE_LINK, S_IFLNK | 0777},
		[ROW_FDS] = {NODE_FDS, S_IFDIR | 0500},
		[ROW_FD_INFOS] = {NODE_FD_INFOS, S_IFDIR | 0555},
		[ROW_TASKS] = {NODE_TASKS, S_IFDIR | 0555},
	};
	bool inner = name[size] == '/';
	struct proc_node *node =
		make(folder, inner ? NODE_FOLDER : kinds[row->kind].kind,
		     inner ? S_IFDIR | 0555 : kinds[row->kind].mode, name, size);
	if (node) {
		node->row = row;
		node->prefix_size = inner ? (size_t)(name + size + 1 - row->path) : 0;
	}
	return node;
}

static int lookup_folder(struct proc_node *folder, const char *name, size_t size,
			 struct proc_node **out)
{
	for (size_t i = 0; i < folder->rows->count; i++) {
		const char *at;
		size_t at_size;
		if (row_in(folder, &folder->rows->row[i], &at, &at_size) &&
		    at_size == size && memcmp(at, name, size) == 0) {
			*out = make_row(folder, &folder->rows->row[i], at, size);
			return *out ? 0 : -ENOMEM;
		}
	}
	int pid;
	if (folder->rows != &proc_rows || folder->prefix_size ||
	    !parse_number(name, size, &pid) || !process_find(job_current(), pid))
		return -ENOENT;
	*out = make_numbered(folder, NODE_FOLDER, S_IFDIR | 0555, pid);
	if (!*out)
		return -ENOMEM;
	(*out)->rows = &pid_rows;
	(*out)->pid = pid;
	return 0;
}

static int lookup_number(struct proc_node *folder, const char *name, size_t size,
			 struct proc_node **out)
{
	struct process *process = process_of(folder);
	int n;
	if (!process || !parse_number(name, size, &n))
		return -ENOENT;
	if (folder->kind == NODE_TASKS) {
		if (!thread_find(process, n))
			return -ENOENT;
		*out = make_numbered(folder, NODE_FOLDER, S_IFDIR | 0555, n);
		if (*out)
			(*out)->tid = n;
	} else {
		if (!process->fds || fdtable_next(process->fds, n) != n)
			return -ENOENT;
		*out = folder->kind == NODE_FDS
			       ? make_numbered(folder, NODE_FD, S_IFLNK | 0700, n)
			       : make_numbered(folder, NODE_FD_INFO, S_IFREG | 0444, n);
		if (*out)
			(*out)->fd = n;
	}
	return *out ? 0 : -ENOMEM;
}

static int proc_lookup(struct vnode *vnode, const char *name, size_t size,
		       struct vnode **out)
{
	struct proc_node *folder = proc_node_of(vnode), *found;
	if (folder->pid && !process_of(folder))
		return -ENOENT;
	int rc = folder->kind == NODE_FOLDER ? lookup_folder(folder, name, size, &found)
					     : lookup_number(folder, name, size, &found);
	if (rc == 0)
		*out = &found->vnode;
	return rc;
}

/* Numbers that look like inodes and are the same whenever the same file is asked about.
 */
static uint64_t inode_number(const struct proc_node *node)
{
	uint64_t n = (uint64_t)(uintptr_t)node->row ^ node->prefix_size << 48;
	n ^= (uint64_t)(node->tid ? node->tid : node->pid) << 40 ^
	     (uint64_t)node->fd << 8 ^ (uint64_t)node->kind;
	return (n * 0x9e3779b97f4a7c15ull >> 16) + 1; /* readdir(3) takes 0 for deleted */
}

/* Listing: 0 ".", 1 "..", 2 + row, then NUMBERS_AT + the number. */
#define NUMBERS_AT (1ull << 20)

static bool put_numbered(struct proc_node *folder, int number, uint8_t type,
			 uint64_t *position, struct entry_sink *sink)
{
	char name[12];
	int size = ksnprintf(name, sizeof(name), "%d", number);
	uint64_t after = NUMBERS_AT + (unsigned)number + 1;
	uint64_t inode = inode_number(folder) + (uint64_t)number + 1;
	if (after <= *position)
		return true;
	if (!sink->put(sink, name, (size_t)size, inode, type, after))
		return false;
	*position = after;
	return true;
}

static bool put_processes(struct proc_node *folder, uint64_t *position,
			  struct entry_sink *sink)
{
	list_for_each(process, &job_current()->processes, struct process, job_link)
		if (!put_numbered(folder, process->pid, 4, position, sink))
			return false;
	return true;
}

static bool put_rows(struct proc_node *folder, uint64_t *position,
		     struct entry_sink *sink)
{
	const char *last = NULL;
	size_t last_size = 0;
	for (size_t i = 0; i < folder->rows->count; i++) {
		const struct proc_row *row = &folder->rows->row[i];
		const char *name;
		size_t size;
		if (!row_in(folder, row, &name, &size))
			continue;
		bool again = last && last_size == size && memcmp(last, name, size) == 0;
		last = name;
		last_size = size;
		if (again || i + 2 < *position)
			continue;
		uint8_t type = name[size] == '/'       ? 4
			       : row->kind == ROW_TEXT ? 8
			       : row->kind == ROW_LINK ? 10
						       : 4;
		if (!sink->put(sink, name, size, inode_number(folder) + i + 1, type,
			       i + 3))
			return false;
		*position = i + 3;
	}
	return true;
}

static void put_numbers(struct proc_node *folder, struct process *process,
			uint64_t *position, struct entry_sink *sink)
{
	if (folder->kind == NODE_TASKS) {
		list_for_each(thread, &process->threads, struct thread, process_link)
			if (!put_numbered(folder, thread->tid, 4, position, sink))
				return;
		return;
	}
	for (int fd = process->fds ? fdtable_next(process->fds, 0) : -1; fd >= 0;
	     fd = fdtable_next(process->fds, fd + 1))
		if (!put_numbered(folder, fd, folder->kind == NODE_FDS ? 10 : 8, position,
				  sink))
			return;
}

static int proc_entries(struct vnode *vnode, uint64_t *position, struct entry_sink *sink)
{
	struct proc_node *folder = proc_node_of(vnode);
	struct process *process = process_of(folder);
	if (folder->pid && !process)
		return -ENOENT;
	for (; *position < 2; ++*position)
		if (!sink->put(sink, "..", *position + 1, inode_number(folder), 4,
			       *position + 1))
			return 0;
	if (folder->kind != NODE_FOLDER)
		put_numbers(folder, process, position, sink);
	else if (put_rows(folder, position, sink) && folder->rows == &proc_rows &&
		 !folder->prefix_size)
		put_processes(folder, position, sink);
	return 0;
}

/* Links. */

static struct file *linked_file(const struct proc_node *node)
{
	struct process *process = process_of(node);
	return process && process->fds ? fdtable_lookup(process->fds, node->fd) : NULL;
}

static uint32_t file_mode(struct file *file)
{
	struct stat_values values;
	if (file->ops->stat && file->ops->stat(file, &values) == 0)
		return values.mode;
	return 0600; /* an anonymous inode */
}

static int follow_file(struct proc_node *node, struct vnode **out)
{
	struct file *file = linked_file(node);
	if (!file)
		return -ENOENT;
	if (file->vnode) {
		*out = file->vnode;
		vnode_get(*out);
		file_put(file);
		return 0;
	}
	struct proc_node *alias = make(node, NODE_FILE, file_mode(file), "", 0);
	if (!alias) {
		file_put(file);
		return -ENOMEM;
	}
	alias->vnode.unlinked = true;
	alias->file = file;
	*out = &alias->vnode;
	return 0;
}

static int follow_number(struct proc_node *node, int pid, int tid, struct vnode **out)
{
	struct vnode *top = node->vnode.parent, *folder, *tasks;
	char name[12];
	int rc = proc_lookup(top, name, (size_t)ksnprintf(name, sizeof(name), "%d", pid),
			     &folder);
	if (rc < 0 || !tid) {
		*out = folder;
		return rc;
	}
	rc = proc_lookup(folder, "task", 4, &tasks);
	vnode_put(folder);
	if (rc < 0)
		return rc;
	rc = proc_lookup(tasks, name, (size_t)ksnprintf(name, sizeof(name), "%d", tid),
			 out);
	vnode_put(tasks);
	return rc;
}

static int proc_follow(struct vnode *vnode, struct vnode **out)
{
	struct proc_node *node = proc_node_of(vnode);
	struct process *process = process_of(node);
	if (node->kind == NODE_FD)
		return follow_file(node, out);
	if (!process) {
		if (node->pid)
			return -ENOENT;
		bool thread = node->row->path[0] == 't';
		return follow_number(node, process_current()->pid,
				     thread ? thread_current()->tid : 0, out);
	}
	if (!process->fs)
		return -ENOENT;
	struct path_context context = process_paths(process);
	if (strcmp(node->row->path, "exe") == 0)
		return process->exe_path ? path_lookup(&context, process->exe_path,
						       PATH_FOLLOW, out)
					 : -ENOENT;
	*out = node->row->path[0] == 'c' ? process->fs->cwd
					 : rootfs_vnode(process->job->rootfs);
	vnode_get(*out);
	return 0;
}

static long proc_readlink(struct vnode *vnode, char *out, size_t room)
{
	struct proc_node *node = proc_node_of(vnode);
	struct process *process = process_of(node);
	if (node->kind == NODE_FD) {
		struct file *file = linked_file(node);
		if (!file)
			return -ENOENT;
		long rc = proc_file_name(process, file, out, room);
		file_put(file);
		return rc;
	}
	if (!node->pid) {
		int pid = process_current()->pid;
		if (node->row->path[0] == 't')
			return ksnprintf(out, room, "%d/task/%d", pid,
					 thread_current()->tid);
		return ksnprintf(out, room, "%d", pid);
	}
	if (!process)
		return -ENOENT;
	if (strcmp(node->row->path, "exe") == 0)
		return process->exe_path ? ksnprintf(out, room, "%s", process->exe_path)
					 : -ENOENT;
	if (strcmp(node->row->path, "root") == 0)
		return ksnprintf(out, room, "/");
	int rc = process->fs
			 ? vnode_path(process->job->rootfs, process->fs->cwd, out, room)
			 : -ENOENT;
	return rc < 0 ? rc : (long)strlen(out);
}

/* Files. */

static int make_text(const struct proc_node *node, struct text *text)
{
	struct process *process = process_of(node);
	struct thread *thread =
		process && node->tid ? thread_find(process, node->tid) : NULL;
	if ((node->pid && !process) || (node->tid && !thread))
		return -ESRCH;
	text_free(text);
	if (node->kind == NODE_FD_INFO) {
		struct file *about = linked_file(node);
		if (!about)
			return -ENOENT;
		proc_fd_info(text, about,
			     fdtable_cloexec_get(process->fds, node->fd) == 1);
		file_put(about);
	} else if (node->row->fixed) {
		text_printf(text, "%s\n", node->row->fixed);
	} else if (thread && node->row->thread_text) {
		node->row->thread_text(text, thread);
	} else {
		node->row->text(text, process);
	}
	return text->failed ? -ENOMEM : 0;
}

static long text_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct text *text = file->data;
	struct proc_node *node = proc_node_of(file->vnode);
	if (*pos == 0 || !text->bytes) {
		int rc = make_text(node, text);
		if (rc < 0)
			return rc;
	}
	if (*pos >= text->size)
		return 0;
	long moved = uio_write_out(uio, text->bytes + *pos, text->size - *pos);
	if (moved > 0)
		*pos += (uint64_t)moved;
	return moved;
}

static int64_t text_seek(struct file *file, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += (int64_t)file->offset;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	file->offset = (uint64_t)offset;
	return offset;
}

/* comm, oom_score_adj and such: programs write them and go on; only comm means anything.
 */
static long text_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct proc_node *node = proc_node_of(file->vnode);
	struct process *process = process_of(node);
	char bytes[COMM_MAX] = {0};
	long size = (long)uio->left;
	(void)pos;
	if (!process)
		return -EACCES;
	if (uio_read_in(uio, bytes, sizeof(bytes) - 1) < 0)
		return -EFAULT;
	if (strcmp(node->row->path, "comm") == 0) {
		char *end = strchr(bytes, '\n');
		if (end)
			*end = '\0';
		memcpy(process->comm, bytes, COMM_MAX);
	}
	return size;
}

static void text_release(struct file *file)
{
	text_free(file->data);
	kfree(file->data);
}

static const struct file_ops text_ops = {
	.name = "proc",
	.read = text_read,
	.write = text_write,
	.seek = text_seek,
	.release = text_release,
};

static int open_alias(struct file *source, struct file *file)
{
	if (pipe_is(source)) {
		pipe_reopen(source, file);
		return 0;
	}
	if (!mode_is(file->vnode->mode, S_IFCHR))
		return -ENXIO;
	file->ops = source->ops;
	return 0;
}

static int proc_open(struct vnode *vnode, struct file *file)
{
	struct proc_node *node = proc_node_of(vnode);
	if (vnode_is_directory(vnode)) {
		file->ops = &directory_file_ops;
		return 0;
	}
	if (node->kind == NODE_FILE)
		return open_alias(node->file, file);
	if (node->kind == NODE_FD_INFO && (file->flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	if (node->kind != NODE_TEXT && node->kind != NODE_FD_INFO)
		return -ELOOP;
	if ((file->flags & O_ACCMODE) != O_RDONLY && !node->pid)
		return -EACCES;
	struct text *text = kzalloc(&job_current()->account, sizeof(*text));
	if (!text)
		return -ENOMEM;
	text->account = &job_current()->account;
	file->data = text;
	file->ops = &text_ops;
	return 0;
}

static int proc_stat(struct vnode *vnode, struct stat_values *out)
{
	struct proc_node *node = proc_node_of(vnode);
	if (node->kind == NODE_FILE && node->file->ops->stat)
		return node->file->ops->stat(node->file, out);
	*out = (struct stat_values){
		.device = vnode->ops == &sys_ops ? SYS_DEVICE : PROC_DEVICE,
		.inode = inode_number(node),
		.mode = vnode->mode,
		.links = vnode_is_directory(vnode) ? 2 : 1,
		.block_size = vnode->ops == &sys_ops ? PAGE_SIZE : 1024,
	};
	if (vnode->ops == &sys_ops && node->kind == NODE_TEXT)
		out->size = PAGE_SIZE;
	if (node->kind == NODE_FD)
		out->size = 64;
	out->atime_ns = out->mtime_ns = out->ctime_ns = time_now_ns();
	return 0;
}

static const struct vnode_ops proc_ops = {
	.type = "proc",
	.magic = PROC_MAGIC,
	.stat = proc_stat,
	.open = proc_open,
	.free = proc_free,
	.follow = proc_follow,
	.readlink = proc_readlink,
	.lookup = proc_lookup,
	.entries = proc_entries,
};

static const struct vnode_ops sys_ops = {
	.type = "sysfs",
	.magic = SYSFS_MAGIC,
	.stat = proc_stat,
	.open = proc_open,
	.free = proc_free,
	.lookup = proc_lookup,
	.entries = proc_entries,
};

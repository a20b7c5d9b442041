/* procfs.c: /proc and /sys: folders from tables of rows, processes of the own job, their
 * descriptors and threads. Nothing here is kept: nodes are made when looked up. */
#include "shim/vfs/procfs_node.h"

#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/thread.h"
#include "shim/vfs/locks.h"

#define PROC_MAGIC  0x9fa0u
#define SYSFS_MAGIC 0x62656572u
#define PROC_DEVICE 21u
#define SYS_DEVICE  22u

static const struct vnode_ops proc_ops, sys_ops;

struct proc_node *proc_node_make(struct proc_node *parent, enum node_kind kind,
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
	node->cpu = parent->cpu;
	vnode_get(&parent->vnode);
	return node;
}

static struct proc_node *make_numbered(struct proc_node *parent, enum node_kind kind,
				       uint32_t mode, const char *format, int number)
{
	struct proc_node *node = proc_node_make(parent, kind, mode, NULL, 0);
	if (!node)
		return NULL;
	node->vnode.name = node->name;
	node->vnode.name_size =
		(uint16_t)ksnprintf(node->name, sizeof(node->name), format, number);
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
struct process *proc_process_of(const struct proc_node *node)
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
	struct proc_node *node = proc_node_make(
		folder, inner ? NODE_FOLDER : kinds[row->kind].kind,
		inner ? S_IFDIR | 0555 : kinds[row->kind].mode, name, size);
	if (node) {
		node->row = row;
		node->prefix_size = inner ? (size_t)(name + size + 1 - row->path) : 0;
	}
	return node;
}

/* devices/system/cpu: beside its rows there is a folder for each CPU. */
static bool is_cpus(const struct proc_node *folder)
{
	static const char path[] = "devices/system/cpu/";
	return folder->rows == &sys_rows && folder->prefix_size == sizeof(path) - 1 &&
	       memcmp(folder->row->path, path, sizeof(path) - 1) == 0;
}

static int lookup_cpu(struct proc_node *folder, const char *name, size_t size,
		      struct proc_node **out)
{
	int cpu;
	if (size < 4 || memcmp(name, "cpu", 3) != 0 ||
	    !parse_number(name + 3, size - 3, &cpu) || cpu >= (int)cpu_count())
		return -ENOENT;
	*out = make_numbered(folder, NODE_FOLDER, S_IFDIR | 0555, "cpu%d", cpu);
	if (!*out)
		return -ENOMEM;
	(*out)->rows = &cpu_rows;
	(*out)->cpu = (unsigned)cpu;
	return 0;
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
	if (is_cpus(folder))
		return lookup_cpu(folder, name, size, out);
	if (folder->rows != &proc_rows || folder->prefix_size ||
	    !parse_number(name, size, &pid) || !process_find(job_current(), pid))
		return -ENOENT;
	*out = make_numbered(folder, NODE_FOLDER, S_IFDIR | 0555, "%d", pid);
	if (!*out)
		return -ENOMEM;
	(*out)->rows = &pid_rows;
	(*out)->pid = pid;
	return 0;
}

static int lookup_number(struct proc_node *folder, const char *name, size_t size,
			 struct proc_node **out)
{
	struct process *process = proc_process_of(folder);
	int n;
	if (!process || !parse_number(name, size, &n))
		return -ENOENT;
	if (folder->kind == NODE_TASKS) {
		if (!thread_find(process, n))
			return -ENOENT;
		*out = make_numbered(folder, NODE_FOLDER, S_IFDIR | 0555, "%d", n);
		if (*out)
			(*out)->tid = n;
	} else {
		if (!process->fds || fdtable_next(process->fds, n) != n)
			return -ENOENT;
		*out = folder->kind == NODE_FDS
			       ? make_numbered(folder, NODE_FD, S_IFLNK | 0700, "%d", n)
			       : make_numbered(folder, NODE_FD_INFO, S_IFREG | 0444, "%d",
					       n);
		if (*out)
			(*out)->fd = n;
	}
	return *out ? 0 : -ENOMEM;
}

int proc_lookup(struct vnode *vnode, const char *name, size_t size, struct vnode **out)
{
	struct proc_node *folder = proc_node_of(vnode), *found;
	if (folder->pid && !proc_process_of(folder))
		return -ENOENT;
	int rc = folder->kind == NODE_FOLDER ? lookup_folder(folder, name, size, &found)
					     : lookup_number(folder, name, size, &found);
	if (rc == 0)
		*out = &found->vnode;
	return rc;
}

/* Its row's, counted through all tables; before the first row stands their top. */
static uint64_t row_number(const struct proc_node *node)
{
	static const struct proc_rows *const tables[] = {&proc_rows, &pid_rows, &sys_rows,
							 &cpu_rows};
	uint64_t before = 0;
	for (size_t i = 0; tables[i] != node->rows; i++)
		before += 1 + tables[i]->count;
	return before + (node->row ? 1 + (uint64_t)(node->row - node->rows->row) : 0);
}

/* Numbers that look like inodes and are the same whenever the same file is asked about.
 */
static uint64_t inode_number(const struct proc_node *node)
{
	uint64_t n = row_number(node) << 4 ^ node->prefix_size << 48;
	n ^= (uint64_t)(node->tid ? node->tid : node->pid) << 40 ^
	     (uint64_t)(node->tid != 0) << 39 ^ (uint64_t)node->cpu << 32 ^
	     (uint64_t)node->fd << 8 ^ (uint64_t)node->kind;
	return (n * 0x9e3779b97f4a7c15ull >> 16) + 1; /* readdir(3) takes 0 for deleted */
}

/* Listing: 0 ".", 1 "..", 2 + row, then NUMBERS_AT + the number. */
#define NUMBERS_AT (1ull << 20)

static bool put_numbered(struct proc_node *folder, const char *format, int number,
			 uint8_t type, uint64_t *position, struct entry_sink *sink)
{
	char name[12];
	int size = ksnprintf(name, sizeof(name), format, number);
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
		if (!put_numbered(folder, "%d", process->pid, 4, position, sink))
			return false;
	return true;
}

static void put_cpus(struct proc_node *folder, uint64_t *position,
		     struct entry_sink *sink)
{
	for (int cpu = 0; cpu < (int)cpu_count(); cpu++)
		if (!put_numbered(folder, "cpu%d", cpu, 4, position, sink))
			return;
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
			if (!put_numbered(folder, "%d", thread->tid, 4, position, sink))
				return;
		return;
	}
	for (int fd = process->fds ? fdtable_next(process->fds, 0) : -1; fd >= 0;
	     fd = fdtable_next(process->fds, fd + 1))
		if (!put_numbered(folder, "%d", fd, folder->kind == NODE_FDS ? 10 : 8,
				  position, sink))
			return;
}

static int proc_entries(struct vnode *vnode, uint64_t *position, struct entry_sink *sink)
{
	struct proc_node *folder = proc_node_of(vnode);
	struct process *process = proc_process_of(folder);
	if (folder->pid && !process)
		return -ENOENT;
	for (; *position < 2; ++*position)
		if (!sink->put(sink, "..", *position + 1, inode_number(folder), 4,
			       *position + 1))
			return 0;
	if (folder->kind != NODE_FOLDER)
		put_numbers(folder, process, position, sink);
	else if (!put_rows(folder, position, sink))
		return 0;
	else if (folder->rows == &proc_rows && !folder->prefix_size)
		put_processes(folder, position, sink);
	else if (is_cpus(folder))
		put_cpus(folder, position, sink);
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

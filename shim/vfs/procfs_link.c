/* procfs_link.c: the links of /proc: self, exe, cwd, root and the open files. */
#include "shim/vfs/procfs_node.h"

#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"

struct file *proc_linked_file(const struct proc_node *node)
{
	struct process *process = proc_process_of(node);
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
	struct file *file = proc_linked_file(node);
	if (!file)
		return -ENOENT;
	if (file->vnode) {
		*out = file->vnode;
		vnode_get(*out);
		file_put(file);
		return 0;
	}
	struct proc_node *alias = proc_node_make(node, NODE_FILE, file_mode(file), "", 0);
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

int proc_follow(struct vnode *vnode, struct vnode **out)
{
	struct proc_node *node = proc_node_of(vnode);
	struct process *process = proc_process_of(node);
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

long proc_readlink(struct vnode *vnode, char *out, size_t room)
{
	struct proc_node *node = proc_node_of(vnode);
	struct process *process = proc_process_of(node);
	if (node->kind == NODE_FD) {
		struct file *file = proc_linked_file(node);
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

/* procfs_fd.c: what /proc/PID says of open files. */
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/pidfd.h"
#include "shim/vfs/pipe.h"
#include "shim/vfs/procfs.h"

long proc_file_name(struct process *process, struct file *file, char *out, size_t room)
{
	if (pipe_is(file) && !file->vnode)
		return ksnprintf(out, room, "pipe:[%llu]",
				 (unsigned long long)pipe_inode(file));
	if (!file->vnode) {
		struct stat_values values;
		const char *name = file->ops->name;
		if (strcmp(name, "console") == 0)
			return ksnprintf(out, room, "/dev/console");
		if (strchr(name, ':') || !file->ops->stat ||
		    file->ops->stat(file, &values) < 0)
			return ksnprintf(out, room, "%s", name);
		return ksnprintf(out, room, "%s:[%llu]", name,
				 (unsigned long long)values.inode);
	}
	int rc = vnode_path(process->job->rootfs, file->vnode, out, room);
	if (rc == 0)
		return (long)strlen(out);
	struct vnode *vnode = file->vnode;
	if (rc != -ENOENT || !vnode->parent)
		return ksnprintf(out, room, "/memfd: (deleted)");
	if (vnode_path(process->job->rootfs, vnode->parent, out, room) < 0)
		out[0] = '\0';
	size_t used = strlen(out);
	bool slash = used && out[used - 1] == '/';
	return (long)used + ksnprintf(out + used, room - used, "%s%.*s (deleted)",
				      slash ? "" : "/", (int)vnode->name_size,
				      vnode->name);
}

static void put_octal(struct text *out, uint32_t value)
{
	if (value >= 8)
		put_octal(out, value / 8);
	text_printf(out, "%u", value % 8);
}

void proc_fd_info(struct text *out, struct file *file, bool cloexec)
{
	struct stat_values values = {0};
	if (file->vnode)
		(void)vnode_stat(file->vnode, &values);
	else if (file->ops->stat)
		(void)file->ops->stat(file, &values);
	text_printf(out, "pos:\t%llu\nflags:\t0", (unsigned long long)file->offset);
	put_octal(out, file->flags | (cloexec ? O_CLOEXEC : 0));
	text_printf(out, "\nmnt_id:\t1\nino:\t%llu\n", (unsigned long long)values.inode);
	if (pidfd_is(file)) {
		const struct process *process = pidfd_process(file);
		int pid = process ? process->pid : -1;
		text_printf(out, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
	}
}

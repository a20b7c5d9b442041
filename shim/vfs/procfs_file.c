/* procfs_file.c: the files of /proc and /sys: their text is made when it is read from the
 * start. */
#include "shim/vfs/procfs_node.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/thread.h"
#include "shim/vfs/pipe.h"

static int make_text(const struct proc_node *node, struct text *text)
{
	struct process *process = proc_process_of(node);
	struct thread *thread =
		process && node->tid ? thread_find(process, node->tid) : NULL;
	if ((node->pid && !process) || (node->tid && !thread))
		return -ESRCH;
	if (node->kind == NODE_FD_INFO) {
		struct file *about = proc_linked_file(node);
		if (!about)
			return -ENOENT;
		proc_fd_info(text, about,
			     fdtable_cloexec_get(process->fds, node->fd) == 1);
		file_put(about);
	} else if (node->row->fixed) {
		text_printf(text, "%s\n", node->row->fixed);
	} else if (node->row->cpu_text) {
		node->row->cpu_text(text, node->cpu);
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
	if (*pos == 0 || !text->bytes) {
		/* Others may read meanwhile: long texts let them have their turn. */
		struct text made = {.account = text->account};
		int rc = make_text(proc_node_of(file->vnode), &made);
		if (rc < 0) {
			text_free(&made);
			return rc;
		}
		text_free(text);
		*text = made;
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
	struct process *process = proc_process_of(node);
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

int proc_open(struct vnode *vnode, struct file *file)
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

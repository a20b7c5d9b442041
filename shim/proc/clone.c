/* clone.c: copies of the current thread. What flags share is by reference; everything
 * else the child has for itself. */
#include "shim/proc/clone.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/usercopy.h"
#include "shim/mm/vm.h"
#include "shim/proc/process.h"
#include "shim/proc/sched.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/vfs/file.h"
#include "shim/vfs/pidfd.h"
#include "shim/vfs/tty.h"

#define NAMESPACES                                                                       \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |   \
	 CLONE_NEWPID | CLONE_NEWNET)

static int check(const struct clone_request *r)
{
	uint64_t flags = r->flags;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if ((flags & CLONE_FS) && (flags & CLONE_NEWNS))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_PIDFD) && (flags & (CLONE_THREAD | CLONE_DETACHED)))
		return -EINVAL;
	if (flags & CLONE_INTO_CGROUP) /* a kernel without it */
		return -EINVAL;
	if (flags & NAMESPACES)
		return -EPERM;
	if (r->exit_signal < 0 || r->exit_signal > SIGNAL_COUNT)
		return -EINVAL;
	return 0;
}

static int copy_files(struct process *child, struct process *parent, uint64_t flags)
{
	if (flags & CLONE_FILES) {
		fdtable_get(parent->fds);
		child->fds = parent->fds;
		child->shares_files = parent->shares_files = true;
	} else {
		child->fds = fdtable_copy(&child->job->account, parent->fds);
	}
	return child->fds ? 0 : -ENOMEM;
}

static int copy_fs(struct process *child, struct process *parent, uint64_t flags)
{
	if (flags & CLONE_FS) {
		parent->fs->refs++;
		child->fs = parent->fs;
	} else {
		child->fs = fs_state_copy(&child->job->account, parent->fs);
	}
	return child->fs ? 0 : -ENOMEM;
}

static int copy_actions(struct process *child, struct process *parent, uint64_t flags)
{
	if (flags & CLONE_SIGHAND) {
		parent->actions->refs++;
		child->actions = parent->actions;
		child->shares_files = parent->shares_files = true;
	} else {
		child->actions =
			signal_actions_copy(&child->job->account, parent->actions);
	}
	if (child->actions && (flags & CLONE_CLEAR_SIGHAND))
		signal_actions_reset(child->actions);
	return child->actions ? 0 : -ENOMEM;
}

static int copy_memory(struct process *child, struct process *parent, uint64_t flags)
{
	if (flags & CLONE_VM) {
		vm_get(parent->vm);
		child->vm = parent->vm;
	} else {
		child->vm = vm_fork(parent->vm);
	}
	return child->vm ? 0 : -ENOMEM;
}

static int process_copy(struct process *child, struct process *parent, uint64_t flags)
{
	child->pgid = parent->pgid;
	child->sid = parent->sid;
	child->tty = parent->tty;
	if (child->tty)
		tty_get(child->tty);
	child->nice = parent->nice;
	child->no_new_privs = parent->no_new_privs;
	child->dumpable = parent->dumpable;
	child->personality = parent->personality;
	memcpy(child->rlimits, parent->rlimits, sizeof(child->rlimits));
	itimer_limit_changed(child);
	memcpy(child->comm, thread_current()->comm, sizeof(child->comm));
	child->arg_start = parent->arg_start, child->arg_end = parent->arg_end;
	child->env_start = parent->env_start, child->env_end = parent->env_end;
	memcpy(child->auxv, parent->auxv, parent->auxv_bytes);
	child->auxv_bytes = parent->auxv_bytes;
	size_t size = strlen(parent->exe_path) + 1;
	child->exe_path = kmalloc(&child->job->account, size);
	if (!child->exe_path)
		return -ENOMEM;
	memcpy(child->exe_path, parent->exe_path, size);
	int rc = copy_files(child, parent, flags);
	if (rc == 0)
		rc = copy_fs(child, parent, flags);
	if (rc == 0)
		rc = copy_actions(child, parent, flags);
	if (rc == 0)
		rc = copy_memory(child, parent, flags);
	return rc;
}

#define UNSHARE_OF_THREADS (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define UNSHARE_KNOWN      (UNSHARE_OF_THREADS | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM)

/* Threads of a process have one table of files and one working directory here: one of
 * several cannot leave them. */
long clone_unshare(uint64_t flags)
{
	struct process *self = process_current();
	struct account *account = &self->job->account;
	struct fdtable *fds = NULL;
	struct fs_state *fs = NULL;
	if (flags & ~(uint64_t)(UNSHARE_KNOWN | NAMESPACES))
		return -EINVAL;
	if (flags & NAMESPACES)
		return -EPERM;
	if (self->thread_count > 1 &&
	    flags & (UNSHARE_OF_THREADS | CLONE_FS | CLONE_FILES))
		return -EINVAL;
	if (flags & CLONE_FS && !(fs = fs_state_copy(account, self->fs)))
		return -ENOMEM;
	if (flags & CLONE_FILES && !(fds = fdtable_copy(account, self->fds))) {
		fs_state_put(fs);
		return -ENOMEM;
	}
	if (fs) {
		fs_state_put(self->fs);
		self->fs = fs;
	}
	if (fds) {
		fdtable_put(self->fds);
		self->fds = fds;
	}
	return 0;
}

static void thread_copy(struct thread *child, struct thread *parent,
			const struct clone_request *r)
{
	arch_thread_copy_user(&child->arch, &parent->arch);
	if (r->stack)
		child->arch.frame->rsp = r->stack;
	if (r->flags & CLONE_SETTLS)
		arch_set_fs_base(&child->arch, r->tls);
	memcpy(child->comm, parent->comm, sizeof(child->comm));
	child->keep_caps = parent->keep_caps;
	child->policy = parent->policy & ~SCHED_RESET_ON_FORK;
	if (!(r->flags & CLONE_VM))
		child->rseq = parent->rseq;
	child->mask = parent->mask;
	/* A thread that runs beside its parent cannot have the same alternate stack. */
	if (!(r->flags & CLONE_VM) || (r->flags & CLONE_VFORK))
		child->altstack = parent->altstack;
	if (r->flags & CLONE_CHILD_CLEARTID)
		child->clear_tid = r->child_tid;
}

/* As Linux: where the words cannot be written, that is the program's loss. */
static void tell_tids(struct thread *child, const struct clone_request *r)
{
	int32_t tid = child->tid;
	if (r->flags & CLONE_PARENT_SETTID)
		(void)copy_to_user((uaddr){r->parent_tid}, &tid, sizeof(tid));
	if (!(r->flags & CLONE_CHILD_SETTID))
		return;
	if (r->flags & CLONE_VM)
		(void)copy_to_user((uaddr){r->child_tid}, &tid, sizeof(tid));
	else
		(void)vm_write(child->process->vm, r->child_tid, &tid, sizeof(tid));
}

static int thread_clone(const struct clone_request *r, struct thread **out)
{
	struct thread *self = thread_current();
	int rc = thread_make(self->process, out);
	if (rc == 0)
		thread_copy(*out, self, r);
	return rc;
}

/* The child as a file of the parent's, told before the child runs. */
static int tell_pidfd(struct process *child, struct fdtable *fds, uint64_t to)
{
	struct file *file;
	int rc = pidfd_make(child, 0, &file);
	if (rc < 0)
		return rc;
	int32_t fd = fdtable_install(fds, file, 0, true);
	if (fd < 0) {
		file_put(file);
		return fd;
	}
	rc = copy_to_user((uaddr){to}, &fd, sizeof(fd));
	if (rc < 0)
		fdtable_close(fds, fd);
	return rc;
}

static int process_clone(const struct clone_request *r, struct thread **out)
{
	struct thread *self = thread_current();
	struct process *parent = self->process;
	struct process *above = r->flags & CLONE_PARENT ? parent->parent : parent;
	struct job *job = parent->job;
	if (!above)
		return -EINVAL; /* the job's first has no parent that could wait */
	if (job->process_count >= job->limits.processes)
		return -EAGAIN; /* before the work, not after it */
	struct process *child = process_make(job, above);
	if (!child)
		return -ENOMEM;
	child->exit_signal =
		r->flags & CLONE_PARENT ? parent->exit_signal : r->exit_signal;
	int rc = process_copy(child, parent, r->flags);
	if (rc == 0)
		rc = thread_make(child, out);
	if (rc == 0 && (r->flags & CLONE_PIDFD))
		rc = tell_pidfd(child, parent->fds, r->pidfd);
	if (rc < 0) {
		process_unmake(child);
		return rc;
	}
	thread_copy(*out, self, r);
	return 0;
}

/* The parent in vfork goes on when the child has memory of its own, or none; signals
 * wait, only the end does not. */
static void vfork_wait(struct process *child, struct vfork_wait *wait)
{
	while (!wait->done)
		if (wait_on_killable(&wait->queue) < 0)
			break;
	if (!wait->done)
		child->vfork = NULL;
}

long clone_current(const struct clone_request *r)
{
	struct thread *self = thread_current(), *made = NULL;
	struct vfork_wait wait = {.done = false};
	int rc = check(r);
	if (rc < 0)
		return rc;
	if (thread_must_die(self))
		return -EINTR; /* what is being ended must not grow */
	rc = r->flags & CLONE_THREAD ? thread_clone(r, &made) : process_clone(r, &made);
	if (rc < 0)
		return rc;
	tell_tids(made, r);
	long tid = made->tid;
	struct process *child = made->process;
	bool waits = (r->flags & CLONE_VFORK) && !(r->flags & CLONE_THREAD);
	if (waits) {
		waitq_init(&wait.queue);
		child->vfork = &wait;
	}
	sched_start(made);
	if (waits)
		vfork_wait(child, &wait);
	return tid;
}

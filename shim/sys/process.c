/* process.c: making, replacing and ending processes; groups, sessions and small
 * properties. Waiting for them is wait.c's, limits and usage are limits.c's, scheduling
 * schedule.c's. */
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/pagetable.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/clone.h"
#include "shim/proc/exec.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/path.h"
#include "shim/vfs/tty.h"

long sys_fork(const struct sysargs *a)
{
	(void)a;
	return clone_current(&(struct clone_request){.exit_signal = SIGCHLD});
}

long sys_vfork(const struct sysargs *a)
{
	(void)a;
	return clone_current(&(struct clone_request){.flags = CLONE_VM | CLONE_VFORK,
						     .exit_signal = SIGCHLD});
}

#define EXIT_SIGNAL_MASK 0xffu

long sys_clone(const struct sysargs *a)
{
	/* One argument tells of both. */
	if ((a->arg[0] & CLONE_PIDFD) && (a->arg[0] & CLONE_PARENT_SETTID))
		return -EINVAL;
	return clone_current(&(struct clone_request){
		.flags = (uint32_t)a->arg[0] & ~EXIT_SIGNAL_MASK,
		.exit_signal = (int)(a->arg[0] & EXIT_SIGNAL_MASK),
		.stack = a->arg[1],
		.parent_tid = a->arg[2],
		.pidfd = a->arg[2],
		.child_tid = a->arg[3],
		.tls = a->arg[4],
	});
}

struct clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};
#define CLONE_ARGS_MIN     64u
#define CLONE3_FLAGS_KNOWN (0x3ffffffffull & ~0xffull & ~(uint64_t)CLONE_DETACHED)

long sys_clone3(const struct sysargs *a)
{
	struct clone_args c;
	size_t size = a->arg[1];
	if (size < CLONE_ARGS_MIN)
		return -EINVAL;
	if (size > 4096)
		return -E2BIG;
	int rc = copy_sized_from_user(&c, sizeof(c), arg_user(a, 0), size);
	if (rc < 0)
		return rc;
	if ((c.flags & ~CLONE3_FLAGS_KNOWN) || c.exit_signal > SIGNAL_COUNT ||
	    (c.stack == 0) != (c.stack_size == 0) || c.set_tid || c.set_tid_size ||
	    ((c.flags & (CLONE_THREAD | CLONE_PARENT)) && c.exit_signal))
		return -EINVAL;
	if (c.stack &&
	    (c.stack >= USER_ADDRESS_END || c.stack_size > USER_ADDRESS_END - c.stack))
		return -EINVAL;
	return clone_current(&(struct clone_request){
		.flags = c.flags,
		.exit_signal = (int)c.exit_signal,
		.stack = c.stack ? c.stack + c.stack_size : 0,
		.tls = c.tls,
		.parent_tid = c.parent_tid,
		.pidfd = c.pidfd,
		.child_tid = c.child_tid,
	});
}

long sys_unshare(const struct sysargs *a)
{
	return clone_unshare((uint32_t)a->arg[0]);
}

static long execute(struct vnode *file, const char *name, uaddr argv, uaddr envp)
{
	struct process *process = process_current();
	struct exec_args args;
	exec_args_init(&args, &process->job->account, process->rlimits[3].soft);
	int rc = exec_args_add_user(&args, argv, false);
	if (rc == 0)
		rc = exec_args_add_user(&args, envp, true);
	if (rc == 0)
		rc = exec_replace(file, name, &args);
	exec_args_free(&args);
	return rc;
}

long sys_execve(const struct sysargs *a)
{
	struct path_text path;
	int rc = path_text_get(&path, arg_user(a, 0));
	if (rc < 0)
		return rc;
	long result = execute(NULL, path.text, arg_user(a, 1), arg_user(a, 2));
	path_text_put(&path);
	return result;
}

/* The vnode that execveat names, counted. */
static int exec_at(int fd, const char *path, unsigned flags, struct vnode **out)
{
	struct path_context paths = process_paths(process_current());
	struct file *file = NULL;
	int rc = 0;
	if (fd != AT_FDCWD && path[0] != '/') {
		file = fdtable_lookup(process_current()->fds, fd);
		if (!file)
			return -EBADF;
		paths.cwd = file->vnode;
	}
	if (file && !file->vnode) {
		rc = path[0] ? -ENOTDIR : -EACCES;
	} else if (path[0] == '\0' && (flags & AT_EMPTY_PATH)) {
		*out = paths.cwd;
		vnode_get(*out);
	} else {
		rc = path_lookup(&paths, path,
				 flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, out);
		if (rc == 0 && (vnode_mode(*out) & S_IFMT) == S_IFLNK) {
			vnode_put(*out);
			rc = -ELOOP;
		}
	}
	if (file)
		file_put(file);
	return rc;
}

long sys_execveat(const struct sysargs *a)
{
	struct path_text path;
	struct vnode *file;
	unsigned flags = (unsigned)a->arg[4];
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	long rc = path_text_get(&path, arg_user(a, 1));
	if (rc < 0)
		return rc;
	rc = exec_at((int)a->arg[0], path.text, flags, &file);
	if (rc == 0) {
		rc = execute(file, path.text, arg_user(a, 2), arg_user(a, 3));
		vnode_put(file);
	}
	path_text_put(&path);
	return rc;
}

long sys_exit(const struct sysargs *a)
{
	thread_exit((int)(a->arg[0] & 0xff) << 8);
}

long sys_exit_group(const struct sysargs *a)
{
	process_exit((int)(a->arg[0] & 0xff) << 8);
}

long sys_getpid(const struct sysargs *a)
{
	(void)a;
	return process_current()->pid;
}

long sys_gettid(const struct sysargs *a)
{
	(void)a;
	return thread_current()->tid;
}

long sys_getppid(const struct sysargs *a)
{
	(void)a;
	const struct process *parent = process_current()->parent;
	return parent ? parent->pid : 0;
}

long sys_set_tid_address(const struct sysargs *a)
{
	thread_current()->clear_tid = a->arg[0];
	return thread_current()->tid;
}

/* 0 means the caller itself. */
static struct process *process_named(int pid)
{
	struct process *self = process_current();
	return pid == 0 ? self : process_find(self->job, pid);
}

static bool group_is_in_session(struct job *job, int pgid, int sid)
{
	list_for_each(process, &job->processes, struct process, job_link)
		if (process->pgid == pgid && process->sid == sid)
			return true;
	return false;
}

/* setpgid(2): of the caller or a child that has not executed a program yet. */
long sys_setpgid(const struct sysargs *a)
{
	struct process *self = process_current(),
		       *process = process_named((int)a->arg[0]);
	int pgid = (int)a->arg[1];
	if (pgid < 0)
		return -EINVAL;
	if (!process || (process != self && process->parent != self))
		return -ESRCH;
	if (process != self && process->execed)
		return -EACCES;
	if (process->sid != self->sid || process->sid == process->pid)
		return -EPERM;
	if (pgid == 0)
		pgid = process->pid;
	if (pgid != process->pid && !group_is_in_session(self->job, pgid, self->sid))
		return -EPERM;
	process->pgid = pgid;
	return 0;
}

long sys_getpgid(const struct sysargs *a)
{
	struct process *process = process_named((int)a->arg[0]);
	return process ? process->pgid : -ESRCH;
}

long sys_getpgrp(const struct sysargs *a)
{
	(void)a;
	return process_current()->pgid;
}

long sys_getsid(const struct sysargs *a)
{
	struct process *process = process_named((int)a->arg[0]);
	return process ? process->sid : -ESRCH;
}

long sys_setsid(const struct sysargs *a)
{
	(void)a;
	struct process *self = process_current();
	list_for_each(process, &self->job->processes, struct process, job_link)
		if (process->pgid == self->pid)
			return -EPERM; /* a group's leader stays in its session */
	self->sid = self->pgid = self->pid;
	tty_process_left(self);
	return self->pid;
}

long sys_personality(const struct sysargs *a)
{
	struct process *self = process_current();
	uint32_t old = self->personality, wanted = (uint32_t)a->arg[0];
	if (wanted != 0xffffffffu)
		self->personality = wanted;
	return old;
}

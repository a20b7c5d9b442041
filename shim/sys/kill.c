/* sys/kill.c: sending signals: to processes, groups and threads, and through pidfds. */
#include "shim/proc/process.h"
#include "shim/proc/signal.h"
#include "shim/proc/thread.h"
#include "shim/sys/fileio.h"
#include "shim/vfs/pidfd.h"
#include "shim/vfs/procfs.h"

static struct signal_info info_from_self(int signo, int code)
{
	return (struct signal_info){
		.signo = signo, .code = code, .pid = process_current()->pid};
}

static bool is_signal(int signo)
{
	return signo >= 0 && signo <= SIGNAL_COUNT;
}

static long kill_all(const struct signal_info *info)
{
	struct process *self = process_current();
	bool any = false;
	list_for_each_safe(process, &self->job->processes, struct process, job_link) {
		if (process == self)
			continue;
		any = true;
		if (info->signo)
			signal_send_process(process, info);
	}
	return any ? 0 : -ESRCH;
}

long sys_kill(const struct sysargs *a)
{
	struct process *self = process_current();
	int pid = (int)a->arg[0], signo = (int)a->arg[1];
	if (!is_signal(signo))
		return -EINVAL;
	struct signal_info info = info_from_self(signo, SI_USER);
	if (pid == -1)
		return kill_all(&info);
	if (pid == -2147483647 - 1)
		return -ESRCH;
	if (pid <= 0)
		return signal_send_group(self->job, pid ? -pid : self->pgid, &info)
			       ? 0
			       : -ESRCH;
	struct process *process = process_with(self->job, pid);
	if (!process)
		return -ESRCH;
	if (signo)
		signal_send_process(process, &info);
	return 0;
}

/* tgid 0: whatever process the thread is of. */
static long send_to_thread(int tgid, int tid, const struct signal_info *info)
{
	struct job *job = job_current();
	list_for_each(process, &job->processes, struct process, job_link) {
		struct thread *thread = thread_find(process, tid);
		if (!thread || (tgid && process->pid != tgid))
			continue;
		if (info->signo)
			signal_send_thread(thread, info);
		return 0;
	}
	return -ESRCH;
}

long sys_tkill(const struct sysargs *a)
{
	int tid = (int)a->arg[0], signo = (int)a->arg[1];
	if (tid <= 0 || !is_signal(signo))
		return -EINVAL;
	struct signal_info info = info_from_self(signo, SI_TKILL);
	return send_to_thread(0, tid, &info);
}

long sys_tgkill(const struct sysargs *a)
{
	int tgid = (int)a->arg[0], tid = (int)a->arg[1], signo = (int)a->arg[2];
	if (tgid <= 0 || tid <= 0 || !is_signal(signo))
		return -EINVAL;
	struct signal_info info = info_from_self(signo, SI_TKILL);
	return send_to_thread(tgid, tid, &info);
}

/* The siginfo_t that a program made: it may only say what a program may. */
static int info_read(uaddr from, int target, int signo, struct signal_info *info)
{
	struct {
		int32_t signo, error, code, padding, pid;
		uint32_t uid;
		uint64_t value;
	} given;
	_Static_assert(sizeof(given) == 32, "Linux ABI: siginfo_t's head");
	if (copy_from_user(&given, from, sizeof(given)) < 0)
		return -EFAULT;
	if (!is_signal(signo))
		return -EINVAL;
	if ((given.code >= 0 || given.code == SI_TKILL) &&
	    target != process_current()->pid)
		return -EPERM;
	*info = (struct signal_info){.signo = signo,
				     .code = given.code,
				     .error = given.error,
				     .pid = given.pid,
				     .uid = given.uid,
				     .value = given.value};
	return 0;
}

long sys_rt_sigqueueinfo(const struct sysargs *a)
{
	int pid = (int)a->arg[0];
	struct signal_info info;
	int rc = info_read(arg_user(a, 2), pid, (int)a->arg[1], &info);
	if (rc < 0)
		return rc;
	struct process *process = process_with(job_current(), pid);
	if (!process)
		return -ESRCH;
	if (info.signo)
		signal_send_process(process, &info);
	return 0;
}

long sys_rt_tgsigqueueinfo(const struct sysargs *a)
{
	int tgid = (int)a->arg[0], tid = (int)a->arg[1];
	struct signal_info info;
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	int rc = info_read(arg_user(a, 3), tgid, (int)a->arg[2], &info);
	return rc < 0 ? rc : send_to_thread(tgid, tid, &info);
}

/* As Linux: /proc/PID opened as a folder does what a pidfd does. */
static long send_by_file(const struct file *file, int signo, uaddr given)
{
	int folder_pid = proc_folder_pid(file);
	if (!folder_pid && !pidfd_is(file))
		return -EBADF;
	struct process *process = folder_pid ? process_find(job_current(), folder_pid)
					     : pidfd_process(file);
	struct signal_info info = info_from_self(signo, SI_USER);
	int32_t named = signo;
	if (!process)
		return -ESRCH;
	int rc = 0;
	if (!uaddr_is_null(given)) {
		rc = copy_from_user(&named, given, sizeof(named));
		if (rc == 0 && named != signo)
			rc = -EINVAL;
		if (rc == 0)
			rc = info_read(given, process->pid, signo, &info);
	}
	if (rc == 0 && !is_signal(signo))
		rc = -EINVAL;
	if (rc == 0 && signo)
		signal_send_process(process, &info);
	return rc;
}

long sys_pidfd_send_signal(const struct sysargs *a)
{
	if (a->arg[3])
		return -EINVAL;
	struct file *file = file_of(a, 0);
	if (!file)
		return -EBADF;
	long rc = send_by_file(file, (int)a->arg[1], arg_user(a, 2));
	file_put(file);
	return rc;
}

/* wait.c: wait4 and waitid: what has become of children. */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/sys/rusage.h"
#include "shim/sys/fileio.h"
#include "shim/sys/sys.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/pidfd.h"

enum {
	WNOHANG = 1,
	WSTOPPED = 2,
	WEXITED = 4,
	WCONTINUED = 8,
	WNOWAIT = 0x01000000,
	WNOTHREAD = 0x20000000,
	WALL = 0x40000000,
};
#define WCLONE 0x80000000u
enum { P_ALL, P_PID, P_PGID, P_PIDFD };
#define STATUS_CONTINUED 0xffff

struct wait_request {
	int which, id; /* P_* */
	uint32_t options;
	bool again; /* WNOHANG of an O_NONBLOCK pidfd, which says that it had to wait */
};

struct wait_answer {
	int pid, status; /* wait4's encoding */
	int code, value; /* waitid's: CLD_*, and the exit code or signal */
	struct linux_rusage usage;
};

static bool is_meant(const struct wait_request *r, const struct process *child)
{
	bool clone = child->exit_signal != SIGCHLD;
	if (!(r->options & WALL) && clone != ((r->options & WCLONE) != 0))
		return false;
	return r->which == P_ALL || (r->which == P_PID && child->pid == r->id) ||
	       (r->which == P_PGID && child->pgid == r->id);
}

static void answer(struct wait_answer *out, const struct process *child, int code,
		   int status, int value)
{
	*out = (struct wait_answer){
		.pid = child->pid, .code = code, .status = status, .value = value};
	struct usage usage = process_usage(child);
	usage_add(&usage, &child->children_usage);
	rusage_make(&out->usage, child->cpu_ns + child->children_cpu_ns, &usage);
}

static void children_add(struct process *parent, const struct process *child)
{
	parent->children_cpu_ns += child->cpu_ns + child->children_cpu_ns;
	usage_add(&parent->children_usage, &child->usage);
	usage_add(&parent->children_usage, &child->children_usage);
}

/* Something to tell about the child? Takes it, unless WNOWAIT. */
static bool take(const struct wait_request *r, struct process *child,
		 struct wait_answer *out)
{
	bool keep = r->options & WNOWAIT;
	if (child->state == PROCESS_ZOMBIE) {
		int status = child->exit_status, signo = status & 0x7f;
		if (!(r->options & WEXITED))
			return false;
		answer(out, child, signo ? CLD_KILLED : CLD_EXITED, status,
		       signo ? signo : status >> 8);
		if (!keep) {
			children_add(child->parent, child);
			process_free(child);
		}
		return true;
	}
	if (child->stopped && child->stop_untold && (r->options & WSTOPPED)) {
		answer(out, child, CLD_STOPPED, child->stop_signal << 8 | 0x7f,
		       child->stop_signal);
		child->stop_untold = keep;
		return true;
	}
	if (child->continue_untold && (r->options & WCONTINUED)) {
		answer(out, child, CLD_CONTINUED, STATUS_CONTINUED, SIGCONT);
		child->continue_untold = keep;
		return true;
	}
	return false;
}

/* 1: an answer; 0: none now (WNOHANG); -errno. */
static int wait_for(const struct wait_request *r, struct wait_answer *out)
{
	struct process *self = process_current();
	for (;;) {
		bool any = false;
		list_for_each_safe(child, &self->children, struct process, siblings) {
			if (!is_meant(r, child))
				continue;
			any = true;
			if (take(r, child, out))
				return 1;
		}
		if (!any)
			return -ECHILD;
		if (r->options & WNOHANG)
			return 0;
		if (wait_on(&self->child_changed, WAIT_FOREVER) == -EINTR)
			return -ERESTARTSYS;
	}
}

long sys_wait4(const struct sysargs *a)
{
	int pid = (int)a->arg[0];
	uint32_t options = (uint32_t)a->arg[2];
	struct wait_answer out;
	if (options & ~(WNOHANG | WSTOPPED | WCONTINUED | WNOTHREAD | WALL | WCLONE))
		return -EINVAL;
	if (pid == -2147483647 - 1)
		return -ESRCH;
	struct wait_request request = {.options = options | WEXITED};
	if (pid > 0)
		request.which = P_PID, request.id = pid;
	else if (pid < -1)
		request.which = P_PGID, request.id = -pid;
	else if (pid == 0)
		request.which = P_PGID, request.id = process_current()->pgid;
	int rc = wait_for(&request, &out);
	if (rc <= 0)
		return rc;
	int32_t status = out.status;
	if (a->arg[1] && copy_to_user(arg_user(a, 1), &status, sizeof(status)) < 0)
		return -EFAULT;
	if (a->arg[3] && copy_to_user(arg_user(a, 3), &out.usage, sizeof(out.usage)) < 0)
		return -EFAULT;
	return out.pid;
}

/* Makes a request about a pidfd one about its process. */
static int name_by_pidfd(struct wait_request *r, struct file *file)
{
	if (!file)
		return -EBADF;
	int rc = pidfd_is(file) ? 0 : -EBADF;
	if (rc == 0) {
		const struct process *process = pidfd_process(file);
		r->which = P_PID;
		r->id = process ? process->pid : 0; /* 0: nobody's */
		r->again = (file->flags & O_NONBLOCK) && !(r->options & WNOHANG);
		if (r->again)
			r->options |= WNOHANG;
	}
	file_put(file);
	return rc;
}

long sys_waitid(const struct sysargs *a)
{
	struct wait_request request = {.which = (int)a->arg[0],
				       .id = (int)a->arg[1],
				       .options = (uint32_t)a->arg[3]};
	struct wait_answer out = {0};
	uint32_t known = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | WNOTHREAD |
			 WALL | WCLONE;
	if ((request.options & ~known) ||
	    !(request.options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (request.which < P_ALL || request.which > P_PIDFD ||
	    (request.which == P_PID && request.id <= 0) ||
	    ((request.which == P_PGID || request.which == P_PIDFD) && request.id < 0))
		return -EINVAL;
	if (request.which == P_PGID && request.id == 0)
		request.id = process_current()->pgid;
	int rc = request.which == P_PIDFD ? name_by_pidfd(&request, file_of(a, 1)) : 0;
	if (rc == 0)
		rc = wait_for(&request, &out);
	if (rc == 0 && request.again)
		rc = -EAGAIN;
	if (rc < 0)
		return rc;
	struct siginfo_bytes info = {{0}};
	if (rc == 1)
		signal_info_encode(&info, &(struct signal_info){.signo = SIGCHLD,
								.code = out.code,
								.pid = out.pid,
								.status = out.value});
	if (a->arg[2] && copy_to_user(arg_user(a, 2), &info, sizeof(info)) < 0)
		return -EFAULT;
	if (a->arg[4] && copy_to_user(arg_user(a, 4), &out.usage, sizeof(out.usage)) < 0)
		return -EFAULT;
	return 0;
}

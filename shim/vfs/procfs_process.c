/* procfs_process.c: what /proc/PID says, but for its memory, folders and open files. */
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/vm.h"
#include "shim/proc/signal_state.h"
#include "shim/vfs/procfs_rows.h"
#include "shim/vfs/tty.h"

/* What stat and status tell, of a process or of one thread. */
struct task_view {
	struct process *process;
	const struct thread
		*thread; /* the one, or the process' first; NULL: none is left */
	int id;
	const char *comm;
	bool running;
	uint64_t cpu_ns, faults;
};

static struct task_view view_process(struct process *process)
{
	struct task_view view = {.process = process,
				 .id = process->pid,
				 .comm = process->comm,
				 .cpu_ns = process_cpu_ns(process),
				 .faults = process->usage.faults};
	list_for_each(thread, &process->threads, struct thread, process_link) {
		if (!view.thread)
			view.thread = thread;
		view.running |= thread->state == THREAD_RUNNABLE;
	}
	return view;
}

static struct task_view view_thread(struct thread *thread)
{
	return (struct task_view){.process = thread->process,
				  .thread = thread,
				  .id = thread->tid,
				  .comm = thread->comm,
				  .running = thread->state == THREAD_RUNNABLE,
				  .cpu_ns = thread_cpu_ns(thread),
				  .faults = thread->usage.faults};
}

static char state_letter(const struct task_view *view)
{
	if (view->process->state == PROCESS_ZOMBIE)
		return 'Z';
	if (view->process->stopped)
		return 'T';
	return view->running ? 'R' : 'S';
}

static void put_stat(struct text *out, const struct task_view *view)
{
	const struct process *process = view->process;
	const struct vmspace *vm = process->vm;
	int parent = process->parent ? process->parent->pid : 0;
	const struct tty *tty = process->tty;
	text_printf(out, "%d (%s) %c %d %d %d %u %d 4194304 %llu %llu 0 0 ", view->id,
		    view->comm, state_letter(view), parent, process->pgid, process->sid,
		    tty ? tty->device : 0, tty ? tty->foreground : -1,
		    (unsigned long long)view->faults,
		    (unsigned long long)process->children_usage.faults);
	text_printf(out, "%llu 0 %llu 0 %d %d %u 0 %llu ",
		    (unsigned long long)(view->cpu_ns / TICK_NS),
		    (unsigned long long)(process->children_cpu_ns / TICK_NS),
		    20 + process->nice, process->nice, process->thread_count,
		    (unsigned long long)(process->start_ns / TICK_NS));
	text_printf(out,
		    "%llu %llu 18446744073709551615 0 0 %llu 0 0 0 0 0 0 0 0 0 17 %u 0 0 "
		    "0 0 0 "
		    "0 0 %llu %llu %llu %llu %llu %d\n",
		    (unsigned long long)(vm ? vm->mapped_bytes : 0),
		    (unsigned long long)(vm ? vm_resident(vm) : 0),
		    (unsigned long long)(vm ? vm->stack_top : 0),
		    view->thread ? view->thread->cpu : 0,
		    (unsigned long long)(vm ? vm->brk_start : 0),
		    (unsigned long long)process->arg_start,
		    (unsigned long long)process->arg_end,
		    (unsigned long long)process->env_start,
		    (unsigned long long)process->env_end, process->exit_status);
}

static void stat_process(struct text *out, struct process *process)
{
	struct task_view view = view_process(process);
	put_stat(out, &view);
}

static void stat_thread(struct text *out, struct thread *thread)
{
	struct task_view view = view_thread(thread);
	put_stat(out, &view);
}

static void put_signals(struct text *out, const struct task_view *view)
{
	const struct process *process = view->process;
	const struct thread *thread = view->thread;
	uint64_t blocked = thread ? thread->mask.bits : 0, ignored = 0, caught = 0;
	uint64_t pending = thread ? thread->pending.pending.bits : 0;
	for (int i = 0; process->actions && i < SIGNAL_COUNT; i++) {
		uint64_t handler = process->actions->action[i].handler;
		if (handler == SIG_IGN)
			ignored |= 1ull << i;
		else if (handler != SIG_DFL)
			caught |= 1ull << i;
	}
	text_printf(out, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\n",
		    (unsigned long long)pending,
		    (unsigned long long)process->pending.pending.bits,
		    (unsigned long long)blocked);
	text_printf(out, "SigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		    (unsigned long long)ignored, (unsigned long long)caught);
}

static void put_cpus_allowed(struct text *out, const struct thread *thread)
{
	uint64_t mask = thread && thread->affinity ? thread->affinity : proc_all_cpus();
	text_printf(out, "Cpus_allowed:\t");
	proc_put_cpu_mask(out, mask);
	text_printf(out, "Cpus_allowed_list:\t");
	proc_put_cpu_list(out, mask);
}

static void put_status(struct text *out, const struct task_view *view)
{
	struct process *process = view->process;
	char state = state_letter(view);
	const char *word = state == 'R'   ? "running"
			   : state == 'Z' ? "zombie"
			   : state == 'T' ? "stopped"
					  : "sleeping";
	text_printf(out, "Name:\t%s\n", view->comm);
	if (process->fs)
		text_printf(out, "Umask:\t0%u%u%u\n", process->fs->umask >> 6 & 7,
			    process->fs->umask >> 3 & 7, process->fs->umask & 7);
	text_printf(out, "State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\n", state, word,
		    process->pid, view->id);
	text_printf(out, "PPid:\t%d\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
		    process->parent ? process->parent->pid : 0);
	text_printf(out, "FDSize:\t%u\nGroups:\t \n",
		    process->fds ? fdtable_room(process->fds) : 0);
	proc_status_memory(out, process);
	text_printf(out, "Threads:\t%u\nSigQ:\t0/1024\n", process->thread_count);
	put_signals(out, view);
	text_printf(out, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
			 "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n");
	text_printf(out, "NoNewPrivs:\t%d\nSeccomp:\t0\n", process->no_new_privs);
	put_cpus_allowed(out, view->thread);
	text_printf(
		out,
		"voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
		(unsigned long long)(view->thread ? view->thread->usage.waits : 0),
		(unsigned long long)(view->thread ? view->thread->usage.preemptions : 0));
}

static void status(struct text *out, struct process *process)
{
	struct task_view view = view_process(process);
	put_status(out, &view);
}

static void status_thread(struct text *out, struct thread *thread)
{
	struct task_view view = view_thread(thread);
	put_status(out, &view);
}

static void auxv(struct text *out, struct process *process)
{
	text_put(out, process->auxv, process->auxv_bytes);
}

static void comm(struct text *out, struct process *process)
{
	text_printf(out, "%s\n", process->comm);
}

static void comm_thread(struct text *out, struct thread *thread)
{
	text_printf(out, "%s\n", thread->comm);
}

static void limits(struct text *out, struct process *process)
{
	static const struct {
		const char *name, *unit;
	} rows[RLIMIT_COUNT] = {
		{"Max cpu time", "seconds"},     {"Max file size", "bytes"},
		{"Max data size", "bytes"},      {"Max stack size", "bytes"},
		{"Max core file size", "bytes"}, {"Max resident set", "bytes"},
		{"Max processes", "processes"},  {"Max open files", "files"},
		{"Max locked memory", "bytes"},  {"Max address space", "bytes"},
		{"Max file locks", "locks"},     {"Max pending signals", "signals"},
		{"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
		{"Max realtime priority", ""},   {"Max realtime timeout", "us"},
	};
	text_printf(out,
		    "Limit                     Soft Limit           Hard Limit           "
		    "Units     \n");
	for (int i = 0; i < RLIMIT_COUNT; i++) {
		uint64_t value[2] = {process->rlimits[i].soft, process->rlimits[i].hard};
		char shown[2][24];
		for (int k = 0; k < 2; k++)
			if (value[k] == UINT64_MAX)
				strlcpy(shown[k], "unlimited", sizeof(shown[k]));
			else
				ksnprintf(shown[k], sizeof(shown[k]), "%llu",
					  (unsigned long long)value[k]);
		text_printf(out, "%-25s %-20s %-20s %-10s\n", rows[i].name, shown[0],
			    shown[1], rows[i].unit);
	}
}

static const struct proc_row pid_table[] = {
	OTHER("exe", ROW_LINK),
	OTHER("cwd", ROW_LINK),
	OTHER("root", ROW_LINK),
	OTHER("fd", ROW_FDS),
	OTHER("fdinfo", ROW_FD_INFOS),
	OTHER("task", ROW_TASKS),
	MADE("auxv", auxv),
	FIXED("cgroup", "0::/"),
	MADE("cmdline", proc_cmdline),
	OF_BOTH("comm", comm, comm_thread),
	MADE("environ", proc_environ),
	MADE("limits", limits),
	MADE("maps", proc_maps),
	FIXED("mountinfo", MOUNTINFO),
	FIXED("mounts", MOUNTS),
	FIXED("oom_score", "0"),
	FIXED("oom_score_adj", "0"),
	MADE("smaps", proc_smaps),
	MADE("smaps_rollup", proc_smaps_rollup),
	OF_BOTH("stat", stat_process, stat_thread),
	MADE("statm", proc_statm),
	OF_BOTH("status", status, status_thread),
};

const struct proc_rows pid_rows = ROWS(pid_table);

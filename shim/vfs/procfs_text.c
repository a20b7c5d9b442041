/* procfs_text.c: what the files of /proc and /sys say. */
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"
#include "shim/proc/sched.h"
#include "shim/proc/signal_state.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/pidfd.h"
#include "shim/vfs/pipe.h"
#include "shim/vfs/procfs.h"
#include "shim/vfs/tty.h"

#define NS_PER_SECOND 1000000000ull
#define TICK_NS       10000000ull /* USER_HZ 100 */

/* Memory as the job sees it: no more than it may use. */
struct memory {
	uint64_t total, free; /* pages */
};

static struct memory job_memory(void)
{
	const struct account *account = &job_current()->account;
	struct memory m = {page_count_total(), page_count_free()};
	if (m.total > account->limit_pages)
		m.total = account->limit_pages;
	uint64_t left = account->limit_pages - account->used_pages;
	if (account->used_pages > account->limit_pages)
		left = 0;
	if (m.free > left)
		m.free = left;
	return m;
}

static void meminfo(struct text *out, struct process *process)
{
	struct memory m = job_memory();
	(void)process;
	unsigned long long total = m.total * 4, free = m.free * 4;
	text_printf(out, "MemTotal:       %8llu kB\nMemFree:        %8llu kB\n", total,
		    free);
	text_printf(out, "MemAvailable:   %8llu kB\n", free);
	static const char *const zeros[] = {
		"Buffers:        ", "Cached:         ", "SwapCached:     ",
		"Active:         ", "Inactive:       ", "SwapTotal:      ",
		"SwapFree:       ", "Dirty:          ", "Writeback:      ",
		"AnonPages:      ", "Mapped:         ", "Shmem:          ",
		"Slab:           ", "SReclaimable:   ", "PageTables:     ",
	};
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		text_printf(out, "%s       0 kB\n", zeros[i]);
	text_printf(out, "CommitLimit:    %8llu kB\nCommitted_AS:          0 kB\n",
		    total);
	text_printf(out, "HugePages_Total:       0\nHugePages_Free:        0\n"
			 "Hugepagesize:       2048 kB\n");
}

struct cpuid_words {
	uint32_t a, b, c, d;
};

static struct cpuid_words cpuid_leaf(uint32_t leaf)
{
	struct cpuid_words w;
	__asm__("cpuid" : "=a"(w.a), "=b"(w.b), "=c"(w.c), "=d"(w.d) : "a"(leaf), "c"(0));
	return w;
}

static void put_flags(struct text *out)
{
	static const char *const low[32] = {
		"fpu",  "vme",   "de",   "pse",     "tsc",  "msr", "pae", "mce",
		"cx8",  "apic",  NULL,   "sep",     "mtrr", "pge", "mca", "cmov",
		"pat",  "pse36", NULL,   "clflush", NULL,   NULL,  NULL,  "mmx",
		"fxsr", "sse",   "sse2", "ss",      "ht",   NULL,  NULL,  NULL};
	static const char *const high[32] = {
		"pni", "pclmulqdq", NULL,     NULL,        NULL,  NULL,     NULL,
		NULL,  NULL,        "ssse3",  NULL,        NULL,  "fma",    "cx16",
		NULL,  NULL,        NULL,     "pcid",      NULL,  "sse4_1", "sse4_2",
		NULL,  "movbe",     "popcnt", NULL,        "aes", "xsave",  NULL,
		"avx", "f16c",      "rdrand", "hypervisor"};
	static const char *const seven[32] = {
		"fsgsbase", NULL,      NULL,   "bmi1",       NULL,       "avx2",
		NULL,       "smep",    "bmi2", "erms",       NULL,       NULL,
		NULL,       NULL,      NULL,   NULL,         "avx512f",  "avx512dq",
		"rdseed",   "adx",     "smap", "avx512ifma", NULL,       "clflushopt",
		"clwb",     NULL,      NULL,   NULL,         "avx512cd", "sha_ni",
		"avx512bw", "avx512vl"};
	struct cpuid_words one = cpuid_leaf(1), more = {0};
	if (cpuid_leaf(0).a >= 7)
		more = cpuid_leaf(7);
	text_printf(out, "flags\t\t:");
	for (unsigned i = 0; i < 32; i++)
		if (low[i] && (one.d >> i & 1))
			text_printf(out, " %s", low[i]);
	text_printf(out, " syscall nx lm constant_tsc");
	for (unsigned i = 0; i < 32; i++)
		if (high[i] && (one.c >> i & 1))
			text_printf(out, " %s", high[i]);
	for (unsigned i = 0; i < 32; i++)
		if (seven[i] && (more.b >> i & 1))
			text_printf(out, " %s", seven[i]);
	text_printf(out, "\n");
}

static void cpuinfo(struct text *out, struct process *process)
{
	struct cpuid_words vendor = cpuid_leaf(0), one = cpuid_leaf(1);
	char vendor_text[13] = {0}, brand[49] = {0};
	(void)process;
	memcpy(vendor_text, &vendor.b, 4);
	memcpy(vendor_text + 4, &vendor.d, 4);
	memcpy(vendor_text + 8, &vendor.c, 4);
	if (cpuid_leaf(0x80000000u).a >= 0x80000004u)
		for (uint32_t i = 0; i < 3; i++) {
			struct cpuid_words w = cpuid_leaf(0x80000002u + i);
			memcpy(brand + 16 * i, &w, 16);
		}
	uint32_t family = one.a >> 8 & 15, model = one.a >> 4 & 15;
	if (family == 6 || family == 15)
		model |= one.a >> 12 & 0xf0;
	if (family == 15)
		family += one.a >> 20 & 255;
	unsigned count = cpu_count();
	for (unsigned i = 0; i < count; i++) {
		text_printf(out, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\n",
			    i, vendor_text, family);
		text_printf(out, "model\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n",
			    model, brand, one.a & 15);
		text_printf(out, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\n",
			    count, i);
		text_printf(out, "cpu cores\t: %u\napicid\t\t: %u\nfpu\t\t: yes\n", count,
			    i);
		put_flags(out);
		text_printf(out, "clflush size\t: 64\ncache_alignment\t: 64\n\n");
	}
}

static uint64_t busy_ticks(void)
{
	return job_current()->cpu_ns / TICK_NS;
}

/* Threads that run or could; the load's averages are not kept. */
static unsigned runnable(const struct job *job)
{
	unsigned count = 0;
	list_for_each(process, &job->processes, struct process, job_link)
		list_for_each(thread, &process->threads, struct thread, process_link)
			count += thread->state == THREAD_RUNNABLE;
	return count;
}

static void stat_all(struct text *out, struct process *process)
{
	unsigned long long user = busy_ticks(), idle = sched_idle_ns() / TICK_NS;
	(void)process;
	text_printf(out, "cpu  %llu 0 0 %llu 0 0 0 0 0 0\n", user, idle);
	for (unsigned i = 0; i < cpu_count(); i++)
		text_printf(out, "cpu%u %llu 0 0 %llu 0 0 0 0 0 0\n", i,
			    user / cpu_count(),
			    (unsigned long long)sched_cpu_idle_ns(i) / TICK_NS);
	text_printf(out,
		    "intr 0\nctxt 0\nbtime %llu\nprocesses %d\nprocs_running %u\n"
		    "procs_blocked 0\n",
		    (unsigned long long)(clock_realtime_offset_ns() / NS_PER_SECOND),
		    job_current()->next_pid, runnable(job_current()));
}

static void loadavg(struct text *out, struct process *process)
{
	const struct job *job = job_current();
	(void)process;
	text_printf(out, "0.00 0.00 0.00 %u/%u %d\n", runnable(job), job->process_count,
		    job->next_pid - 1);
}

static void put_seconds(struct text *out, uint64_t ns)
{
	text_printf(out, "%llu.%02llu", (unsigned long long)(ns / NS_PER_SECOND),
		    (unsigned long long)(ns / TICK_NS % 100));
}

static void uptime(struct text *out, struct process *process)
{
	(void)process;
	put_seconds(out, clock_now_ns());
	text_printf(out, " ");
	put_seconds(out, sched_idle_ns());
	text_printf(out, "\n");
}

static void cpu_range(struct text *out, struct process *process)
{
	(void)process;
	if (cpu_count() == 1)
		text_printf(out, "0\n");
	else
		text_printf(out, "0-%u\n", cpu_count() - 1);
}

/* Of one process. */

static const struct vm_area *area_at(const struct vmspace *vm, uint32_t i)
{
	return i < vm->area_count ? vm->area[i] : NULL;
}

static void put_area_name(struct text *out, struct process *process,
			  const struct vm_area *area)
{
	char path[512];
	if (area->vnode) {
		if (vnode_path(process->job->rootfs, area->vnode, path, sizeof(path)) ==
		    0)
			text_put(out, path, strlen(path));
		else
			text_printf(out, "/memfd: (deleted)");
	} else if (area->stack) {
		text_printf(out, "[stack]");
	} else if (area->heap) {
		text_printf(out, "[heap]");
	} else if (process->vm->vdso && area->start == process->vm->vdso) {
		text_printf(out, "[vdso]");
	}
}

static void maps(struct text *out, struct process *process)
{
	const struct vmspace *vm = process->vm;
	for (uint32_t i = 0; vm && area_at(vm, i); i++) {
		const struct vm_area *area = area_at(vm, i);
		struct stat_values values = {0};
		if (area->vnode)
			(void)vnode_stat(area->vnode, &values);
		size_t before = out->size;
		text_printf(out, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
			    (unsigned long long)area->start,
			    (unsigned long long)area->end,
			    area->prot & PT_READ ? 'r' : '-',
			    area->prot & PT_WRITE ? 'w' : '-',
			    area->prot & PT_EXEC ? 'x' : '-', area->shared ? 's' : 'p',
			    (unsigned long long)(area->vnode ? area->offset : 0),
			    (unsigned)values.device >> 8, (unsigned)values.device & 255,
			    (unsigned long long)values.inode);
		bool named = area->vnode || area->stack || area->heap ||
			     (vm->vdso && area->start == vm->vdso);
		while (named && out->size - before < 73 && !out->failed)
			text_put(out, " ", 1);
		put_area_name(out, process, area);
		text_printf(out, "\n");
	}
}

/* What stat and status tell, of a process or of one thread. */
struct task_view {
	struct process *process;
	const struct thread
		*thread; /* the one, or the process' first; NULL: none is left */
	int id;
	const char *comm;
	bool running;
	uint64_t cpu_ns;
};

static struct task_view view_process(struct process *process)
{
	struct task_view view = {.process = process,
				 .id = process->pid,
				 .comm = process->comm,
				 .cpu_ns = process_cpu_ns(process)};
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
				  .cpu_ns = thread_cpu_ns(thread)};
}

static char state_letter(const struct task_view *view)
{
	if (view->process->state == PROCESS_ZOMBIE)
		return 'Z';
	if (view->process->stopped)
		return 'T';
	return view->running ? 'R' : 'S';
}

static uint64_t resident_pages(const struct process *process)
{
	/* The account is exact, but for the job as a whole. */
	return process->vm ? process->job->account.used_pages : 0;
}

static uint64_t mapped_bytes(const struct process *process)
{
	return process->vm ? process->vm->mapped_bytes : 0;
}

static void put_stat(struct text *out, const struct task_view *view)
{
	const struct process *process = view->process;
	const struct vmspace *vm = process->vm;
	int parent = process->parent ? process->parent->pid : 0;
	const struct tty *tty = process->tty;
	text_printf(out, "%d (%s) %c %d %d %d %u %d 4194304 0 0 0 0 ", view->id,
		    view->comm, state_letter(view), parent, process->pgid, process->sid,
		    tty ? tty->device : 0, tty ? tty->foreground : -1);
	text_printf(out, "%llu 0 %llu 0 %d %d %u 0 %llu ",
		    (unsigned long long)(view->cpu_ns / TICK_NS),
		    (unsigned long long)(process->children_cpu_ns / TICK_NS),
		    20 + process->nice, process->nice, process->thread_count,
		    (unsigned long long)(process->start_ns / TICK_NS));
	text_printf(out,
		    "%llu %llu 18446744073709551615 0 0 %llu 0 0 0 0 0 0 0 0 0 17 %u 0 0 "
		    "0 0 0 "
		    "0 0 %llu %llu %llu %llu %llu %d\n",
		    (unsigned long long)mapped_bytes(process),
		    (unsigned long long)resident_pages(process),
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

static void statm(struct text *out, struct process *process)
{
	unsigned long long size = mapped_bytes(process) / PAGE_SIZE;
	text_printf(out, "%llu %llu 0 0 0 %llu 0\n", size,
		    (unsigned long long)resident_pages(process), size);
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
	text_printf(out, "FDSize:\t64\nGroups:\t \n");
	unsigned long long kib = mapped_bytes(process) / 1024,
			   rss = resident_pages(process) * 4;
	text_printf(out, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t       0 kB\n",
		    kib, kib);
	text_printf(out,
		    "VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\nVmData:\t%8llu kB\n"
		    "VmStk:\t%8llu kB\nVmSwap:\t       0 kB\n",
		    (unsigned long long)process->job->account.peak_pages * 4, rss, kib,
		    VM_STACK_SIZE / 1024);
	text_printf(out, "Threads:\t%u\nSigQ:\t0/1024\n", process->thread_count);
	put_signals(out, view);
	text_printf(out, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
			 "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n");
	text_printf(out, "NoNewPrivs:\t%d\nSeccomp:\t0\n", process->no_new_privs);
	text_printf(out, "Cpus_allowed:\t%llx\nCpus_allowed_list:\t",
		    cpu_count() >= 64 ? ~0ull : (1ull << cpu_count()) - 1);
	cpu_range(out, process);
	text_printf(out, "voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
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

/* Bytes [start, end) of the process' memory, page by page as far as they are there. */
static void put_memory(struct text *out, struct process *process, uint64_t start,
		       uint64_t end)
{
	while (process->vm && start < end) {
		uint64_t n = PAGE_SIZE - (start & PAGE_MASK);
		if (n > end - start)
			n = end - start;
		paddr_t at = vm_frame(process->vm, start);
		if (!at)
			return;
		text_put(out, phys_to_virt(at), n);
		start += n;
	}
}

static void cmdline(struct text *out, struct process *process)
{
	put_memory(out, process, process->arg_start, process->arg_end);
}

static void environ(struct text *out, struct process *process)
{
	put_memory(out, process, process->env_start, process->env_end);
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

static void random_uuid(struct text *out, struct process *process)
{
	uint8_t b[16];
	(void)process;
	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 4122, version 4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++)
		text_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			    b[i]);
	text_printf(out, "\n");
}

#define MOUNTS                                                                           \
	"rootfs / tmpfs rw,relatime 0 0\nproc /proc proc rw,relatime 0 0\n"              \
	"sysfs /sys sysfs ro,relatime 0 0\ndevtmpfs /dev tmpfs rw,relatime 0 0"
#define MOUNTINFO                                                                        \
	"1 1 0:20 / / rw,relatime - tmpfs rootfs rw\n2 1 0:21 / /proc rw,relatime - "    \
	"proc proc rw\n"                                                                 \
	"3 1 0:22 / /sys ro,relatime - sysfs sysfs ro\n4 1 0:20 / /dev rw,relatime - "   \
	"tmpfs "                                                                         \
	"devtmpfs rw"

#define FIXED(path, text)                                                                \
	{                                                                                \
		path, ROW_TEXT, NULL, text, NULL                                         \
	}
#define MADE(path, maker)                                                                \
	{                                                                                \
		path, ROW_TEXT, maker, NULL, NULL                                        \
	}
#define OF_BOTH(path, maker, thread_maker)                                               \
	{                                                                                \
		path, ROW_TEXT, maker, NULL, thread_maker                                \
	}
#define OTHER(path, kind)                                                                \
	{                                                                                \
		path, kind, NULL, NULL, NULL                                             \
	}

static const struct proc_row proc_table[] = {
	OTHER("self", ROW_LINK),
	OTHER("thread-self", ROW_LINK),
	MADE("cpuinfo", cpuinfo),
	FIXED("filesystems", "nodev\tproc\nnodev\tsysfs\nnodev\ttmpfs\n\terofs"),
	MADE("loadavg", loadavg),
	MADE("meminfo", meminfo),
	FIXED("mounts", MOUNTS),
	MADE("stat", stat_all),
	MADE("uptime", uptime),
	FIXED("version", "Linux version 6.1.0 (elfpack) #1 SMP elfpack"),
	FIXED("sys/fs/file-max", "9223372036854775807"),
	FIXED("sys/fs/nr_open", "262144"),
	FIXED("sys/fs/pipe-max-size", "1048576"),
	FIXED("sys/fs/inotify/max_queued_events", "16384"),
	FIXED("sys/fs/inotify/max_user_instances", "128"),
	FIXED("sys/fs/inotify/max_user_watches", "65536"),
	FIXED("sys/kernel/cap_last_cap", "40"),
	FIXED("sys/kernel/core_pattern", "core"),
	FIXED("sys/kernel/domainname", "(none)"),
	FIXED("sys/kernel/hostname", "elfpack"),
	FIXED("sys/kernel/ngroups_max", "65536"),
	FIXED("sys/kernel/osrelease", "6.1.0"),
	FIXED("sys/kernel/ostype", "Linux"),
	FIXED("sys/kernel/pid_max", "4194304"),
	MADE("sys/kernel/random/uuid", random_uuid),
	FIXED("sys/kernel/randomize_va_space", "2"),
	FIXED("sys/kernel/threads-max", "32768"),
	FIXED("sys/kernel/version", "#1 SMP elfpack"),
	FIXED("sys/net/core/somaxconn", "4096"),
	FIXED("sys/vm/max_map_count", "65530"),
	FIXED("sys/vm/mmap_min_addr", "65536"),
	FIXED("sys/vm/overcommit_memory", "1"),
};

static const struct proc_row pid_table[] = {
	OTHER("exe", ROW_LINK),
	OTHER("cwd", ROW_LINK),
	OTHER("root", ROW_LINK),
	OTHER("fd", ROW_FDS),
	OTHER("fdinfo", ROW_FD_INFOS),
	OTHER("task", ROW_TASKS),
	MADE("auxv", auxv),
	FIXED("cgroup", "0::/"),
	MADE("cmdline", cmdline),
	OF_BOTH("comm", comm, comm_thread),
	MADE("environ", environ),
	MADE("limits", limits),
	MADE("maps", maps),
	FIXED("mountinfo", MOUNTINFO),
	FIXED("mounts", MOUNTS),
	FIXED("oom_score", "0"),
	FIXED("oom_score_adj", "0"),
	OF_BOTH("stat", stat_process, stat_thread),
	MADE("statm", statm),
	OF_BOTH("status", status, status_thread),
};

static const struct proc_row sys_table[] = {
	MADE("devices/system/cpu/online", cpu_range),
	MADE("devices/system/cpu/possible", cpu_range),
	MADE("devices/system/cpu/present", cpu_range),
	FIXED("kernel/mm/transparent_hugepage/enabled", "always [madvise] never"),
	FIXED("kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152"),
};

#define ROWS(table)                                                                      \
	{                                                                                \
		table, sizeof(table) / sizeof((table)[0])                                \
	}
const struct proc_rows proc_rows = ROWS(proc_table);
const struct proc_rows pid_rows = ROWS(pid_table);
const struct proc_rows sys_rows = ROWS(sys_table);

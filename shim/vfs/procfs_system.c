/* procfs_system.c: what /proc says of the machine, as the job may see it. */
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/sched.h"
#include "shim/vfs/jobfs.h"
#include "shim/vfs/procfs_rows.h"

/* Memory as the job sees it: no more than it may use. Files that it wrote are memory for
 * good, as tmpfs' are: cached and shared, but not to be had back. */
struct memory {
	uint64_t total, free, files; /* pages */
};

static struct memory job_memory(void)
{
	const struct job *job = job_current();
	const struct account *account = &job->account;
	struct memory m = {page_count_total(), page_count_free(),
			   job->rootfs->pages_used};
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
	const struct {
		const char *name;
		uint64_t pages;
	} rows[] = {
		{"MemTotal:", m.total},
		{"MemFree:", m.free},
		{"MemAvailable:", m.free},
		{"Buffers:", 0},
		{"Cached:", m.files},
		{"SwapCached:", 0},
		{"Active:", 0},
		{"Inactive:", 0},
		{"SwapTotal:", 0},
		{"SwapFree:", 0},
		{"Dirty:", 0},
		{"Writeback:", 0},
		{"AnonPages:", 0},
		{"Mapped:", 0},
		{"Shmem:", m.files},
		{"Slab:", 0},
		{"SReclaimable:", 0},
		{"PageTables:", 0},
		{"CommitLimit:", m.total},
		{"Committed_AS:", 0},
	};
	(void)process;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		text_printf(out, "%-16s%8llu kB\n", rows[i].name,
			    (unsigned long long)rows[i].pages * (PAGE_SIZE / 1024));
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
		    "intr 0\nctxt %llu\nbtime %llu\nprocesses %d\nprocs_running %u\n"
		    "procs_blocked 0\n",
		    (unsigned long long)job_current()->switches,
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

const struct proc_rows proc_rows = ROWS(proc_table);

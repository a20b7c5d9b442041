/* procfs_cpu.c: /sys/devices/system/cpu: which CPUs there are, each a core of its own in
 * one package, as /proc/cpuinfo has it. */
#include "shim/arch/x86_64/cpu.h"
#include "shim/vfs/procfs_rows.h"

uint64_t proc_all_cpus(void)
{
	unsigned count = cpu_count();
	return count >= 64 ? UINT64_MAX : (1ull << count) - 1;
}

void proc_put_cpu_mask(struct text *out, uint64_t cpus)
{
	bool two_words = cpu_count() > 32;
	if (two_words)
		text_printf(out, "%x,", (unsigned)(cpus >> 32));
	text_printf(out, two_words ? "%08x\n" : "%x\n", (unsigned)cpus);
}

void proc_put_cpu_list(struct text *out, uint64_t cpus)
{
	const char *between = "";
	for (unsigned first = 0, end; first < 64; first = end) {
		bool in = cpus >> first & 1;
		for (end = first + 1; end < 64 && (cpus >> end & 1) == in; end++)
			continue;
		if (!in)
			continue;
		text_printf(out, "%s%u", between, first);
		if (end > first + 1)
			text_printf(out, "-%u", end - 1);
		between = ",";
	}
	text_printf(out, "\n");
}

static void all_list(struct text *out, struct process *process)
{
	(void)process;
	proc_put_cpu_list(out, proc_all_cpus());
}

static void kernel_max(struct text *out, struct process *process)
{
	(void)process;
	text_printf(out, "%u\n", CPUS_MAX - 1);
}

static void number(struct text *out, unsigned cpu)
{
	text_printf(out, "%u\n", cpu);
}

static void own_mask(struct text *out, unsigned cpu)
{
	proc_put_cpu_mask(out, 1ull << cpu);
}

static void own_list(struct text *out, unsigned cpu)
{
	proc_put_cpu_list(out, 1ull << cpu);
}

static void package_mask(struct text *out, unsigned cpu)
{
	(void)cpu;
	proc_put_cpu_mask(out, proc_all_cpus());
}

static void package_list(struct text *out, unsigned cpu)
{
	(void)cpu;
	proc_put_cpu_list(out, proc_all_cpus());
}

/* Of one CPU: devices/system/cpu/cpuN. */
static const struct proc_row cpu_table[] = {
	OF_CPU("topology/core_cpus", own_mask),
	OF_CPU("topology/core_cpus_list", own_list),
	OF_CPU("topology/core_id", number),
	OF_CPU("topology/core_siblings", package_mask),
	OF_CPU("topology/core_siblings_list", package_list),
	OF_CPU("topology/die_cpus", package_mask),
	OF_CPU("topology/die_cpus_list", package_list),
	FIXED("topology/die_id", "0"),
	OF_CPU("topology/package_cpus", package_mask),
	OF_CPU("topology/package_cpus_list", package_list),
	FIXED("topology/physical_package_id", "0"),
	OF_CPU("topology/thread_siblings", own_mask),
	OF_CPU("topology/thread_siblings_list", own_list),
};

static const struct proc_row sys_table[] = {
	FIXED("devices/system/cpu/isolated", ""),
	MADE("devices/system/cpu/kernel_max", kernel_max),
	FIXED("devices/system/cpu/offline", ""),
	MADE("devices/system/cpu/online", all_list),
	MADE("devices/system/cpu/possible", all_list),
	MADE("devices/system/cpu/present", all_list),
	FIXED("devices/system/cpu/smt/active", "0"),
	FIXED("devices/system/cpu/smt/control", "notsupported"),
	FIXED("kernel/mm/transparent_hugepage/enabled", "always [madvise] never"),
	FIXED("kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152"),
};

const struct proc_rows cpu_rows = ROWS(cpu_table);
const struct proc_rows sys_rows = ROWS(sys_table);

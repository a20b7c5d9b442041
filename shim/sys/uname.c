/* sys/uname.c: what the machine is: uname and sysinfo. */
#include "shim/arch/x86_64/clock.h"
#include "shim/mm/page.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"

struct linux_sysinfo {
	int64_t uptime;
	uint64_t loads[3], total, free, shared, buffer, swap_total, swap_free;
	uint16_t processes, padding;
	uint64_t high_total, high_free;
	uint32_t unit;
	uint8_t rest[4];
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "Linux ABI");

/* The memory that a program sees is the job's. */
long sys_sysinfo(const struct sysargs *a)
{
	struct job *job = job_current();
	uint64_t total = page_count_total(), free = page_count_free();
	if (total > job->account.limit_pages) {
		uint64_t left = job->account.limit_pages - job->account.used_pages;
		total = job->account.limit_pages;
		free = free < left ? free : left;
	}
	struct linux_sysinfo info = {
		.uptime = (int64_t)(clock_now_ns() / 1000000000),
		.total = total * PAGE_SIZE,
		.free = free * PAGE_SIZE,
		.processes = (uint16_t)(job->process_count < 65535 ? job->process_count
								   : 65535),
		.unit = 1,
	};
	return copy_to_user(arg_user(a, 0), &info, sizeof(info));
}

long sys_uname(const struct sysargs *a)
{
	/* The release whose calls are answered: programs and C libraries compare it. */
	static const struct {
		char system[65], node[65], release[65], version[65], machine[65],
			domain[65];
	} names = {"Linux", "elfpack", "6.1.0", "#1 SMP elfpack", "x86_64", "(none)"};
	return copy_to_user(arg_user(a, 0), &names, sizeof(names));
}
